package dev.einfall.runtime;

import dev.einfall.ir.loop.Kernel;
import dev.einfall.passes.plan.CanonicalKernel;
import dev.einfall.runtime.tuning.TextDigest;

/// Digests that are short and equal for equal kernels.
final class KernelDigest {
  private KernelDigest() {}

  /// The same for kernels that do the same to their parameters, such as those of the equal layers of a network.
  static String of(Kernel kernel) {
    return TextDigest.of(CanonicalKernel.text(kernel));
  }
}
