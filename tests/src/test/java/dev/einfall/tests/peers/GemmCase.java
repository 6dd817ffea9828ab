package dev.einfall.tests.peers;

import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Tensor;
import dev.einfall.tests.MadeWeights;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A product of an `m` x `k` matrix and a `k` x `n` matrix in `f32`, both row-major.
///
/// @param constant whether the second matrix is a weight, so that it may be laid out in another way once
/// @param odd whether the sizes are those of another case + 1
record GemmCase(int m, int n, int k, boolean constant, boolean odd) {
  private static final int[][] SIZES = {{256, 256, 256}, {512, 512, 512}, {1024, 1024, 1024}, {2048, 2048, 2048}, {128, 1536, 384},
      {128, 384, 1536}, {128, 384, 384}, {16, 1536, 384}, {1, 4096, 4096}};

  /// Both matrices, row-major.
  record Inputs(float[] left, float[] right) {}

  static List<GemmCase> all() {
    List<GemmCase> cases = new ArrayList<>();
    for (boolean constant : new boolean[] {true, false}) {
      for (boolean odd : new boolean[] {false, true}) {
        int more = odd ? 1 : 0;
        for (int[] sizes : SIZES) {
          cases.add(new GemmCase(sizes[0] + more, sizes[1] + more, sizes[2] + more, constant, odd));
        }
      }
    }
    return cases;
  }

  String kind() {
    return constant ? "constant" : "variable";
  }

  String name() {
    return "%s %s %dx%dx%d".formatted(kind(), odd ? "odd" : "round", m, n, k);
  }

  double flops() {
    return 2.0 * m * n * k;
  }

  Inputs inputs() {
    Randoms random = new Randoms(m);
    return new Inputs(random.between(-1, 1, m * k), random.between(-1, 1, k * n));
  }

  private String program() {
    return constant ? """
        def main(A: f32[M, %1$d]) -> f32[M, %2$d] {
          weight B: f32[%1$d, %2$d] = "B"
          C[m, n] = A[m, k] * B[k, n]
          return C
        }
        """.formatted(k, n) : """
        def main(A: f32[M, K], B: f32[K, N]) -> f32[M, N] {
          C[m, n] = A[m, k] * B[k, n]
          return C
        }
        """;
  }

  /// The product in Einfall.
  Contestant ours(Inputs inputs, Options options) {
    Tensor left = Tensor.of(inputs.left, m, k);
    if (constant) {
      WeightsFile weights = new MadeWeights().with("B", inputs.right, k, n);
      return new EinfallContestant(program(), Map.of("A", left), options.withWeights(weights));
    }
    return new EinfallContestant(program(), Map.of("A", left, "B", Tensor.of(inputs.right, k, n)), options);
  }
}
