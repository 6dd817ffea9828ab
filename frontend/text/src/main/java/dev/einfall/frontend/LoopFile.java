package dev.einfall.frontend;

import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import java.util.List;
import java.util.Optional;

/// What a file of loop text holds: kernels, and the plan that launches them if it has one.
public record LoopFile(List<Kernel> kernels, Optional<KernelPlan> plan) {
  public LoopFile {
    kernels = List.copyOf(kernels);
  }
}
