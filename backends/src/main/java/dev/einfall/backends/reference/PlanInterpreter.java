package dev.einfall.backends.reference;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.KernelPlan;
import java.util.LinkedHashMap;
import java.util.Map;

/// Runs the setup and the launches of a plan in order with [KernelInterpreter]. Every buffer has memory of its own; that
/// the arena's places do not clash is the verifier's concern.
public final class PlanInterpreter {
  private PlanInterpreter() {}

  /// The arrays of all buffers of `plan` after one run over `inputsAndWeights`, which are not changed.
  ///
  /// @throws IllegalArgumentException when an array is missing or its type or size does not fit
  /// @throws dev.einfall.backends.KernelFault when a `require` does not hold or an integer is divided by zero
  public static Map<Buffer, Array> run(KernelPlan plan, Map<Buffer, Array> inputsAndWeights) {
    Map<Buffer, Array> arrays = new LinkedHashMap<>();
    plan.inputs().forEach(buffer -> provide(buffer, inputsAndWeights, arrays));
    plan.weights().forEach(weight -> provide(weight.buffer(), inputsAndWeights, arrays));
    plan.constants().forEach(buffer -> allocate(buffer, arrays));
    plan.arena().placements().forEach(placement -> allocate(placement.buffer(), arrays));
    plan.outputs().forEach(output -> output.start().ifPresentOrElse(
        input -> arrays.put(output.buffer(), arrays.get(input).copy()), () -> allocate(output.buffer(), arrays)));
    plan.setup().forEach(launch -> run(launch, arrays));
    plan.launches().forEach(launch -> run(launch, arrays));
    return arrays;
  }

  private static void run(KernelPlan.Launch launch, Map<Buffer, Array> arrays) {
    KernelInterpreter.run(launch.kernel(), launch.arguments().stream().map(arrays::get).toList());
  }

  private static void provide(Buffer buffer, Map<Buffer, Array> given, Map<Buffer, Array> arrays) {
    arrays.put(buffer, KernelInterpreter.requireFit(buffer, given.get(buffer)));
  }

  private static void allocate(Buffer buffer, Map<Buffer, Array> arrays) {
    Array array = KernelInterpreter.newArray(buffer);
    array.poison();
    arrays.put(buffer, array);
  }
}
