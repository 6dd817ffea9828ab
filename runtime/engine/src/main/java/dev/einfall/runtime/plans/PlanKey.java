package dev.einfall.runtime.plans;

import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.runtime.tuning.Circumstances;
import dev.einfall.runtime.tuning.TextDigest;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/// All that the plan of a program and the code of its kernels depend on: the program, its sizes, what it is compiled for, how choices
/// are made, and by which compiler.
///
/// @param lines each a part, for people
public record PlanKey(List<String> lines) {
  /// Whatever changes how a plan is written down.
  private static final String FORMAT = "einfall plan 1";

  public PlanKey {
    lines = List.copyOf(lines);
  }

  /// @param build what tells this build of the compiler from others
  /// @param measured what choices follow besides the cost model, as text
  /// @param warmUp whether the kernels are checked when they are warm, which may give some another shape
  public static PlanKey of(String build, Cascade cascade, Map<String, Long> sizes, Circumstances circumstances, String measured, boolean warmUp) {
    List<String> lines = new ArrayList<>(List.of(
        FORMAT,
        "compiler " + build,
        "program " + cascade.name() + " " + new TreeMap<>(sizes) + " " + TextDigest.of(CascadePrinter.print(cascade)),
        "source " + sources(cascade)));
    lines.addAll(circumstances.lines());
    lines.add("speeds " + circumstances.options().target().speeds());
    lines.add("measured " + TextDigest.of(measured));
    lines.add("warm-up " + warmUp);
    return new PlanKey(lines);
  }

  /// Code holds the places of what it computes, for the messages about wrong values and for stack traces.
  private static String sources(Cascade cascade) {
    Set<Source> sources = new LinkedHashSet<>();
    Stream<Tensor> tensors = Stream.of(cascade.inputs().stream(), cascade.weights().stream().map(Cascade.Weight::tensor),
        cascade.definitions().stream().flatMap(definition -> definition.tensors().stream())).flatMap(all -> all);
    tensors.forEach(tensor -> sources.add(tensor.span().source()));
    StringBuilder text = new StringBuilder();
    sources.forEach(source -> text.append(source.name()).append('\n').append(source.text()).append('\n'));
    return TextDigest.of(text.toString());
  }

  /// Short, and another one for each key.
  String digest() {
    return TextDigest.ofLines(lines);
  }
}
