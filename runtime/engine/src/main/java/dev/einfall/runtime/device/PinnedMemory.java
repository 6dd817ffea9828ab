package dev.einfall.runtime.device;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

/// Memory of the host that stays where it is, so that a device copies from and to it by itself.
public final class PinnedMemory implements AutoCloseable {
  private final Device device;
  private final MemorySegment data;
  private final AtomicBoolean isFree = new AtomicBoolean();

  @SuppressWarnings("restricted") // The driver gave so much.
  PinnedMemory(Device device, long address, long bytes) {
    this.device = device;
    this.data = MemorySegment.ofAddress(address).reinterpret(bytes);
    data.fill((byte) 0);
    device.hold();
  }

  /// Its bytes, until it is freed.
  public MemorySegment data() {
    return data;
  }

  /// Frees it. A second call does nothing.
  @Override
  public void close() {
    if (!isFree.getAndSet(true)) {
      device.unpin(this);
    }
  }
}
