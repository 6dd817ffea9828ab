package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.ir.Source;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;

/// Threads share loops in the steps of a recurrence.
class SharedStepsTest {
  private static final int STEPS = 60;
  private static final int WIDTH = 192;
  private static final String NET = """
      import std.recurrent

      def main(X: f32[1, T, N], h: f32[1, N], c: f32[1, N], W: f32[4 * N, N], U: f32[4 * N, N],
          bias: f32[4 * N])
          -> f32[1, T, N] {
        Y, last, cell = lstm(X, h, c, W, U, bias)
        return Y
      }
      """;
  private static final String LOOK_UP = """
      def main(ids: i64[T, 64], W: f32[V]) -> f32[64] {
        update S: f32[64] from 0.0, H: f32[64] from 0.0 for t in 0..T {
          S[m] = W[ids[t, m]] + H[63 - m]
          H[n] = S[n] * 0.5
        }
        map S { parallel m }
        return H
      }
      """;

  private static Program compile(String text, int threads) {
    return Einfall.compile(new Source("test.ein", text), Options.defaults().withThreads(threads));
  }

  private static Map<String, Tensor> inputs() {
    Random random = new Random(7);
    return Map.of("X", numbers(random, 1, STEPS, WIDTH), "h", numbers(random, 1, WIDTH), "c", numbers(random, 1, WIDTH),
        "W", numbers(random, 4 * WIDTH, WIDTH), "U", numbers(random, 4 * WIDTH, WIDTH), "bias", numbers(random, 4 * WIDTH));
  }

  private static Tensor numbers(Random random, long... shape) {
    float[] values = new float[(int) Arrays.stream(shape).reduce(1, Math::multiplyExact)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (random.nextFloat() - 0.5f) / 4;
    }
    return Tensor.of(values, shape);
  }

  private static float[] run(Program program, Map<String, Tensor> inputs) {
    Tensor result = program.run(inputs).values().iterator().next();
    try (result) {
      return result.floats();
    }
  }

  @Test
  void anyNumberOfThreadsGivesTheSameBits() {
    Map<String, Tensor> inputs = inputs();
    float[] expected = null;
    for (int threads : new int[] {1, 2, 3}) {
      try (Program program = compile(NET, threads)) {
        for (int i = 0; i < 20; i++) {
          float[] result = run(program, inputs);
          expected = expected == null ? result : expected;
          assertArrayEquals(expected, result);
        }
      }
    }
  }

  @Test
  void callersDoNotWaitForEachOther() throws InterruptedException {
    Map<String, Tensor> inputs = inputs();
    Queue<float[]> results = new ConcurrentLinkedQueue<>();
    try (Program program = compile(NET, 2)) {
      float[] expected = run(program, inputs);
      List<Thread> callers = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        callers.add(Thread.ofPlatform().start(() -> {
          for (int run = 0; run < 10; run++) {
            results.add(run(program, inputs));
          }
        }));
      }
      for (Thread caller : callers) {
        caller.join();
      }
      assertEquals(40, results.size());
      results.forEach(result -> assertArrayEquals(expected, result));
    }
  }

  @Test
  void aFaultInALoopEndsTheRunAndNothingElse() {
    long[] ids = new long[10 * 64];
    ids[5 * 64 + 60] = 9;
    try (Program program = compile(LOOK_UP, 2);
        Tensor good = Tensor.of(new long[10 * 64], 10, 64); Tensor bad = Tensor.of(ids, 10, 64); Tensor w = Tensor.of(new float[] {1, 2, 3}, 3)) {
      float[] expected = run(program, Map.of("ids", good, "W", w));
      for (int i = 0; i < 5; i++) {
        RuntimeException fault = assertThrows(RuntimeException.class, () -> run(program, Map.of("ids", bad, "W", w)));
        assertTrue(fault.getMessage().contains("9"), fault::getMessage);
        assertArrayEquals(expected, run(program, Map.of("ids", good, "W", w)));
      }
    }
  }
}
