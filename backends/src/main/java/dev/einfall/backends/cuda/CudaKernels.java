package dev.einfall.backends.cuda;

import dev.einfall.backends.c.CTarget;
import dev.einfall.backends.c.Dialect;
import dev.einfall.backends.c.Vocabulary;
import dev.einfall.ir.Names;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// Kernels as CUDA C++, which share what they call.
///
/// Each is a function of its parameters, of scratch memory of the device for all blocks, and of a [Fault][#FAULT_BYTES], which is zero before.
///
/// @param includes what is included
/// @param text all that stands after that
/// @param kernels the functions; a kernel that does nothing has none
/// @param requirements what may be found not to hold, by its number less 1
public record CudaKernels(String includes, String text, Map<Kernel, CudaKernel> kernels, List<Stmt.Require> requirements) {
  /// A fault in the device's memory: its number, of four bytes, which is 0 where there is none; and from byte 8 on the value at fault as an integer,
  /// and from byte 16 on as a real number, of which kernels set one.
  public static final int FAULT_BYTES = 24;

  private static final Dialect CUDA = new Dialect("static __device__ __forceinline__", "__restrict__");

  private static final String PRELUDE = """
      #include <cuda_pipeline.h>
      #include <cuda_runtime.h>

      #include <math.h>
      #include <stdbool.h>
      #include <stdint.h>
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>

      // The memory that the threads of a block share.
      extern __shared__ __align__(128) unsigned char einfall_shared[];
      """;

  private static final String FAULT = """
      // The first requirement that did not hold: its number, from 1 on, and the value at fault, of which kernels set one.
      struct Fault {
        int32_t number;
        int64_t integer;
        double real;
      };
      """;

  private static final String FAIL = """
      static __device__ __forceinline__ void fail(Fault *fault, int32_t number, int64_t integer, double real) {
        if (atomicCAS(&fault->number, 0, number) == 0) {
          fault->integer = integer;
          fault->real = real;
        }
      }

      """;

  public CudaKernels {
    requirements = List.copyOf(requirements);
  }

  /// Functions that are found by their names once they are compiled.
  ///
  /// @param kernels compiled for `target`; may hold one several times
  /// @param target see [CudaTargets]
  public static CudaKernels of(List<Kernel> kernels, CTarget target) {
    return of(kernels, target, "extern \"C\"", false);
  }

  /// @param linkage who may call them
  /// @param hasLines whether lines of the source are named
  static CudaKernels of(List<Kernel> kernels, CTarget target, String linkage, boolean hasLines) {
    Vocabulary vocabulary = new Vocabulary(target, CUDA);
    TileInstructions tiles = new TileInstructions(target);
    BlockReductions reductions = new BlockReductions(vocabulary);
    List<Stmt.Require> requirements = new ArrayList<>();
    Map<Kernel, CudaKernel> made = new IdentityHashMap<>();
    Names names = new Names(List.of());
    StringBuilder functions = new StringBuilder();
    for (Kernel kernel : kernels) {
      if (!made.containsKey(kernel) && !kernel.body().equals(Stmt.NOTHING)) {
        CudaKernel function = CudaKernel.of(kernel, "kernel_" + names.of(kernel, kernel.name()), vocabulary, reductions, tiles, linkage, hasLines, check -> {
          requirements.add(check);
          return requirements.size();
        });
        made.put(kernel, function);
        functions.append('\n').append(function.texts());
      }
    }
    String text = FAULT + "\n" + (requirements.isEmpty() ? "" : FAIL) + vocabulary.definitions() + "\n" + reductions.definitions() + "\n" + tiles.definitions() + functions;
    return new CudaKernels(tiles.includes() + PRELUDE, text, made, requirements);
  }

  /// A file that `nvcc -fmad=false` compiles: what is to be rounded once is written as `fma`, and nothing else is.
  public String source() {
    return includes + "\n" + text;
  }
}
