package dev.einfall.runtime.device;

import java.util.List;

/// What the backend `CUDA` needs of this machine.
///
/// @param nvcc the command that runs CUDA's compiler
/// @param driver the name or the path of the driver's library
/// @param device which of the devices that the driver sees, from 0 on
/// @param flags more for the compiler
public record CudaTools(String nvcc, String driver, int device, List<String> flags) {

  public CudaTools {
    flags = List.copyOf(flags);
    if (device < 0) {
      throw new IllegalArgumentException("the number of a device is at least 0, and not " + device);
    }
  }

  /// What CUDA is called where it is installed, and the first device.
  public static CudaTools usual() {
    return new CudaTools("nvcc", "libcuda.so.1", 0, List.of());
  }

  public CudaTools withNvcc(String newNvcc) {
    return new CudaTools(newNvcc, driver, device, flags);
  }

  public CudaTools withDriver(String newDriver) {
    return new CudaTools(nvcc, newDriver, device, flags);
  }

  public CudaTools withDevice(int newDevice) {
    return new CudaTools(nvcc, driver, newDevice, flags);
  }

  public CudaTools withFlags(List<String> newFlags) {
    return new CudaTools(nvcc, driver, device, newFlags);
  }
}
