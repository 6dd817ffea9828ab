package dev.einfall.runtime;

import dev.einfall.ir.loop.Buffer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/// What one run of a plan has for itself: memory for intermediate buffers and scratch, and the addresses that each launch is
/// called with. Runs take turns with it; only the addresses of inputs and outputs change between them.
final class RunMemory implements AutoCloseable {

  /// Where the address of `buffer` stands: argument `argument` of launch `launch`.
  private record Slot(int launch, int argument, Buffer buffer) {}

  private final Arena arena = Arena.ofShared();
  private final long[][] addresses;
  private final List<Slot> slots = new ArrayList<>();
  private final long scratch;
  private final long scratchStride;
  private final int threads;

  /// Memory for calls of `launches` by up to `threads` threads at the same time.
  ///
  /// @param fixed the addresses of weights and constants
  /// @param arenaBytes the size of the memory for intermediate buffers
  /// @param placements where in that memory each lies
  /// @param scratchBytes the scratch memory that a thread needs
  RunMemory(List<List<Buffer>> launches, Map<Buffer, Long> fixed, long arenaBytes, Map<Buffer, Long> placements,
      long scratchBytes, int threads) {
    this.threads = threads;
    MemorySegment intermediate = LargePages.allocate(arena, arenaBytes);
    this.scratchStride = (scratchBytes + Tensor.ALIGNMENT - 1) / Tensor.ALIGNMENT * Tensor.ALIGNMENT;
    this.scratch = LargePages.allocate(arena, scratchStride * threads).address();
    Map<Buffer, Long> known = new IdentityHashMap<>(fixed);
    placements.forEach((buffer, offset) -> known.put(buffer, intermediate.address() + offset));
    this.addresses = new long[launches.size()][];
    for (int i = 0; i < launches.size(); i++) {
      addresses[i] = addresses(i, launches.get(i), known);
    }
  }

  private long[] addresses(int launch, List<Buffer> arguments, Map<Buffer, Long> known) {
    long[] result = new long[arguments.size()];
    for (int i = 0; i < result.length; i++) {
      Long address = known.get(arguments.get(i));
      if (address == null) {
        slots.add(new Slot(launch, i, arguments.get(i)));
      } else {
        result[i] = address;
      }
    }
    return result;
  }

  /// Sets the addresses of the buffers that change from run to run.
  void place(Map<Buffer, Tensor> tensors) {
    for (Slot slot : slots) {
      addresses[slot.launch][slot.argument] = tensors.get(slot.buffer).acquired().address();
    }
  }

  /// The addresses for launch `launch`, in order of its arguments.
  long[] addresses(int launch) {
    return addresses[launch];
  }

  /// The scratch memory of thread `member`: what one task leaves in a cache, the next finds there.
  long scratch(int member) {
    return scratch + scratchStride * member;
  }

  /// The scratch memory of each thread.
  long[] scratch() {
    return LongStream.range(0, threads).map(member -> scratch((int) member)).toArray();
  }

  @Override
  public void close() {
    arena.close();
  }
}
