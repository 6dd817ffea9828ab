package dev.einfall.runtime.device;

/// A call of a device's driver failed while a program ran or got its memory, such as
/// `CUDA_ERROR_OUT_OF_MEMORY (out of memory) in cuMemAlloc of 3.1 GB for the arena`.
public final class DeviceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String error;

  /// @param error the driver's name of it
  /// @param message that name, what it means, the call, and what the call was about
  DeviceException(String error, String message) {
    super(message);
    this.error = error;
  }

  /// The driver's name of what went wrong, such as `CUDA_ERROR_OUT_OF_MEMORY`.
  public String error() {
    return error;
  }
}
