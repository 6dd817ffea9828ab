package dev.einfall.runtime.nativecode;

import dev.einfall.backends.c.CTarget;
import dev.einfall.backends.cuda.CudaTargets;
import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import java.util.Optional;
import java.util.Set;

/// The machines that the backends for C and CUDA know, with what their instructions mean, which is said in the language.
public final class CTargets {
  private CTargets() {}

  /// The target of this name.
  ///
  /// @throws dev.einfall.ir.CompileException when there is none
  public static CTarget named(String name) {
    return CTarget.named(name, CTargets::read);
  }

  /// The best target of those whose needs are among the macros of a compiler.
  ///
  /// @param mayUseTiles whether it may have registers for tiles
  public static CTarget best(Set<String> macros, boolean mayUseTiles) {
    return CTarget.best(macros, mayUseTiles, CTargets::read);
  }

  /// The GPU that `name` says, such as `sm_80`.
  ///
  /// @throws dev.einfall.ir.CompileException when there is none
  public static CTarget gpu(String name) {
    return CudaTargets.named(name, CTargets::read);
  }

  private static Cascade read(String meaning) {
    return EinReader.read(new Source("the meaning of an instruction", meaning), Optional.empty()).cascade();
  }
}
