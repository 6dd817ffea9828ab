package dev.einfall.runtime;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.backends.jvm.JvmBackend;
import dev.einfall.backends.jvm.Shape;
import dev.einfall.passes.Speeds;
import dev.einfall.runtime.nativecode.NativeBackend;
import dev.einfall.runtime.plans.StoredCode;
import dev.einfall.runtime.tuning.Evidence;
import dev.einfall.runtime.tuning.Host;
import dev.einfall.runtime.tuning.Question;
import java.util.Set;

/// What makes code of kernels.
sealed interface CodeMaker {

  /// Bytecode.
  ///
  /// @param speeds of a core, which code that is warm is compared with
  record Jvm(JvmBackend backend, Speeds speeds) implements CodeMaker {}

  /// Machine code by way of C.
  ///
  /// @param threads how many compilers run at the same time
  record Native(NativeBackend backend, int threads) implements CodeMaker {}

  /// Opens a workshop. The caller closes it.
  ///
  /// @param known the digests of kernels that need not be compiled again
  /// @param evidence what is known of the shapes of kernels
  default Workshop workshop(Set<String> known, Evidence evidence) {
    return switch (this) {
      case Jvm jvm -> new KernelWorkshop(jvm.backend, known, digest -> shape(digest, evidence),
          new SelfCheck(jvm.backend, jvm.speeds, Pace.measured(), SelfCheck.USUAL_PATIENCE));
      case Native compiled -> new NativeWorkshop(compiled.backend, known, compiled.threads);
    };
  }

  /// What the times of its code depend on.
  default Host host() {
    return switch (this) {
      case Jvm _ -> Host.here();
      case Native compiled -> Host.compilingBy(compiled.backend.identity());
    };
  }

  /// What is to be kept of a kernel that it has made.
  default StoredCode stored(CompiledKernel kernel) {
    return switch (this) {
      case Jvm _ -> new StoredCode.Bytecode(JvmBackend.code(kernel));
      case Native _ -> NativeBackend.stored(kernel);
    };
  }

  private static Shape shape(String digest, Evidence evidence) {
    return evidence.better(Question.ofShape(digest)).filter(Shape.SMALL.text()::equals).map(_ -> Shape.SMALL).orElse(Shape.USUAL);
  }
}
