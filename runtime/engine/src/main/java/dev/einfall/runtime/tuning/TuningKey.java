package dev.einfall.runtime.tuning;

import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/// All that a measured time depends on: the program, what it is compiled for, and what runs it. Whatever differs in any of these has
/// a record of its own.
///
/// @param lines each a part, for people
public record TuningKey(List<String> lines) {
  /// Whatever changes what a record means.
  private static final String FORMAT = "einfall tuning 1";
  private static final int DIGITS = 32;

  public TuningKey {
    lines = List.copyOf(lines);
  }

  /// @param bound a cascade with numbers for all sizes
  public static TuningKey of(Cascade bound, Map<String, Long> sizes, PipelineOptions options, Host host) {
    Target target = options.target();
    return new TuningKey(List.of(
        FORMAT,
        "program " + bound.name() + " " + new TreeMap<>(sizes) + " " + TextDigest.of(CascadePrinter.print(bound)),
        "target vectors of " + target.vectorBytes() + " bytes, " + target.registers() + " registers, " + target.threads()
            + " threads, caches of " + target.l1Bytes() + ", " + target.l2Bytes() + " and " + target.l3Bytes() + " bytes",
        "numerics " + options.numerics(),
        "without " + new TreeSet<>(options.without()),
        "forced " + new TreeMap<>(options.decisions().forced()),
        "jdk " + host.jdk(),
        "processor " + host.processor()));
  }

  /// Short, and another one for each key.
  public String digest() {
    return TextDigest.of(String.join("\n", lines)).substring(0, DIGITS);
  }
}
