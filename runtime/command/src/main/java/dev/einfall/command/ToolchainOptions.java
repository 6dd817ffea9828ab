package dev.einfall.command;

import dev.einfall.backends.c.CTarget;
import dev.einfall.backends.cuda.CudaTargets;
import dev.einfall.passes.Target;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.device.CudaTools;
import dev.einfall.runtime.nativecode.Toolchain;
import java.util.Iterator;
import java.util.Optional;
import picocli.CommandLine.Option;

/// The options that choose a C compiler and the machine that it compiles for, and what is needed for GPUs.
final class ToolchainOptions {
  @Option(names = "--target", paramLabel = "NAME",
      completionCandidates = Targets.class,
      description = "The machine that code is for: ${COMPLETION-CANDIDATES}; this one if not given. For CUDA a compute capability; " + CudaTargets.USUAL
          + " if not given.")
  private Optional<String> target = Optional.empty();

  @Option(names = "--cc", paramLabel = "COMMAND", description = "The C compiler, gcc or clang; cc if not given.")
  private Optional<String> compiler = Optional.empty();

  @Option(names = "--nvcc", paramLabel = "COMMAND", description = "CUDA's compiler, for the backend cuda; nvcc if not given.")
  private Optional<String> nvcc = Optional.empty();

  @Option(names = "--cuda-driver", paramLabel = "LIBRARY", description = "The driver of GPUs, for the backend cuda; libcuda.so.1 if not given.")
  private Optional<String> driver = Optional.empty();

  @Option(names = "--device", paramLabel = "N", description = "Which GPU runs the backend cuda; 0, the first, if not given.")
  private int device;

  /// The targets that C can be for.
  private static final class Targets implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return CTarget.NAMES.iterator();
    }
  }

  /// `options` with the toolchain that was asked for.
  Options applied(Options options) {
    Toolchain usual = options.toolchain();
    Toolchain compiled = compiler.map(usual::withCompiler).orElse(usual);
    Toolchain targeted = target.map(compiled::withTarget).orElse(compiled);
    return options.withToolchain(targeted.withCuda(cuda(targeted.cuda())));
  }

  /// What the passes compile for: the machine that was named, or this one; a common one with vectors of `vectorBytes`, if that is not 0, so that the text
  /// is the same everywhere.
  Target target(int vectorBytes, int threads) {
    Options options = Options.defaults().withThreads(threads);
    if (target.isEmpty()) {
      return vectorBytes == 0 ? Einfall.target(options) : Target.of(vectorBytes, threads);
    }
    return Einfall.target(applied(options.withVectorBytes(vectorBytes).withBackend(isGpu() ? Options.Backend.CUDA : Options.Backend.C)));
  }

  /// Whether the machine that was named is a GPU.
  boolean isGpu() {
    return target.isPresent() && target.get().startsWith("sm_");
  }

  private CudaTools cuda(CudaTools usual) {
    if (device < 0) {
      throw new UserError("--device is " + device + ": expected at least 0");
    }
    CudaTools compiling = nvcc.map(usual::withNvcc).orElse(usual);
    return driver.map(compiling::withDriver).orElse(compiling).withDevice(device);
  }
}
