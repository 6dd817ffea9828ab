package dev.einfall.backends.cuda;

import dev.einfall.backends.c.CTarget;
import dev.einfall.backends.c.Dialect;
import dev.einfall.backends.c.Vocabulary;
import dev.einfall.ir.Lines;
import dev.einfall.ir.Names;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.ir.loop.Stmt;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// A program as one file of CUDA C++, which `nvcc` compiles for any GPU from sm_70 on, and a header for who calls it.
///
/// @param source the text of `NAME.cu`
/// @param header the text of `NAME.h`
/// @param weights the weights in the order in which they lie in `NAME.weights`, each at a multiple of 256 bytes
/// @param weightBytes how long that file is; there is none if this is 0
public record CudaFile(String source, String header, List<KernelPlan.Weight> weights, long weightBytes) {
  /// Each weight begins at a multiple of so many bytes.
  public static final int WEIGHT_ALIGNMENT = DeviceLayout.ALIGNMENT;
  /// All that CUDA has by the names of C.
  private static final CTarget TARGET = new CTarget("cuda", 4, 255, List.of(), List.of(), List.of(), Map.of(), Map.of(), List.of(), true);
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
      extern __shared__ __align__(16) unsigned char einfall_shared[];
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

  public CudaFile {
    weights = List.copyOf(weights);
  }

  /// @param name a word of C, which names the files and begins the names of all functions
  /// @param plan compiled for a GPU
  public static CudaFile of(KernelPlan plan, String name) {
    Vocabulary vocabulary = new Vocabulary(TARGET, CUDA);
    BlockReductions reductions = new BlockReductions(vocabulary);
    List<Stmt.Require> requirements = new ArrayList<>();
    Map<Kernel, CudaKernel> kernels = new IdentityHashMap<>();
    List<CudaKernel> written = new ArrayList<>();
    Names names = new Names(List.of());
    Stream.concat(plan.setup().stream(), plan.launches().stream()).map(KernelPlan.Launch::kernel).forEach(kernel -> {
      if (!kernels.containsKey(kernel) && !kernel.body().equals(Stmt.NOTHING)) {
        CudaKernel made = CudaKernel.of(kernel, "kernel_" + names.of(kernel, kernel.name()), vocabulary, reductions, true, check -> {
          requirements.add(check);
          return requirements.size();
        });
        kernels.put(kernel, made);
        written.add(made);
      }
    });
    EntryPoints entries = new EntryPoints(plan, name, kernels, requirements);
    StringBuilder text = new StringBuilder(entries.comment()).append(PRELUDE).append('\n');
    text.append("namespace ").append(name).append("_program {\n\n").append(FAULT).append('\n').append(requirements.isEmpty() ? "" : FAIL)
        .append(vocabulary.definitions()).append('\n').append(reductions.definitions());
    written.forEach(kernel -> text.append('\n').append(kernel.text()));
    // What follows comes from no program.
    text.append("\n#line ").append(text.chars().filter(c -> c == '\n').count() + 3).append(' ').append(Lines.quoted(name + ".cu")).append('\n');
    text.append(entries.text());
    return new CudaFile(text.toString(), entries.header(), plan.weights(), entries.layout().weightBytes());
  }
}
