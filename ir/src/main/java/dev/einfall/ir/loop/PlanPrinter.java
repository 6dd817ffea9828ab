package dev.einfall.ir.loop;

import dev.einfall.ir.Lines;
import dev.einfall.ir.Names;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Prints a plan without its kernels: buffers, then launches.
final class PlanPrinter {
  private final Names kernelNames;
  private final Names names;
  private final Lines lines = new Lines();

  private PlanPrinter(Names kernelNames, Names names) {
    this.kernelNames = kernelNames;
    this.names = names;
  }

  /// The kernels of the plan in the order of their first launch.
  static List<Kernel> kernels(KernelPlan plan) {
    Set<Kernel> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    return Stream.concat(plan.setup().stream(), plan.launches().stream())
        .map(KernelPlan.Launch::kernel)
        .filter(seen::add)
        .toList();
  }

  static String print(KernelPlan plan, Names kernelNames, Names names) {
    PlanPrinter printer = new PlanPrinter(kernelNames, names);
    String name = new Names(List.of()).of(plan, plan.name());
    printer.lines.block("plan " + name, () -> printer.body(plan));
    return printer.lines.toString();
  }

  private void body(KernelPlan plan) {
    plan.inputs().forEach(buffer -> lines.add("input " + declaration(buffer)));
    plan.weights().forEach(weight ->
        lines.add("weight " + declaration(weight.buffer()) + " = " + Lines.quoted(weight.key())));
    plan.constants().forEach(buffer -> lines.add("constant " + declaration(buffer)));
    plan.outputs().forEach(output ->
        lines.add("output " + declaration(output.buffer()) + " = " + Lines.quoted(output.name())
            + output.start().map(input -> " from " + LoopPrinter.name(input, names)).orElse("")));
    plan.arena().placements().forEach(placement ->
        lines.add("buffer " + declaration(placement.buffer()) + " at " + placement.offset()));
    lines.add("arena " + plan.arena().bytes());
    plan.setup().forEach(launch -> lines.add("setup " + launch(launch)));
    plan.launches().forEach(launch -> lines.add("launch " + launch(launch)));
  }

  private String declaration(Buffer buffer) {
    return LoopPrinter.declaration(buffer, names);
  }

  private String launch(KernelPlan.Launch launch) {
    String arguments = launch.arguments().stream()
        .map(buffer -> LoopPrinter.name(buffer, names))
        .collect(Collectors.joining(", "));
    return kernelNames.of(launch.kernel(), launch.kernel().name()) + "(" + arguments + ")";
  }
}
