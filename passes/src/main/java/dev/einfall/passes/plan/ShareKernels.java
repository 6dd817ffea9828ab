package dev.einfall.passes.plan;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Pass;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// Launches one kernel for all that are equal but for names, so that a layer that occurs six times is compiled once.
///
/// ```
/// kernel a(X: f32[8], Y: f32[8]) { .. }
/// kernel b(T: f32[8], U: f32[8]) { .. }     =>     kernel a(X: f32[8], Y: f32[8]) { .. }
/// launch a(P, Q)                                   launch a(P, Q)
/// launch b(Q, R)                                   launch a(Q, R)
/// ```
public record ShareKernels() implements Pass.OnPlan {

  @Override
  public String name() {
    return "share-kernels";
  }

  @Override
  public KernelPlan apply(KernelPlan plan, Consumer<Diagnostic> remarks) {
    Map<String, Kernel> first = new HashMap<>();
    return new KernelPlan(plan.name(), plan.inputs(), plan.weights(), plan.constants(),
        shared(plan.setup(), first), shared(plan.launches(), first), plan.outputs(), plan.arena());
  }

  private static List<KernelPlan.Launch> shared(List<KernelPlan.Launch> launches, Map<String, Kernel> first) {
    return launches.stream().map(launch -> {
      Kernel kernel = first.computeIfAbsent(CanonicalKernel.text(launch.kernel()), _ -> launch.kernel());
      return kernel == launch.kernel() ? launch : new KernelPlan.Launch(kernel, launch.arguments());
    }).toList();
  }
}
