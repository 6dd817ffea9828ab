package dev.einfall.runtime.device;

import dev.einfall.backends.cuda.CudaKernels;
import dev.einfall.runtime.plans.PlanCache;
import dev.einfall.runtime.tuning.TextDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Turns kernels into machine code of a device: writes them as CUDA C++ and has `nvcc` compile them.
///
/// @param flags more for the compiler
/// @param cache where machine code is kept, so that no compiler runs the next time; empty to keep none
public record CudaBackend(Nvcc compiler, Device device, List<String> flags, Optional<PlanCache> cache) {
  private static final String FORMAT = "einfall cubin 1";

  public CudaBackend {
    flags = List.copyOf(flags);
  }

  /// The compiler and the device that `tools` name. The caller closes the device.
  ///
  /// @throws dev.einfall.ir.CompileException when one is missing
  public static CudaBackend of(CudaTools tools, Optional<PlanCache> cache) {
    Device device = Device.open(tools);
    try {
      return new CudaBackend(Nvcc.require(tools.nvcc()), device, tools.flags(), cache);
    } catch (RuntimeException e) {
      device.close();
      throw e;
    }
  }

  /// The kernels, loaded. The caller closes the module.
  public DeviceModule load(CudaKernels kernels) {
    String source = kernels.source();
    List<String> key = new ArrayList<>(List.of(FORMAT));
    key.addAll(compiler.identity(device.architecture(), flags));
    key.add("source " + TextDigest.of(source));
    Optional<byte[]> kept = cache.flatMap(directory -> directory.findLibrary(key));
    byte[] code = kept.orElseGet(() -> {
      byte[] made = compiler.cubin(source, device.architecture(), flags);
      cache.ifPresent(directory -> directory.keepLibrary(key, made));
      return made;
    });
    return DeviceModule.load(device, code, compiler.toString());
  }
}
