package dev.einfall.tests.peers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.einfall.runtime.Options;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The products that are measured beside oneDNN and MKL are products of matrices.
class GemmPeersTest {
  private static final float TOLERANCE = 1e-5f;

  @ParameterizedTest
  @CsvSource({"17, 33, 9, true", "17, 33, 9, false", "1, 40, 16, true", "2, 41, 17, false"})
  void multiplies(int m, int n, int k, boolean constant) throws Exception {
    GemmCase shape = new GemmCase(m, n, k, constant, false);
    GemmCase.Inputs inputs = shape.inputs();
    try (Contestant ours = shape.ours(inputs, Options.defaults().withWarmUp(false))) {
      assertArrayEquals(product(shape, inputs), ours.result(), TOLERANCE);
    }
  }

  private static float[] product(GemmCase shape, GemmCase.Inputs in) {
    float[] result = new float[shape.m() * shape.n()];
    for (int i = 0; i < result.length; i++) {
      double sum = 0;
      for (int k = 0; k < shape.k(); k++) {
        sum += (double) in.left()[i / shape.n() * shape.k() + k] * in.right()[k * shape.n() + i % shape.n()];
      }
      result[i] = (float) sum;
    }
    return result;
  }
}
