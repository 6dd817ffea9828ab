package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.einfall.ir.Source;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Outputs that are closed leave their memory to later ones; those that are not keep it.
class OutputMemoryTest {
  private final Program program = Einfall.compile(new Source("test.ein", """
      def twice(X: f32[N]) -> f32[N] {
        Y[n] = 2.0 * X[n]
        return Y
      }
      """), Options.defaults().withWarmUp(false));

  @AfterEach
  void close() {
    program.close();
  }

  private Tensor twice(float... values) {
    try (Tensor x = Tensor.of(values, values.length)) {
      return program.run(Map.of("X", x)).get("Y");
    }
  }

  @Test
  void servesTheNextRun() {
    Tensor first = twice(1, 2, 3);
    long address = first.data().address();
    first.close();
    assertThrows(IllegalStateException.class, first::data);
    try (Tensor second = twice(4, 5, 6)) {
      assertEquals(address, second.data().address());
      assertArrayEquals(new float[] {8, 10, 12}, second.floats());
      assertThrows(IllegalStateException.class, first::floats);
    }
  }

  @Test
  void staysWithATensorThatIsNotClosed() {
    List<Tensor> results = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      results.add(twice(i, -i));
    }
    for (int i = 0; i < 20; i++) {
      assertArrayEquals(new float[] {2 * i, -2 * i}, results.get(i).floats(), 0);
    }
    results.forEach(Tensor::close);
  }

  @Test
  void isNotLeftToTwo() {
    Tensor first = twice(1, 2);
    first.close();
    first.close();
    try (Tensor second = twice(3, 4); Tensor third = twice(5, 6)) {
      assertNotEquals(second.data().address(), third.data().address());
      assertArrayEquals(new float[] {6, 8}, second.floats());
    }
  }

  @Test
  void outlivesTheProgram() {
    Tensor result = twice(1, 2);
    program.close();
    assertArrayEquals(new float[] {2, 4}, result.floats());
    result.close();
  }

  @Test
  void belongsToOneShape() {
    twice(1, 2).close();
    try (Tensor longer = twice(1, 2, 3)) {
      assertArrayEquals(new float[] {2, 4, 6}, longer.floats());
    }
  }
}
