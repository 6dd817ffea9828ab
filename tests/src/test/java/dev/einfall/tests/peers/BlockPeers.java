package dev.einfall.tests.peers;

import dev.einfall.frontend.onnx.OnnxFile;
import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Tensor;
import dev.einfall.tests.MadeWeights;
import dev.einfall.tests.runtime.Batch;
import dev.einfall.tests.runtime.MiniLm;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// Blocks of several layers, in kernels of their own and in one: what the cost model chose beside what it did not.
final class BlockPeers {
  private static final int WIDTH = 384;
  private static final int HIDDEN = 1536;

  private BlockPeers() {}

  /// A block and what it is given.
  private record Case(String name, String program, WeightsFile weights, Supplier<Map<String, Tensor>> inputs) {}

  /// Prints a table for each number of threads.
  static void run(Request request) throws Exception {
    try (OnnxFile miniLm = OnnxFile.open(MiniLm.weights())) {
      for (int threads : request.threads()) {
        System.out.printf("%n%d thread%s%n", threads, threads == 1 ? "" : "s");
        ForcedChoices choices = new ForcedChoices(request.seconds(), subject -> subject.startsWith("fuse"));
        for (Case one : List.of(mlp(128), mlp(4096), inverted(56, 24, 144), inverted(112, 16, 96), residual(56, 64), residual(112, 16),
            new Case("minilm 8 128", Files.readString(MiniLm.PROGRAM), miniLm, () -> Batch.random(8, 128).inputs()))) {
          if (request.wants(one.name)) {
            choices.measure(one.name, options -> new EinfallContestant(one.program, one.inputs.get(), options),
                request.options(threads).withWeights(one.weights));
          }
        }
        choices.summarize();
      }
    }
  }

  private static Case mlp(int rows) {
    Randoms random = new Randoms(rows);
    MadeWeights weights = new MadeWeights()
        .with("W", random.between(-0.1, 0.1, WIDTH * HIDDEN), WIDTH, HIDDEN).with("B", random.between(-1, 1, HIDDEN), HIDDEN)
        .with("V", random.between(-0.1, 0.1, HIDDEN * WIDTH), HIDDEN, WIDTH).with("C", random.between(-1, 1, WIDTH), WIDTH);
    float[] x = random.between(-1, 1, rows * WIDTH);
    return new Case("mlp " + rows, """
        def main(X: f32[M, 384]) -> f32[M, 384] {
          weight W: f32[384, 1536] = "W"
          weight B: f32[1536] = "B"
          weight V: f32[1536, 384] = "V"
          weight C: f32[384] = "C"
          L[m, h] = X[m, d] * W[d, h]
          H[m, h] = (L[m, h] + B[h]) * 0.5 * (1 + erf((L[m, h] + B[h]) * 0.70710678))
          S[m, n] = H[m, h] * V[h, n]
          Y[m, n] = S[m, n] + C[n] + X[m, n]
          return Y
        }
        """, weights, () -> Map.of("X", Tensor.of(x, rows, WIDTH)));
  }

  /// A residual of `size` x `size` images: two convolutions, and what came in.
  private static Case residual(int size, int channels) {
    Randoms random = new Randoms(size);
    MadeWeights weights = new MadeWeights()
        .with("W", random.between(-0.1, 0.1, 9 * channels * channels), 3, 3, channels, channels).with("A", random.between(-1, 1, channels), channels)
        .with("V", random.between(-0.1, 0.1, 9 * channels * channels), 3, 3, channels, channels).with("B", random.between(-1, 1, channels), channels);
    float[] x = random.between(-1, 1, size * size * channels);
    return new Case("residual " + size, """
        def main(X: f32[N, H, K, C]) -> f32[N, H, K, C] {
          weight W: f32[3, 3, C, C] = "W"
          weight A: f32[C] = "A"
          weight V: f32[3, 3, C, C] = "V"
          weight B: f32[C] = "B"
          S[n, y in 0..H, x in 0..K, m] = sum[r, s, c]((X[n, y + r - 1, x + s - 1, c] or 0) * W[r, s, c, m])
          T[n, y, x, m] = max(S[n, y, x, m] + A[m], 0)
          P[n, y in 0..H, x in 0..K, c] = sum[r, s, m]((T[n, y + r - 1, x + s - 1, m] or 0) * V[r, s, m, c])
          Y[n, y, x, c] = max(X[n, y, x, c] + P[n, y, x, c] + B[c], 0)
          return Y
        }
        """, weights, () -> Map.of("X", Tensor.of(x, 1, size, size, channels)));
  }

  /// An inverted residual of `size` x `size` images: widen, filter each channel, narrow, and add what came in.
  private static Case inverted(int size, int channels, int wide) {
    Randoms random = new Randoms(size);
    MadeWeights weights = new MadeWeights()
        .with("W", random.between(-0.1, 0.1, channels * wide), channels, wide).with("F", random.between(-1, 1, 9 * wide), 3, 3, wide)
        .with("V", random.between(-0.1, 0.1, wide * channels), wide, channels);
    float[] x = random.between(-1, 1, size * size * channels);
    return new Case("inverted " + size, """
        def main(X: f32[N, H, K, %1$d]) -> f32[N, H, K, %1$d] {
          weight W: f32[%1$d, %2$d] = "W"
          weight F: f32[3, 3, %2$d] = "F"
          weight V: f32[%2$d, %1$d] = "V"
          A[n, y, x, m] = X[n, y, x, c] * W[c, m]
          B[n, y, x, m] = min(max(A[n, y, x, m], 0), 6)
          D[n, y in 0..H, x in 0..K, m] = sum[r, s](F[r, s, m] * (B[n, y + r - 1, x + s - 1, m] or 0))
          E[n, y, x, m] = min(max(D[n, y, x, m], 0), 6)
          P[n, y, x, c] = E[n, y, x, m] * V[m, c]
          Y[n, y, x, c] = X[n, y, x, c] + P[n, y, x, c]
          return Y
        }
        """.formatted(channels, wide), weights, () -> Map.of("X", Tensor.of(x, 1, size, size, channels)));
  }
}
