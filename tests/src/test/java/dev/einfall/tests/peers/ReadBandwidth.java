package dev.einfall.tests.peers;

import dev.einfall.ir.ElementType;
import dev.einfall.runtime.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/// How fast this machine reads so many bytes again and again, from whatever cache holds them.
final class ReadBandwidth {
  private static final VectorSpecies<Integer> SPECIES = IntVector.SPECIES_PREFERRED;
  /// What one call of a compiled loop goes through.
  private static final long PIECE = 1 << 16;
  private static final int ROUNDS = 8;
  /// What a thread reads in a round, at least.
  private static final long ROUND_BYTES = 1 << 28;
  private static final int VECTORS = 4;

  private ReadBandwidth() {}

  /// GB/s of all threads together, each of which reads its part: the best of a few rounds.
  static double measure(long bytes, int threads) throws Exception {
    double best = 0;
    try (Tensor tensor = Tensor.zeros(ElementType.U8, bytes); ExecutorService pool = Executors.newFixedThreadPool(threads)) {
      MemorySegment memory = tensor.data();
      // Memory that nobody wrote is one page of zeros.
      memory.fill((byte) 1);
      long part = bytes / threads / PIECE * PIECE;
      long times = Math.ceilDiv(ROUND_BYTES, part);
      for (int round = 0; round < ROUNDS; round++) {
        List<Callable<Integer>> tasks = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
          long from = i * part;
          tasks.add(() -> read(memory, from, from + part, times));
        }
        long before = System.nanoTime();
        for (Future<Integer> done : pool.invokeAll(tasks)) {
          done.get();
        }
        best = Math.max(best, (double) times * part * threads / (System.nanoTime() - before));
      }
    }
    return best;
  }

  private static int read(MemorySegment memory, long from, long to, long times) {
    int sum = 0;
    for (long time = 0; time < times; time++) {
      for (long at = from; at < to; at += PIECE) {
        sum += sum(memory, at, at + PIECE);
      }
    }
    return sum;
  }

  private static int sum(MemorySegment memory, long from, long to) {
    ByteOrder order = ByteOrder.LITTLE_ENDIAN;
    int step = SPECIES.vectorByteSize();
    IntVector a = IntVector.zero(SPECIES);
    IntVector b = a;
    IntVector c = a;
    IntVector d = a;
    for (long at = from; at < to; at += (long) VECTORS * step) {
      a = a.add(IntVector.fromMemorySegment(SPECIES, memory, at, order));
      b = b.add(IntVector.fromMemorySegment(SPECIES, memory, at + step, order));
      c = c.add(IntVector.fromMemorySegment(SPECIES, memory, at + 2 * step, order));
      d = d.add(IntVector.fromMemorySegment(SPECIES, memory, at + 3 * step, order));
    }
    return a.add(b).add(c).add(d).lane(0);
  }
}
