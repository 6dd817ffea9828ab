package dev.einfall.backends.reference;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.KernelPlan;
import java.util.Map;

/// Runs the launches of a plan.
public final class PlanInterpreter {
  private PlanInterpreter() {}

  public static Map<Buffer, Array> run(KernelPlan plan, Map<Buffer, Array> inputsAndWeights) {
    throw new UnsupportedOperationException();
  }
}
