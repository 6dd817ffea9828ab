package dev.einfall.runtime.plans;

import dev.einfall.backends.c.CKernel;
import dev.einfall.backends.jvm.KernelCode;
import java.util.List;

/// The code of a kernel as it is kept.
public sealed interface StoredCode {

  /// The class of a kernel.
  record Bytecode(KernelCode code) implements StoredCode {}

  /// A function of a library.
  ///
  /// @param library the lines by which [PlanCache#findLibrary] knows it
  /// @param function without its text
  record Native(List<String> library, CKernel function) implements StoredCode {
    public Native {
      library = List.copyOf(library);
    }
  }
}
