package dev.einfall.runtime.launch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/// What one run of a plan has for itself: memory for intermediate buffers and scratch, and the addresses that each launch is
/// called with. Runs take turns with it; only the addresses of inputs and outputs change between them.
public final class RunMemory implements AutoCloseable {

  /// Where the address of buffer `buffer` stands: argument `argument` of launch `launch`.
  private record Slot(int launch, int argument, int buffer) {}

  private final Arena arena = Arena.ofShared();
  private final long[][] addresses;
  private final List<Slot> slots = new ArrayList<>();
  private final long scratch;
  private final long scratchStride;
  private final int threads;

  /// Memory for `launches` by up to `threads` threads at the same time.
  public RunMemory(List<Launch> launches, Layout layout, int threads) {
    this.threads = threads;
    MemorySegment intermediate = LargePages.allocate(arena, layout.arenaBytes());
    long scratchBytes = launches.stream().mapToLong(launch -> launch.code().scratchBytes()).max().orElse(0);
    this.scratchStride = (scratchBytes + LargePages.ALIGNMENT - 1) / LargePages.ALIGNMENT * LargePages.ALIGNMENT;
    this.scratch = LargePages.allocate(arena, scratchStride * threads).address();
    Map<Integer, Long> known = new HashMap<>(layout.fixed());
    layout.placements().forEach((buffer, offset) -> known.put(buffer, intermediate.address() + offset));
    this.addresses = new long[launches.size()][];
    for (int i = 0; i < launches.size(); i++) {
      addresses[i] = addresses(i, launches.get(i).arguments(), known);
    }
  }

  private long[] addresses(int launch, List<Integer> arguments, Map<Integer, Long> known) {
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

  /// Sets the addresses of the buffers that change from run to run, by their numbers.
  public void place(long[] changing) {
    for (Slot slot : slots) {
      addresses[slot.launch][slot.argument] = changing[slot.buffer];
    }
  }

  /// The addresses for launch `launch`, in order of its arguments.
  public long[] addresses(int launch) {
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
