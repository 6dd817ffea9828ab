package dev.einfall.backends.c;

import dev.einfall.ir.Names;
import dev.einfall.ir.loop.Kernel;
import java.util.ArrayList;
import java.util.List;

/// Kernels as one file of C.
///
/// @param kernels what is in it, in order
public record CFile(String text, List<CKernel> kernels) {

  /// The headers that all files need.
  static final String HEADERS = """
      #include <math.h>
      #include <stdbool.h>
      #include <stdint.h>
      #include <string.h>
      """;

  /// What makes compilers round each operation, as the loops say, and not products and sums together; and what keeps gcc from warning that vectors
  /// wider than a register are passed in another way to other files: they are passed to none.
  static final String PRAGMAS = """
      #if defined(__clang__)
      #pragma STDC FP_CONTRACT OFF
      #elif defined(__GNUC__)
      #pragma GCC diagnostic ignored "-Wpsabi"
      #endif
      """;

  public CFile {
    kernels = List.copyOf(kernels);
  }

  /// `kernels` as functions that others call: of a library.
  public static CFile ofKernels(List<Kernel> kernels, CTarget target) {
    Vocabulary vocabulary = new Vocabulary(target, Dialect.C);
    Names names = new Names(List.of());
    List<CKernel> written = new ArrayList<>();
    for (Kernel kernel : kernels) {
      written.add(KernelText.write(kernel, "kernel_" + names.of(kernel, kernel.name()), vocabulary, false, true));
    }
    StringBuilder text = new StringBuilder(HEADERS);
    target.includes().forEach(include -> text.append("#include ").append(include).append('\n'));
    text.append('\n').append(PRAGMAS).append('\n').append(KernelText.DECLARATIONS).append('\n').append(vocabulary.definitions());
    written.forEach(kernel -> text.append('\n').append(kernel.text()));
    return new CFile(text.toString(), written);
  }
}
