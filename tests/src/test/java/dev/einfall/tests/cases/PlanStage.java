package dev.einfall.tests.cases;

import dev.einfall.backends.reference.Array;
import dev.einfall.backends.reference.PlanInterpreter;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Source;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.ir.loop.LoopPrinter;
import dev.einfall.ir.loop.PlanVerifier;
import dev.einfall.passes.Pass;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.function.Consumer;

/// Kernels and a plan that launches them, in a case.
record PlanStage(KernelPlan plan) implements Stage {

  @Override
  public String text() {
    return LoopPrinter.print(plan);
  }

  @Override
  public String textReadBack() {
    return LoopStages.read(new Source("printed.loop", text())).text();
  }

  @Override
  public void verify() {
    PlanVerifier.verify(plan);
  }

  @Override
  public Stage apply(Pass pass, Consumer<Diagnostic> remarks) {
    return switch (pass) {
      case Pass.OnPlan onPlan -> new PlanStage(onPlan.apply(plan, remarks));
      case Pass.OnKernel onKernel -> applyToKernels(onKernel, remarks);
      case Pass.OnCascade _, Pass.Lowering _ -> throw Stage.misplaced(pass, "a plan");
    };
  }

  private PlanStage applyToKernels(Pass.OnKernel pass, Consumer<Diagnostic> remarks) {
    Map<Kernel, Kernel> changed = new IdentityHashMap<>();
    List<KernelPlan.Launch> setup = applyTo(plan.setup(), pass, remarks, changed);
    List<KernelPlan.Launch> launches = applyTo(plan.launches(), pass, remarks, changed);
    return new PlanStage(new KernelPlan(plan.name(), plan.inputs(), plan.weights(), plan.constants(), setup, launches,
        plan.outputs(), plan.arena()));
  }

  private static List<KernelPlan.Launch> applyTo(
      List<KernelPlan.Launch> launches, Pass.OnKernel pass, Consumer<Diagnostic> remarks, Map<Kernel, Kernel> changed) {
    return launches.stream().map(launch -> new KernelPlan.Launch(
        changed.computeIfAbsent(launch.kernel(), kernel -> pass.apply(kernel, remarks)), launch.arguments())).toList();
  }

  @Override
  public Map<String, Array> randomInputs(SortedMap<String, Long> sizes) {
    Map<String, Array> inputs = new LinkedHashMap<>();
    buffers().forEach((name, buffer) -> inputs.put(name, Stage.randomInput(inputs, buffer.type(), shape(buffer))));
    return inputs;
  }

  private Map<String, Buffer> buffers() {
    Map<String, Buffer> buffers = new LinkedHashMap<>();
    plan.inputs().forEach(buffer -> buffers.put("input " + buffers.size(), buffer));
    plan.weights().forEach(weight -> buffers.put("weight " + weight.key(), weight.buffer()));
    return buffers;
  }

  static int[] shape(Buffer buffer) {
    return buffer.extents().stream().mapToInt(Integer::intValue).toArray();
  }

  @Override
  public Map<String, Array> run(Map<String, Array> inputs) {
    Map<Buffer, Array> arrays = new LinkedHashMap<>();
    buffers().forEach((name, buffer) -> arrays.put(buffer, inputs.get(name)));
    Map<Buffer, Array> results = PlanInterpreter.run(plan, arrays);
    Map<String, Array> outputs = new LinkedHashMap<>();
    plan.outputs().forEach(output -> outputs.put("output " + output.name(), results.get(output.buffer())));
    return outputs;
  }
}
