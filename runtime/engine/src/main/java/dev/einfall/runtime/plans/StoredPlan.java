package dev.einfall.runtime.plans;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.KernelPlan;
import java.util.List;

/// A compiled program as it is kept: all but the values of its weights and of what its setup makes of them.
///
/// @param frame the plan without its launches
/// @param kernels each once, in the order in which they became ready
public record StoredPlan(KernelPlan frame, List<StoredKernel> kernels, List<Call> setup, List<Call> launches) {

  /// A launch of kernel `kernel` of the plan.
  public record Call(int kernel, List<Buffer> arguments) {}
}
