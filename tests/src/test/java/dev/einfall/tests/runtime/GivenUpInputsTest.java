package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.ir.Source;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// A state that goes into a program and comes out changed, in place where the caller gives it up.
class GivenUpInputsTest {
  private final Program program = Einfall.compile(new Source("test.ein", """
      def remember(cache: f32[M, 2], x: f32[2], position: i32) -> (cache: f32[M, 2], total: f32) {
        cache[position[], d] := x[d]
        total[] = sum[m, d](cache[m, d])
        return cache, total
      }
      """), Options.defaults().withWarmUp(false));

  @AfterEach
  void close() {
    program.close();
  }

  private Map<String, Tensor> step(Tensor cache, int position, Set<String> givenUp) {
    return program.run(Map.of("cache", cache, "x", Tensor.of(new float[] {position, 10}, 2),
        "position", Tensor.of(new int[] {position})), givenUp);
  }

  @Test
  void worksInTheMemoryOfAnInputThatIsGivenUp() {
    Tensor cache = Tensor.of(new float[6], 3, 2);
    long address = cache.data().address();
    for (int position = 0; position < 3; position++) {
      Map<String, Tensor> results = step(cache, position, Set.of("cache"));
      assertThrows(IllegalStateException.class, cache::data);
      cache = results.get("cache");
      assertEquals(address, cache.data().address());
    }
    assertArrayEquals(new float[] {0, 10, 1, 10, 2, 10}, cache.floats());
    cache.close();
  }

  @Test
  void copiesAnInputThatTheCallerKeeps() {
    Tensor cache = Tensor.of(new float[] {1, 2, 3, 4}, 2, 2);
    Map<String, Tensor> results = step(cache, 1, Set.of());
    assertArrayEquals(new float[] {1, 2, 3, 4}, cache.floats());
    assertArrayEquals(new float[] {1, 2, 1, 10}, results.get("cache").floats());
    assertNotEquals(cache.data().address(), results.get("cache").data().address());
    assertArrayEquals(new float[] {14}, results.get("total").floats());
  }

  @Test
  void refusesToGiveUpWhatItDoesNotHave() {
    Tensor cache = Tensor.of(new float[4], 2, 2);
    var e = assertThrows(IllegalArgumentException.class, () -> step(cache, 0, Set.of("cash")));
    assertTrue(e.getMessage().contains("no input 'cash' to give up; did you mean"), e.getMessage());
    assertArrayEquals(new float[4], cache.floats());
  }

  @Test
  void refusesToGiveUpATensorThatIsAnotherInputToo() {
    try (Program both = Einfall.compile(new Source("test.ein", """
        def f(A: f32[N], B: f32[N]) -> f32[N] {
          A[0] := sum[n](B[n])
          return A
        }
        """), Options.defaults().withWarmUp(false)); Tensor x = Tensor.of(new float[] {1, 2}, 2)) {
      assertThrows(IllegalStateException.class, () -> both.run(Map.of("A", x, "B", x), Set.of("A")));
      assertArrayEquals(new float[] {1, 2}, x.floats());
    }
  }

  @Test
  void closesWhatWasGivenUpForARunThatFails() {
    Tensor cache = Tensor.of(new float[4], 2, 2);
    assertThrows(IllegalArgumentException.class, () -> step(cache, 7, Set.of("cache")));
    assertThrows(IllegalStateException.class, cache::data);
  }
}
