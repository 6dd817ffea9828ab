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
        AudioOracles.cases(),
        BitOracles.cases(),
        CacheOracles.cases(),
        CascadeOracles.cases(),
        CodeOracles.cases(),
        DynamicOracles.cases(),
        EmbeddingOracles.cases(),
        EquivariantOracles.cases(),
        FourierOracles.cases(),
        GraphOracles.cases(),
        HaltingOracles.cases(),
        LinearAttentionOracles.cases(),
        LossOracles.cases(),
        MixtureOracles.cases(),
        NormOracles.cases(),
        NumericOracles.cases(),
        PoolingOracles.cases(),
        QuantizedOracles.cases(),
        RecurrentOracles.cases(),
        ReducedOracles.cases(),
        RetrievalOracles.cases(),
        SamplingOracles.cases(),
        SequenceOracles.cases(),
        SoftmaxOracles.cases(),
        SortOracles.cases(),
        SparseAttentionOracles.cases(),
        StructuredOracles.cases(),
        VisionOracles.cases()
    ).flatMap(List::stream).toList();
  }
}
