package dev.einfall.runtime.device;

/// A moment in a stream.
public final class DeviceEvent implements AutoCloseable {
  private static final double NANOSECONDS = 1e6;

  private final CudaDriver driver;
  private final long handle;

  public DeviceEvent(Device device) {
    this.driver = device.driver();
    this.handle = driver.out(CudaFunction.EVENT_CREATE, device.name(), place -> driver.li(CudaFunction.EVENT_CREATE, place, 0)).bits();
  }

  long handle() {
    return handle;
  }

  /// The nanoseconds from an earlier one to this one, to about 500, when the stream has come to both.
  public long nanosecondsSince(DeviceEvent earlier) {
    float milliseconds = driver.out(CudaFunction.EVENT_ELAPSED_TIME, "two events",
        place -> driver.lll(CudaFunction.EVENT_ELAPSED_TIME, place, earlier.handle, handle)).asFloat();
    return Math.round(milliseconds * NANOSECONDS);
  }

  @Override
  public void close() {
    driver.l(CudaFunction.EVENT_DESTROY, handle);
  }
}
