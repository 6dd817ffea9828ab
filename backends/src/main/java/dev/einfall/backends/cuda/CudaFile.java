package dev.einfall.backends.cuda;

import dev.einfall.backends.c.CTarget;
import dev.einfall.ir.Lines;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import java.util.List;
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
  public CudaFile {
    weights = List.copyOf(weights);
  }

  /// @param name a word of C, which names the files and begins the names of all functions
  /// @param plan compiled for `target`
  /// @param target see [CudaTargets]
  public static CudaFile of(KernelPlan plan, String name, CTarget target) {
    List<Kernel> all = Stream.concat(plan.setup().stream(), plan.launches().stream()).map(KernelPlan.Launch::kernel).toList();
    CudaKernels kernels = CudaKernels.of(all, target, "static", true);
    EntryPoints entries = new EntryPoints(plan, name, target.name(), kernels.kernels(), kernels.requirements());
    StringBuilder text = new StringBuilder(entries.comment()).append(kernels.includes()).append('\n');
    text.append("namespace ").append(name).append("_program {\n\n").append(kernels.text());
    // What follows comes from no program.
    text.append("\n#line ").append(text.chars().filter(c -> c == '\n').count() + 3).append(' ').append(Lines.quoted(name + ".cu")).append('\n');
    text.append(entries.text());
    return new CudaFile(text.toString(), entries.header(), plan.weights(), entries.layout().weightBytes());
  }
}
