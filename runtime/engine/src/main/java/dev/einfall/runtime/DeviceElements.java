package dev.einfall.runtime;

import dev.einfall.ir.ElementType;
import dev.einfall.runtime.device.Device;
import dev.einfall.runtime.device.DeviceMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/// The elements of a tensor in the memory of a device, until somebody asks for them in that of the host: then they are copied there, and what the
/// device has is not used any more, as others may change the copy.
final class DeviceElements implements Elements {
  private final DeviceMemory memory;
  private final ElementType type;
  private final long[] shape;
  private final String what;
  /// Memory for them on the host, once they were there.
  private Optional<Tensor.Memory> host = Optional.empty();
  private boolean isOnHost;

  /// @param what the tensor, for errors
  DeviceElements(DeviceMemory memory, ElementType type, long[] shape, String what) {
    this.memory = memory;
    this.type = type;
    this.shape = shape;
    this.what = what;
  }

  /// Those of a new tensor, which are anything.
  static DeviceElements allocate(Device device, ElementType type, long[] shape, String what) {
    return new DeviceElements(device.allocate(Tensor.bytes(type, shape), what), type, shape, what);
  }

  ElementType type() {
    return type;
  }

  long[] shape() {
    return shape;
  }

  @Override
  public synchronized MemorySegment data() {
    if (host.isEmpty()) {
      host = Optional.of(Tensor.allocate(type, shape));
    }
    MemorySegment data = host.get().data();
    if (!isOnHost) {
      memory.device().read(memory, data, what);
      isOnHost = true;
    }
    return data;
  }

  @Override
  public synchronized <T> T read(Function<MemorySegment, T> reader) {
    if (isOnHost) {
      return reader.apply(host.orElseThrow().data());
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment copy = arena.allocate(memory.bytes(), Long.BYTES);
      memory.device().read(memory, copy, what);
      return reader.apply(copy);
    }
  }

  /// Makes them those at `from`, on the host.
  void write(MemorySegment from) {
    memory.device().write(from, memory, what);
  }

  /// Where they are for `device`; empty if they are not in its memory.
  synchronized OptionalLong address(Device device) {
    return isOnHost || !memory.device().sharesMemoryWith(device) ? OptionalLong.empty() : OptionalLong.of(memory.address());
  }

  /// Whether the device has them.
  synchronized boolean isOnDevice() {
    return !isOnHost;
  }

  /// Makes them those of another tensor, which are anything.
  synchronized void renew() {
    isOnHost = false;
  }

  /// Frees all memory. Comes once.
  synchronized void free() {
    memory.close();
    host.ifPresent(Tensor.Memory::free);
  }
}
