package dev.einfall.tests.programs.oracles;

import java.util.List;
import java.util.stream.Stream;

/// The formulas of all library programs: one class for each folder of `programs`.
public final class Oracles {
  private Oracles() {}

  public static List<OracleCase> all() {
    return Stream.of(
        ActivationOracles.cases(),
        AttentionOracles.cases(),
        EmbeddingOracles.cases(),
        LossOracles.cases(),
        NormOracles.cases()
    ).flatMap(List::stream).toList();
  }
}
