package dev.einfall.runtime.tuning;

import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// All that a measured time depends on: the program, what it is compiled for, and what runs it. Whatever differs in any of these has
/// a record of its own.
///
/// @param lines each a part, for people
public record TuningKey(List<String> lines) {
  /// Whatever changes what a record means.
  private static final String FORMAT = "einfall tuning 1";

  public TuningKey {
    lines = List.copyOf(lines);
  }

  /// @param bound a cascade with numbers for all sizes
  public static TuningKey of(Cascade bound, Map<String, Long> sizes, Circumstances circumstances) {
    List<String> lines = new ArrayList<>(List.of(
        FORMAT,
        "program " + bound.name() + " " + new TreeMap<>(sizes) + " " + TextDigest.of(CascadePrinter.print(bound))));
    lines.addAll(circumstances.lines());
    return new TuningKey(lines);
  }

  /// Short, and another one for each key.
  public String digest() {
    return TextDigest.ofLines(lines);
  }
}
