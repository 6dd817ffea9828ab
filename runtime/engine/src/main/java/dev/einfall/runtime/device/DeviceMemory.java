package dev.einfall.runtime.device;

import java.util.concurrent.atomic.AtomicBoolean;

/// Memory of a device.
public final class DeviceMemory implements AutoCloseable {
  private final Device device;
  private final long address;
  private final long bytes;
  private final AtomicBoolean isFree = new AtomicBoolean();

  DeviceMemory(Device device, long address, long bytes) {
    this.device = device;
    this.address = address;
    this.bytes = bytes;
    device.hold();
  }

  public Device device() {
    return device;
  }

  /// Where it begins, for the device.
  public long address() {
    return address;
  }

  public long bytes() {
    return bytes;
  }

  /// Frees it. A second call does nothing.
  @Override
  public void close() {
    if (!isFree.getAndSet(true)) {
      device.free(this);
    }
  }
}
