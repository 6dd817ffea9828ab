package dev.einfall.runtime.plans;

import dev.einfall.runtime.tuning.Circumstances;
import dev.einfall.runtime.tuning.TextDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// All that the plan of a program and the code of its kernels depend on: the program, its sizes, what it is compiled for, how choices
/// are made, and by which compiler.
///
/// @param lines each a part, for people
public record PlanKey(List<String> lines) {
  /// Whatever changes how a plan is written down.
  private static final String FORMAT = "einfall plan 2";

  public PlanKey {
    lines = List.copyOf(lines);
  }

  /// @param build what tells this build of the compiler from others
  /// @param measured what choices follow besides the cost model, as text
  /// @param warmUp whether the kernels are checked when they are warm, which may give some another shape
  public static PlanKey of(String build, ProgramIdentity program, Map<String, Long> sizes, Circumstances circumstances, String measured,
      boolean warmUp) {
    List<String> lines = new ArrayList<>(List.of(
        FORMAT,
        "compiler " + build,
        "program " + program.name() + " " + new TreeMap<>(sizes) + " " + program.cascade(),
        "source " + program.sources()));
    lines.addAll(circumstances.lines());
    lines.add("speeds " + circumstances.options().target().speeds());
    lines.add("measured " + TextDigest.of(measured));
    lines.add("warm-up " + warmUp);
    return new PlanKey(lines);
  }

  /// Short, and another one for each key.
  String digest() {
    return TextDigest.ofLines(lines);
  }
}
