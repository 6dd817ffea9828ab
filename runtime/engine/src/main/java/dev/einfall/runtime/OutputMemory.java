package dev.einfall.runtime;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.runtime.device.Device;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;

/// The memory of an output of a plan. That of tensors which are closed serves later runs: to free it stops all threads of the
/// process for a moment, or all that a device does, and new memory is zeroed and costs a page fault for every few kilobytes.
///
/// @param <M> what it is
final class OutputMemory<M> implements AutoCloseable {
  /// How many closed tensors leave their memory to later ones. A caller that holds many tensors does not leave all of it.
  private static final int MOST_IDLE = 4;

  /// What memory is, and how a tensor lies in it.
  private interface Kind<M> {
    M allocate();

    Tensor tensor(M memory, Consumer<M> closed);

    void free(M memory);
  }

  private record OnHost(ElementType type, long[] shape) implements Kind<Tensor.Memory> {
    @Override
    public Tensor.Memory allocate() {
      return Tensor.allocate(type, shape);
    }

    @Override
    public Tensor tensor(Tensor.Memory memory, Consumer<Tensor.Memory> closed) {
      return Tensor.in(memory, type, shape, closed);
    }

    @Override
    public void free(Tensor.Memory memory) {
      memory.free();
    }
  }

  private record OnDevice(Device device, ElementType type, long[] shape, String what) implements Kind<DeviceElements> {
    @Override
    public DeviceElements allocate() {
      return DeviceElements.allocate(device, type, shape, what);
    }

    @Override
    public Tensor tensor(DeviceElements memory, Consumer<DeviceElements> closed) {
      memory.renew();
      return Tensor.in(memory, closed);
    }

    @Override
    public void free(DeviceElements memory) {
      memory.free();
    }
  }

  private final Kind<M> kind;
  private final Deque<M> idle = new ArrayDeque<>();
  private boolean closed;

  private OutputMemory(Kind<M> kind) {
    this.kind = kind;
  }

  /// For tensors of the type and shape of `buffer` in the memory of this process.
  static OutputMemory<Tensor.Memory> onHost(Buffer buffer) {
    return new OutputMemory<>(new OnHost(buffer.type(), shape(buffer)));
  }

  /// For such in the memory of `device`.
  static OutputMemory<DeviceElements> onDevice(Buffer buffer, Device device) {
    return new OutputMemory<>(new OnDevice(device, buffer.type(), shape(buffer), buffer.toString()));
  }

  private static long[] shape(Buffer buffer) {
    return buffer.extents().stream().mapToLong(Integer::longValue).toArray();
  }

  /// A tensor whose elements are anything: the run stores all of them.
  ///
  /// @throws IllegalArgumentException when there is no memory
  /// @throws dev.einfall.runtime.device.DeviceException when a device has none
  Tensor tensor() {
    M memory = take();
    return kind.tensor(memory == null ? kind.allocate() : memory, this::give);
  }

  private synchronized M take() {
    return idle.pollFirst();
  }

  private void give(M memory) {
    if (!keeps(memory)) {
      kind.free(memory);
    }
  }

  private synchronized boolean keeps(M memory) {
    if (closed || idle.size() == MOST_IDLE) {
      return false;
    }
    idle.addFirst(memory);
    return true;
  }

  /// Frees what is idle now, and what is closed later. Tensors stay as they are.
  @Override
  public synchronized void close() {
    closed = true;
    idle.forEach(kind::free);
    idle.clear();
  }
}
