package dev.einfall.tests.numerics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.einfall.ir.Source;
import dev.einfall.passes.Numerics;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Under the `strict` contract, compiled programs give the bits of plain Java loops in the order of the source; functions have the bits that
/// they have in any other program.
class StrictTest {
  private static final int M = 13;
  private static final int K = 67;
  private static final int N = 41;

  private final Random random = new Random(5);

  /// Values of very different sizes, so that another order of a sum almost certainly gives other bits.
  private float[] awkward(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (random.nextGaussian() * Math.pow(2, random.nextInt(-12, 13)));
    }
    return values;
  }

  private static float[] run(String program, Numerics numerics, Map<String, float[]> inputs, long[]... shapes) {
    Options options = Options.defaults().withBackend(Options.Backend.JVM).withWarmUp(false).withThreads(2).withNumerics(numerics);
    try (Program compiled = Einfall.compile(new Source("strict.ein", program), options)) {
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      int next = 0;
      for (Map.Entry<String, float[]> input : inputs.entrySet()) {
        tensors.put(input.getKey(), Tensor.of(input.getValue(), shapes[next++]));
      }
      Map<String, Tensor> results = compiled.run(tensors);
      float[] values = results.values().iterator().next().floats();
      results.values().forEach(Tensor::close);
      tensors.values().forEach(Tensor::close);
      return values;
    }
  }

  /// `function` of each of `values`, in a program that does nothing else.
  private static float[] applied(String function, float... values) {
    String program = "def f(X: f32[N]) -> f32[N] { Y[n] = " + function + "(X[n])\n return Y }";
    return run(program, Numerics.STRICT, Map.of("X", values), new long[] {values.length});
  }

  /// Compares bits, and makes sure that the values are such that the order matters.
  private static void check(String program, Map<String, float[]> inputs, float[] expected, long[]... shapes) {
    assertArrayEquals(bits(expected), bits(run(program, Numerics.STRICT, inputs, shapes)));
    assertFalse(Arrays.equals(bits(expected), bits(run(program, Numerics.REASSOCIATE, inputs, shapes))),
        "the inputs do not tell the contracts apart");
  }

  private static int[] bits(float[] values) {
    int[] bits = new int[values.length];
    for (int i = 0; i < values.length; i++) {
      bits[i] = Float.floatToIntBits(values[i]);
    }
    return bits;
  }

  private static Map<String, float[]> inputs(String first, float[] x, String second, float[] y) {
    Map<String, float[]> inputs = new LinkedHashMap<>();
    inputs.put(first, x);
    inputs.put(second, y);
    return inputs;
  }

  @Test
  void sumsOfRowsFromTheFirstToTheLast() {
    float[] x = awkward(M * K);
    float[] sums = new float[M];
    for (int m = 0; m < M; m++) {
      for (int k = 0; k < K; k++) {
        sums[m] += x[m * K + k];
      }
    }
    check("def f(X: f32[M, K]) -> f32[M] { Y[m] = sum[k](X[m, k])\n return Y }", Map.of("X", x), sums, new long[] {M, K});
  }

  @Test
  void sumsOverTwoIndicesRowByRow() {
    float[] x = awkward(M * K);
    float sum = 0;
    for (float value : x) {
      sum += value;
    }
    check("def f(X: f32[M, K]) -> f32 { Y[] = sum[m, k](X[m, k])\n return Y }", Map.of("X", x), new float[] {sum}, new long[] {M, K});
  }

  @Test
  void productsOfMatricesWithTwoRoundingsATerm() {
    float[] a = awkward(M * K);
    float[] b = awkward(K * N);
    float[] c = new float[M * N];
    for (int m = 0; m < M; m++) {
      for (int n = 0; n < N; n++) {
        float sum = 0;
        for (int k = 0; k < K; k++) {
          float term = a[m * K + k] * b[k * N + n];
          sum += term;
        }
        c[m * N + n] = sum;
      }
    }
    check("def f(A: f32[M, K], B: f32[K, N]) -> f32[M, N] { C[m, n] = A[m, k] * B[k, n]\n return C }",
        inputs("A", a, "B", b), c, new long[] {M, K}, new long[] {K, N});
  }

  @Test
  void productsOfRows() {
    float[] x = new float[M * K];
    for (int i = 0; i < x.length; i++) {
      x[i] = 0.8f + 0.4f * random.nextFloat();
    }
    float[] products = new float[M];
    Arrays.fill(products, 1);
    for (int i = 0; i < x.length; i++) {
      products[i / K] *= x[i];
    }
    check("def f(X: f32[M, K]) -> f32[M] { Y[m] = prod[k](X[m, k])\n return Y }", Map.of("X", x), products, new long[] {M, K});
  }

  @Test
  void softmaxWithTheExponentialsOfOtherPrograms() {
    float[] x = awkward(M * K);
    for (int i = 0; i < x.length; i++) {
      x[i] = x[i] % 4;
    }
    float[] y = new float[M * K];
    for (int m = 0; m < M; m++) {
      float max = Float.NEGATIVE_INFINITY;
      for (int k = 0; k < K; k++) {
        max = Math.max(max, x[m * K + k]);
      }
      float[] differences = new float[K];
      for (int k = 0; k < K; k++) {
        differences[k] = x[m * K + k] - max;
      }
      float[] exponentials = applied("exp", differences);
      float sum = 0;
      for (float exponential : exponentials) {
        sum += exponential;
      }
      for (int k = 0; k < K; k++) {
        y[m * K + k] = exponentials[k] / sum;
      }
    }
    check("""
        def f(X: f32[M, K]) -> f32[M, K] {
          E[m, k] = exp(X[m, k] - max[j](X[m, j]))
          Y[m, k] = E[m, k] / sum[j](E[m, j])
          return Y
        }
        """, Map.of("X", x), y, new long[] {M, K});
  }

  @Test
  void normalizesByTheRootOfOtherPrograms() {
    float[] x = awkward(M * K);
    float[] y = new float[M * K];
    for (int m = 0; m < M; m++) {
      float sum = 0;
      for (int k = 0; k < K; k++) {
        float square = x[m * K + k] * x[m * K + k];
        sum += square;
      }
      float scale = applied("rsqrt", sum / K + 1e-5f)[0];
      for (int k = 0; k < K; k++) {
        y[m * K + k] = x[m * K + k] * scale;
      }
    }
    check("""
        def f(X: f32[M, K]) -> f32[M, K] {
          S[m] = rsqrt(sum[k](X[m, k] * X[m, k]) / K + 1e-5)
          Y[m, k] = X[m, k] * S[m]
          return Y
        }
        """, Map.of("X", x), y, new long[] {M, K});
  }

  @Test
  void recurrencesWithTwoRoundings() {
    float[] x = awkward(K * N);
    float[] a = awkward(K * N);
    float[] h = new float[(K + 1) * N];
    for (int t = 0; t < K; t++) {
      for (int d = 0; d < N; d++) {
        a[t * N + d] %= 1;
        float kept = a[t * N + d] * h[t * N + d];
        h[(t + 1) * N + d] = kept + x[t * N + d];
      }
    }
    String program = """
        def f(A: f32[T, D], X: f32[T, D]) -> f32[T + 1, D] {
          H[0, d] = 0
          H[t + 1, d] = A[t, d] * H[t, d] + X[t, d]
          MAP
          return H
        }
        """;
    for (String map : List.of("", "map H { schedule chunked 16 }", "map H { schedule scan 4 }")) {
      check(program.replace("MAP", map), inputs("A", a, "X", x), h, new long[] {K, N}, new long[] {K, N});
    }
  }

  @Test
  void aMappingDoesNotChangeTheOrder() {
    float[] x = awkward(M * 64);
    float[] sums = new float[M];
    for (int i = 0; i < x.length; i++) {
      sums[i / 64] += x[i];
    }
    String program = """
        def f(X: f32[M, 64]) -> f32[M] {
          Y[m] = sum[k](X[m, k])
          map Y { split k 16; order m k1 k0; vectorize k0 }
          return Y
        }
        """;
    check(program, Map.of("X", x), sums, new long[] {M, 64});
    List<String> remarks = new ArrayList<>();
    Options options = Options.defaults().withBackend(Options.Backend.JVM).withWarmUp(false).withNumerics(Numerics.STRICT)
        .withRemarks(remark -> remarks.add(remark.message()));
    try (Program compiled = Einfall.compile(new Source("strict.ein", program), options);
        Tensor input = Tensor.of(x, M, 64)) {
      compiled.run(Map.of("X", input)).values().forEach(Tensor::close);
    }
    assertEquals(List.of("loop k0 is not vectorized: the strict contract keeps the order in which sum is combined"), remarks);
  }
}
