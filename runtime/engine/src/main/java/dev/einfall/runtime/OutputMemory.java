package dev.einfall.runtime;

import dev.einfall.ir.loop.Buffer;
import java.util.ArrayDeque;
import java.util.Deque;

/// The memory of an output of a plan. That of tensors which are closed serves later runs: to free it stops all threads of the
/// process for a moment, and new memory is zeroed and costs a page fault for every few kilobytes.
final class OutputMemory implements AutoCloseable {
  /// How many closed tensors leave their memory to later ones. A caller that holds many tensors does not leave all of it.
  private static final int MOST_IDLE = 4;

  private final Buffer buffer;
  private final long[] shape;
  private final Deque<Tensor.Memory> idle = new ArrayDeque<>();
  private boolean closed;

  OutputMemory(Buffer buffer) {
    this.buffer = buffer;
    this.shape = buffer.extents().stream().mapToLong(Integer::longValue).toArray();
  }

  /// A tensor whose elements are anything: the run stores all of them.
  ///
  /// @throws IllegalArgumentException when there is no memory
  Tensor tensor() {
    Tensor.Memory memory = take();
    return Tensor.in(memory == null ? Tensor.allocate(buffer.type(), shape) : memory, buffer.type(), shape, this::give);
  }

  private synchronized Tensor.Memory take() {
    return idle.pollFirst();
  }

  private void give(Tensor.Memory memory) {
    if (!keeps(memory)) {
      memory.free();
    }
  }

  private synchronized boolean keeps(Tensor.Memory memory) {
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
    idle.forEach(Tensor.Memory::free);
    idle.clear();
  }
}
