package dev.einfall.runtime.device;

import dev.einfall.backends.cuda.CudaKernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Machine code on a device.
public final class DeviceModule implements AutoCloseable {
  private static final int LOG_BYTES = 8192;
  private static final int ERROR_LOG = 5;
  private static final int ERROR_LOG_BYTES = 6;
  private static final int DYNAMIC_SHARED_BYTES = 8;
  /// What a kernel gets without asking for it.
  private static final long USUAL_SHARED_BYTES = 48 << 10;

  private final Device device;
  private final CudaDriver driver;
  private final long handle;

  private DeviceModule(Device device, long handle) {
    this.device = device;
    this.driver = device.driver();
    this.handle = handle;
    device.hold();
  }

  /// Loads what a compiler made for the device's architecture. The caller closes it.
  ///
  /// @param compiler what made it, for errors
  /// @throws DeviceException with what the driver says
  static DeviceModule load(Device device, byte[] image, String compiler) {
    CudaDriver driver = device.driver();
    try (Arena arena = Arena.ofConfined()) {
      // It ends in a zero if it is text.
      MemorySegment code = arena.allocate(image.length + 1L, Long.BYTES);
      MemorySegment.copy(image, 0, code, ValueLayout.JAVA_BYTE, 0, image.length);
      MemorySegment log = arena.allocate(LOG_BYTES);
      MemorySegment options = arena.allocateFrom(ValueLayout.JAVA_INT, ERROR_LOG, ERROR_LOG_BYTES);
      MemorySegment values = arena.allocateFrom(ValueLayout.JAVA_LONG, log.address(), LOG_BYTES);
      MemorySegment place = arena.allocate(ValueLayout.JAVA_LONG);
      device.run(() -> {
        int result = driver.llill(CudaFunction.MODULE_LOAD, place.address(), code.address(), 2, options.address(), values.address());
        String said = log.getString(0).strip();
        driver.check(CudaFunction.MODULE_LOAD, result, "code for " + device, ", which " + compiler + " made; the driver is for CUDA "
            + device.driverVersion() + (said.isEmpty() ? "" : " and says: " + said));
      });
      return new DeviceModule(device, place.get(ValueLayout.JAVA_LONG, 0));
    }
  }

  /// The kernel that is compiled from `text`.
  ///
  /// @param name what the program calls it
  /// @throws DeviceException when there is none, or the device has less memory for its blocks
  public DeviceKernel kernel(CudaKernel text, String name) {
    return device.with(() -> {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment symbol = arena.allocateFrom(text.name());
        long function = driver.out(CudaFunction.MODULE_GET_FUNCTION, "kernel " + name,
            place -> driver.lll(CudaFunction.MODULE_GET_FUNCTION, place, handle, symbol.address())).bits();
        int shared = Math.toIntExact(text.sharedBytes());
        if (shared > USUAL_SHARED_BYTES) {
          driver.check(CudaFunction.FUNCTION_SET_ATTRIBUTE, driver.lii(CudaFunction.FUNCTION_SET_ATTRIBUTE, function, DYNAMIC_SHARED_BYTES, shared),
              "kernel " + name + " to " + Bytes.text(shared) + " for a block");
        }
        return new DeviceKernel(name, function, Math.toIntExact(text.blocks()), text.threads(), shared);
      }
    });
  }

  /// Unloads it, when nothing of it runs any more.
  @Override
  public void close() {
    device.run(() -> driver.l(CudaFunction.MODULE_UNLOAD, handle));
    device.letGo();
  }
}
