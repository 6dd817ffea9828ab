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
import java.util.stream.Stream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// How fast this machine moves numbers that no cache holds, measured as the benchmark STREAM does: in GB/s of what is read and written,
/// without what the machine reads before it overwrites it.
///
/// @param copy `a = b`, by the JVM's own routine
/// @param triad `a = b + s * c`, in vectors
record StreamBandwidth(double copy, double triad) {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  /// 64 MB each.
  private static final long FLOATS = 1 << 24;
  private static final long BYTES = FLOATS * Float.BYTES;
  /// What one call of a compiled loop goes through.
  private static final long PIECE = 1 << 18;
  private static final int ROUNDS = 12;

  /// Goes through a part of memory.
  private interface Loop {
    void run(long from, long to);
  }

  /// The best of several rounds.
  static StreamBandwidth measure(int threads) throws Exception {
    List<Tensor> tensors = Stream.generate(() -> Tensor.zeros(ElementType.F32, FLOATS)).limit(3).toList();
    MemorySegment a = tensors.get(0).data();
    MemorySegment b = tensors.get(1).data();
    MemorySegment c = tensors.get(2).data();
    // Memory that nobody wrote is one page of zeros.
    Stream.of(a, b, c).forEach(memory -> memory.fill((byte) 1));
    try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
      double copy = rate(2, threads, pool, (from, to) -> MemorySegment.copy(b, from, a, from, to - from));
      double triad = rate(3, threads, pool, (from, to) -> triad(a, b, c, from, to));
      return new StreamBandwidth(copy, triad);
    } finally {
      tensors.forEach(Tensor::close);
    }
  }

  /// What a program of this machine can reach at best.
  double best() {
    return Math.max(copy, triad);
  }

  private static double rate(int tensors, int threads, ExecutorService pool, Loop loop) throws Exception {
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
      List<Callable<Void>> tasks = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        long from = BYTES / PIECE * i / threads * PIECE;
        long to = BYTES / PIECE * (i + 1) / threads * PIECE;
        tasks.add(() -> {
          for (long at = from; at < to; at += PIECE) {
            loop.run(at, at + PIECE);
          }
          return null;
        });
      }
      long before = System.nanoTime();
      for (Future<Void> done : pool.invokeAll(tasks)) {
        done.get();
      }
      best = Math.max(best, (double) tensors * BYTES / (System.nanoTime() - before));
    }
    return best;
  }

  private static void triad(MemorySegment a, MemorySegment b, MemorySegment c, long from, long to) {
    ByteOrder order = ByteOrder.LITTLE_ENDIAN;
    FloatVector scale = FloatVector.broadcast(SPECIES, 3);
    for (long at = from; at < to; at += SPECIES.vectorByteSize()) {
      FloatVector.fromMemorySegment(SPECIES, c, at, order).fma(scale, FloatVector.fromMemorySegment(SPECIES, b, at, order))
          .intoMemorySegment(a, at, order);
    }
  }
}
