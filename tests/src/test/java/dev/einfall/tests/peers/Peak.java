package dev.einfall.tests.peers;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// How fast this machine multiplies and adds `f32` numbers in vectors, measured.
final class Peak {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int STEPS = 20_000_000;
  private static final int ROUNDS = 5;
  /// The vectors of a step of the loop.
  private static final int VECTORS = 12;

  private Peak() {}

  /// The operations in a nanosecond (GFLOP/s) of `threads` threads together: the best of a few rounds.
  static double gflops(int threads) throws Exception {
    double best = 0;
    try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
      for (int round = 0; round < ROUNDS; round++) {
        List<Callable<Float>> tasks = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
          tasks.add(() -> multiplyAndAdd(STEPS, 1e-30f));
        }
        long before = System.nanoTime();
        for (Future<Float> done : pool.invokeAll(tasks)) {
          done.get();
        }
        double nanos = System.nanoTime() - before;
        best = Math.max(best, 2.0 * VECTORS * SPECIES.length() * STEPS * threads / nanos);
      }
    }
    return best;
  }

  /// Twelve chains of fused multiply-adds, so that none waits for itself.
  private static float multiplyAndAdd(int steps, float start) {
    FloatVector x = FloatVector.broadcast(SPECIES, start);
    FloatVector a = x;
    FloatVector b = x;
    FloatVector c = x;
    FloatVector d = x;
    FloatVector e = x;
    FloatVector f = x;
    FloatVector g = x;
    FloatVector h = x;
    FloatVector i = x;
    FloatVector j = x;
    FloatVector k = x;
    FloatVector l = x;
    for (int step = 0; step < steps; step++) {
      a = a.fma(x, x);
      b = b.fma(x, x);
      c = c.fma(x, x);
      d = d.fma(x, x);
      e = e.fma(x, x);
      f = f.fma(x, x);
      g = g.fma(x, x);
      h = h.fma(x, x);
      i = i.fma(x, x);
      j = j.fma(x, x);
      k = k.fma(x, x);
      l = l.fma(x, x);
    }
    return a.add(b).add(c).add(d).add(e).add(f).add(g).add(h).add(i).add(j).add(k).add(l).lane(0);
  }
}
