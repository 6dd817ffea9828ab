package dev.einfall.tests.programs.oracles;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// A program and its defining formula.
///
/// ```java
/// OracleCase.of("norm/rows").sizes("B=3 D=17").sizes("B=1 D=1").terms(17).givesAll(NormOracles::rows)
/// ```
///
/// @param program the file below `programs`, without its ending
/// @param rounds the numbers of all size names, for each run
/// @param fills how inputs are filled, where not by [Fill#any]
/// @param terms of how many terms sums are, for the tolerance
/// @param within of what the formula gives, the part by whose length floats may differ from it in all; 0 where only `terms` says that
/// @param formula the outputs, in the order of their declaration
public record OracleCase(String program, List<Map<String, Integer>> rounds, Map<String, Fill> fills, int terms, double within,
    Function<Inputs, List<Doubles>> formula) {

  public OracleCase {
    rounds = List.copyOf(rounds);
  }

  public static OracleCase of(String program) {
    return new OracleCase(program, List.of(), Map.of(), 64, 0, _ -> {
      throw new IllegalStateException("no formula for " + program);
    });
  }

  /// Adds a run, such as `B=3 D=17`.
  public OracleCase sizes(String assignment) {
    Map<String, Integer> sizes = new LinkedHashMap<>();
    for (String part : assignment.isBlank() ? new String[0] : assignment.split(" ")) {
      String[] sides = part.split("=");
      sizes.put(sides[0], Integer.parseInt(sides[1]));
    }
    List<Map<String, Integer>> more = new ArrayList<>(rounds);
    more.add(sizes);
    return new OracleCase(program, more, fills, terms, within, formula);
  }

  /// Says how the input `name` is filled.
  public OracleCase fill(String name, Fill fill) {
    Map<String, Fill> more = new LinkedHashMap<>(fills);
    more.put(name, fill);
    return new OracleCase(program, rounds, more, terms, within, formula);
  }

  public OracleCase terms(int newTerms) {
    return new OracleCase(program, rounds, fills, newTerms, within, formula);
  }

  /// Says how far a program that rounds may be from the formula, which does not.
  public OracleCase within(double part) {
    return new OracleCase(program, rounds, fills, terms, part, formula);
  }

  /// The formula of a program with one output.
  public OracleCase gives(Function<Inputs, Doubles> output) {
    return givesAll(inputs -> List.of(output.apply(inputs)));
  }

  /// The formula of a program with several outputs.
  public OracleCase givesAll(Function<Inputs, List<Doubles>> outputs) {
    return new OracleCase(program, rounds, fills, terms, within, outputs);
  }

  @Override
  public String toString() {
    return program;
  }
}
