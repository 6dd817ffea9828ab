package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Source;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ProgramTest {
  private static final String DOUBLE = """
      def f(X: f32[M, N]) -> f32[M, N] {
        Y[m, n] = X[m, n] * 2
        return Y
      }
      """;
  private static final String LOOK_UP = """
      def f(W: f32[V, D], ids: i64[T]) -> f32[T, D] {
        Y[t, d] = W[ids[t], d]
        return Y
      }
      """;

  private static Program compile(String text, Options.Backend backend) {
    return Einfall.compile(new Source("test.ein", text), Options.defaults().withBackend(backend).withThreads(2));
  }

  @ParameterizedTest
  @EnumSource(value = Options.Backend.class, names = {"JVM", "REFERENCE"})
  void runsForEveryShape(Options.Backend backend) {
    try (Program program = compile(DOUBLE, backend)) {
      for (int m : new int[] {1, 2, 7}) {
        for (int n : new int[] {1, 5, 16, 33}) {
          float[] values = new float[m * n];
          float[] doubled = new float[m * n];
          for (int i = 0; i < values.length; i++) {
            values[i] = i - 3;
            doubled[i] = 2 * values[i];
          }
          try (Tensor x = Tensor.of(values, m, n); Tensor y = program.run(Map.of("X", x)).get("Y")) {
            assertEquals(List.of((long) m, (long) n), y.shape());
            assertArrayEquals(doubled, y.floats());
          }
        }
      }
    }
  }

  @Test
  void keepsFewShapesAndComesBackToThem() {
    Options options = Options.defaults().withSpecializations(2).withWarmUp(false);
    try (Program program = Einfall.compile(new Source("test.ein", DOUBLE), options)) {
      for (int round = 0; round < 3; round++) {
        for (int n = 1; n < 5; n++) {
          try (Tensor x = Tensor.of(new float[n], 1, n); Tensor y = program.run(Map.of("X", x)).get("Y")) {
            assertEquals(n, y.elements());
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(value = Options.Backend.class, names = {"JVM", "REFERENCE"})
  void isReadForEachNumberThatAChoiceDependsOn(Options.Backend backend) {
    try (Program program = compile("""
        def total(x: f32[N]) -> f32 {
          if N == 1 {
            return x[0]
          }
          return total(x[0..N / 2]) + total(x[N / 2..N])
        }
        def main(X: f32[N]) -> (sum: f32, f32[min(N, 2)]) {
          return total(X), X[0..min(N, 2)]
        }
        """, backend)) {
      assertEquals("[sum: f32[], result: f32[min(N, 2)]]", program.outputs().toString());
      for (int n : new int[] {1, 2, 3, 7, 7, 2}) {
        float[] ones = new float[n];
        Arrays.fill(ones, 1);
        try (Tensor x = Tensor.of(ones, n)) {
          Map<String, Tensor> results = program.run(Map.of("X", x));
          assertEquals(n, results.get("sum").floats()[0]);
          assertEquals(List.of((long) Math.min(n, 2)), results.get("result").shape());
          results.values().forEach(Tensor::close);
        }
      }
    }
  }

  @Test
  void leavesPassesOut() {
    List<String> passes = new ArrayList<>();
    Options options = Options.defaults().without(Set.of("fuse-multiply-adds")).withSteps(step -> passes.add(step.pass()));
    try (Program program = Einfall.compile(new Source("test.ein", DOUBLE), options)) {
      program.prepare(Map.of("M", 3L, "N", 5L));
    }
    assertTrue(passes.contains("vectorize-loops") && !passes.contains("fuse-multiply-adds"), passes.toString());
    Source source = new Source("test.ein", DOUBLE);
    assertTrue(assertThrows(IllegalArgumentException.class, () -> Einfall.compile(source, options.without(Set.of("x"))))
        .getMessage().startsWith("unknown pass x to leave out"));
  }

  @Test
  void saysWhatItExpectsAndGives() {
    try (Program program = compile(DOUBLE, Options.Backend.REFERENCE)) {
      assertEquals("[X: f32[M, N]]", program.inputs().toString());
      assertEquals("[Y: f32[M, N]]", program.outputs().toString());
      assertEquals("f", program.name());
    }
  }

  @Test
  void refusesWrongInputs() {
    try (Program program = compile("""
        def f(X: f32[M, K], Y: f32[K, N]) -> f32[M, N] {
          Z[m, n] = X[m, k] * Y[k, n]
          return Z
        }
        """, Options.Backend.AUTO);
        Tensor x = Tensor.of(new float[6], 2, 3);
        Tensor flat = Tensor.of(new float[6], 6);
        Tensor longs = Tensor.of(new long[6], 2, 3)) {
      refused("input 'Y' has 2 at dimension 0, which is declared K, that is 3: K is 3 by input 'X'", program, Map.of("X", x, "Y", x));
      refused("input 'Y' has the shape [6], but 2 ranks are declared: [K, N]", program, Map.of("X", x, "Y", flat));
      refused("input 'Y' is missing; it is declared Y: f32[K, N]", program, Map.of("X", x));
      refused("input 'Y' has the type i64, but is declared Y: f32[K, N]", program, Map.of("X", x, "Y", longs));
      refused("the program f has no input 'Z'; did you mean 'X' or 'Y'? (its inputs are X, Y)", program,
          Map.of("X", x, "Y", x, "Z", x));
    }
  }

  private static void refused(String message, Program program, Map<String, Tensor> inputs) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, () -> program.run(inputs)).getMessage());
  }

  @ParameterizedTest
  @EnumSource(value = Options.Backend.class, names = {"JVM", "REFERENCE"})
  void refusesAnIndexOutsideATable(Options.Backend backend) {
    try (Program program = compile(LOOK_UP, backend); Tensor w = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 3, 2)) {
      for (long id : new long[] {3, -1, Long.MAX_VALUE, Long.MIN_VALUE, 1L << 32}) {
        try (Tensor ids = Tensor.of(new long[] {0, id}, 2)) {
          var e = assertThrows(IllegalArgumentException.class, () -> program.run(Map.of("W", w, "ids", ids)));
          assertTrue(e.getMessage().contains(String.valueOf(id)) && e.getMessage().contains("W"), e.getMessage());
        }
      }
      try (Tensor ids = Tensor.of(new long[] {2, 0}, 2); Tensor y = program.run(Map.of("W", w, "ids", ids)).get("Y")) {
        assertArrayEquals(new float[] {5, 6, 1, 2}, y.floats());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(value = Options.Backend.class, names = {"JVM", "REFERENCE"})
  void refusesSizesForWhichItReadsOutsideOfATensor(Options.Backend backend) {
    String text = """
        def f(X: f32[N], W: f32[8]) -> f32[N] {
          Y[n in 0..N] = X[n] * W[n]
          return Y
        }
        """;
    try (Program program = compile(text, backend); Tensor x = Tensor.of(new float[9], 9); Tensor w = Tensor.of(new float[8], 8)) {
      var e = assertThrows(CompileException.class, () -> program.run(Map.of("X", x, "W", w)));
      assertTrue(e.getMessage().contains("N=9") && e.getMessage().contains("`W`, which has size 8"), e.getMessage());
    }
  }

  @ParameterizedTest
  @EnumSource(value = Options.Backend.class, names = {"JVM", "REFERENCE"})
  void aNanInAMaskStaysInItsRow(Options.Backend backend) {
    try (Program program = compile("""
        def masked(S: f32[P, M], mask: f32[P, M]) -> f32[P, M] {
          X[p, m] = S[p, m] + mask[p, m]
          A[p, m] = exp(X[p, m] - max[m](X[p, m]))
          Y[p, m] = A[p, m] / sum[m](A[p, m])
          return Y
        }
        """, backend);
        Tensor s = Tensor.of(new float[40], 2, 20);
        Tensor mask = Tensor.zeros(ElementType.F32, 2, 20)) {
      mask.data().setAtIndex(ValueLayout.JAVA_FLOAT, 3, Float.NaN);
      try (Tensor y = program.run(Map.of("S", s, "mask", mask)).get("Y")) {
        float[] expected = new float[40];
        Arrays.fill(expected, 0, 20, Float.NaN);
        Arrays.fill(expected, 20, 40, 0.05f);
        assertArrayEquals(expected, y.floats(), 1e-6f);
      }
    }
  }

  @Test
  void isAnErrorToUseAfterClose() {
    Program program = compile(DOUBLE, Options.Backend.REFERENCE);
    Tensor x = Tensor.of(new float[1], 1, 1);
    x.close();
    assertEquals("the tensor f32[1, 1] is closed",
        assertThrows(IllegalStateException.class, () -> program.run(Map.of("X", x))).getMessage());
    program.close();
    program.close();
    try (Tensor y = Tensor.of(new float[1], 1, 1)) {
      assertEquals("the program f is closed",
          assertThrows(IllegalStateException.class, () -> program.run(Map.of("X", y))).getMessage());
    }
  }

  @Test
  void finishesRunsThatHaveBegunWhenItIsClosed() throws InterruptedException {
    for (int round = 0; round < 20; round++) {
      Program program = Einfall.compile(new Source("test.ein", DOUBLE), Options.defaults().withThreads(2).withWarmUp(false));
      Tensor x = Tensor.of(new float[] {1, 2, 3, 4}, 2, 2);
      program.run(Map.of("X", x)).get("Y").close();
      List<Thread> callers = new ArrayList<>();
      Queue<Throwable> surprises = new ConcurrentLinkedQueue<>();
      for (int i = 0; i < 4; i++) {
        callers.add(Thread.ofPlatform().start(() -> runUntilClosed(program, x, surprises)));
      }
      Thread.sleep(2);
      if (round % 2 == 0) {
        program.close();
      } else {
        x.close();
      }
      for (Thread caller : callers) {
        caller.join();
      }
      assertTrue(surprises.isEmpty(), surprises.toString());
      x.close();
      program.close();
    }
  }

  private static void runUntilClosed(Program program, Tensor x, Queue<Throwable> surprises) {
    try {
      while (true) {
        try (Tensor y = program.run(Map.of("X", x)).get("Y")) {
          assertArrayEquals(new float[] {2, 4, 6, 8}, y.floats());
        }
      }
    } catch (IllegalStateException closed) {
      // What a caller sees of it.
    } catch (RuntimeException | Error e) {
      surprises.add(e);
    }
  }

  @Test
  void refusesWeightsThatAreNotThere() {
    String text = """
        def f(X: f32[N]) -> f32[N] {
          weight W: f32[N] = "w"
          Y[n] = X[n] * W[n]
          return Y
        }
        """;
    var e = assertThrows(CompileException.class, () -> compile(text, Options.Backend.AUTO));
    assertTrue(e.getMessage().contains("test.ein:2:"), e.getMessage());
    assertTrue(e.getMessage().contains("the program reads weights, such as 'w', and no weights file is given"), e.getMessage());
    var named = assertThrows(CompileException.class,
        () -> compile("weights \"none.safetensors\"\n" + text, Options.Backend.AUTO));
    assertTrue(named.getMessage().contains("cannot read none.safetensors: there is no such file"), named.getMessage());
  }

  @Test
  void refusesAFileThatIsNotThere() {
    var e = assertThrows(CompileException.class, () -> Einfall.compile(Path.of("none.ein"), Options.defaults()));
    assertEquals("error: cannot read none.ein: there is no such file", e.getMessage());
  }
}
