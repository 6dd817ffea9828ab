package dev.einfall.passes;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import java.util.function.Consumer;

/// A rewrite of one level of the IR, or the step from one to the next. A pass is a record: its components are its
/// options, and its one method is pure but for the remarks it makes about what it declined.
public sealed interface Pass {

  /// The name by which `einfall opt` and the golden cases know the pass, such as `split-loops`.
  String name();

  /// The contract that the pass needs with its options: under [Numerics#STRICT] it leaves every bit of the results as it is.
  default Numerics needs() {
    return Numerics.STRICT;
  }

  /// What machines a pass makes programs for.
  enum Machines {
    ALL,
    /// It serves the caches, vectors and registers of a processor's cores, and would leave less for the threads of a GPU to share.
    PROCESSORS,
    /// It gives the blocks and threads of a GPU their work.
    GPUS;

    boolean include(Target target) {
      return this == ALL || target.isGpu() == (this == GPUS);
    }
  }

  /// What machines the pass is for: pipelines for others leave it out.
  default Machines machines() {
    return Machines.ALL;
  }

  /// Rewrites a cascade.
  non-sealed interface OnCascade extends Pass {
    Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks);

    /// Whether every size must be a number: a pass that counts elements cannot do with names.
    default boolean needsSizes() {
      return true;
    }
  }

  /// Rewrites a kernel.
  non-sealed interface OnKernel extends Pass {
    Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks);
  }

  /// Rewrites a plan.
  non-sealed interface OnPlan extends Pass {
    KernelPlan apply(KernelPlan plan, Consumer<Diagnostic> remarks);
  }

  /// Turns a cascade into a plan of kernels.
  non-sealed interface Lowering extends Pass {
    KernelPlan apply(Cascade cascade, Consumer<Diagnostic> remarks);
  }
}
