package dev.einfall.tests.cuda;

import dev.einfall.backends.c.CTarget;
import dev.einfall.backends.cuda.CudaTargets;
import dev.einfall.passes.Target;
import dev.einfall.runtime.nativecode.CTargets;

/// The GPU that tests write programs for.
public final class Gpu {
  private Gpu() {}

  /// What the backend knows of it.
  public static CTarget machine() {
    return CTargets.gpu(CudaTargets.USUAL);
  }

  /// What the passes know of it.
  public static Target target() {
    return Target.gpu(machine().sharedBytes()).withTiles(machine().tiles());
  }
}
