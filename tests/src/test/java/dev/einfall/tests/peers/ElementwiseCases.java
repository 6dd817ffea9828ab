package dev.einfall.tests.peers;

import dev.einfall.runtime.Tensor;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.IntFunction;
import java.util.stream.Stream;

/// Softmax, layer norm, GELU, transposes, gathers, sums: of about as many elements as are asked for.
final class ElementwiseCases {
  private static final int VERSION = 21;
  private static final int WIDTH = 1024;
  /// The words of BERT, and the numbers of one in MiniLM.
  private static final int WORDS = 30_522;
  private static final int DEPTH = 384;

  private ElementwiseCases() {}

  /// One case of each kind.
  static Stream<ElementwiseCase> all(int elements) {
    return Stream.<IntFunction<ElementwiseCase>>of(size -> softmax(size, 128), size -> softmax(size, 1000),
        size -> softmax(size, 4096), size -> layerNorm(size, 384), size -> layerNorm(size, 1024), ElementwiseCases::gelu,
        ElementwiseCases::transpose, size -> transposes(size, 64, 64), size -> transposes(size, 128, 64),
        size -> gather(size, true), size -> gather(size, false), ElementwiseCases::add, ElementwiseCases::sumOfRows,
        ElementwiseCases::sumOfColumns).map(kind -> kind.apply(elements));
  }

  private static ElementwiseCase softmax(int elements, int width) {
    int rows = elements / width;
    return new ElementwiseCase("softmax " + width, elements, bytes(2, rows, width), """
        def main(X: f32[M, N]) -> f32[M, N] {
          E[m, n] = exp(X[m, n] - max[n](X[m, n]))
          Y[m, n] = E[m, n] / sum[n](E[m, n])
          return Y
        }
        """, "torch.softmax(X, -1)", new OnnxModel("Softmax", "", VERSION).floats("X").attribute("axis", -1).gives("Y"),
        () -> Map.of("X", random(rows, width)));
  }

  private static ElementwiseCase layerNorm(int elements, int width) {
    int rows = elements / width;
    return new ElementwiseCase("layer-norm " + width, elements, bytes(2, rows, width), """
        def main(X: f32[M, D], gamma: f32[D], beta: f32[D]) -> f32[M, D] {
          mean[m] = sum[d](X[m, d]) / D
          centered[m, d] = X[m, d] - mean[m]
          variance[m] = sum[d](centered[m, d] * centered[m, d]) / D
          Y[m, d] = centered[m, d] / sqrt(variance[m] + 1e-5) * gamma[d] + beta[d]
          return Y
        }
        """, "torch.layer_norm(X, [%d], gamma, beta, 1e-5, False)".formatted(width),
        new OnnxModel("LayerNormalization", "", VERSION).floats("X", "gamma", "beta").attribute("axis", -1)
            .attribute("epsilon", 1e-5f).gives("Y"),
        () -> Map.of("X", random(rows, width), "gamma", random(width), "beta", random(width)));
  }

  /// The exact form, by `erf`.
  private static ElementwiseCase gelu(int elements) {
    int rows = elements / WIDTH;
    return new ElementwiseCase("gelu", elements, bytes(2, rows, WIDTH), """
        import std.activation

        def main(X: f32[M, N]) -> f32[M, N] {
          return gelu(X)
        }
        """, "torch.gelu(X)", new OnnxModel("Gelu", "", VERSION).floats("X").gives("Y"), () -> Map.of("X", random(rows, WIDTH)));
  }

  private static ElementwiseCase transpose(int elements) {
    int side = (int) Math.sqrt(elements);
    return new ElementwiseCase("transpose square", elements, bytes(2, side, side), """
        def main(X: f32[M, N]) -> f32[N, M] {
          Y[n, m] = X[m, n]
          return Y
        }
        """, "torch.contiguous(torch.transpose(X, 0, 1))",
        new OnnxModel("Transpose", "", VERSION).floats("X").attribute("perm", new long[] {1, 0}).gives("Y"),
        () -> Map.of("X", random(side, side)));
  }

  /// Many small ones.
  private static ElementwiseCase transposes(int elements, int rows, int columns) {
    int batch = elements / rows / columns;
    return new ElementwiseCase("transpose %dx%d".formatted(rows, columns), elements, bytes(2, batch, rows, columns), """
        def main(X: f32[B, M, N]) -> f32[B, N, M] {
          Y[b, n, m] = X[b, m, n]
          return Y
        }
        """, "torch.contiguous(torch.transpose(X, 1, 2))",
        new OnnxModel("Transpose", "", VERSION).floats("X").attribute("perm", new long[] {0, 2, 1}).gives("Y"),
        () -> Map.of("X", random(batch, rows, columns)));
  }

  /// Words at random, many of them more than once: each is read once from the memory.
  private static ElementwiseCase gather(int elements, boolean isWide) {
    int[] ids = new SplittableRandom(elements).ints(elements / DEPTH, 0, WORDS).toArray();
    long words = Arrays.stream(ids).distinct().count();
    String type = isWide ? "i64" : "i32";
    OnnxModel model = new OnnxModel("Gather", "", VERSION).floats("W");
    return new ElementwiseCase("gather " + type, elements,
        bytes(1, (int) words + ids.length, DEPTH) + (long) ids.length * (isWide ? Long.BYTES : Integer.BYTES), """
        def main(W: f32[V, D], ids: %s[T]) -> f32[T, D] {
          Y[t, d] = W[ids[t], d]
          return Y
        }
        """.formatted(type), "torch.embedding(W, ids)",
        (isWide ? model.longs("ids") : model.integers("ids")).attribute("axis", 0).gives("Y"),
        () -> Map.of("W", random(WORDS, DEPTH), "ids",
            isWide ? Tensor.of(Arrays.stream(ids).asLongStream().toArray(), ids.length) : Tensor.of(ids, ids.length)));
  }

  private static ElementwiseCase add(int elements) {
    return add("add", Math.max(1, elements / WIDTH), Math.min(elements, WIDTH));
  }

  /// So little that the time is that of a call.
  static ElementwiseCase call() {
    return add("call", 1, 16);
  }

  private static ElementwiseCase add(String kind, int rows, int width) {
    return new ElementwiseCase(kind, rows * width, bytes(3, rows, width), """
        def main(A: f32[M, N], B: f32[M, N]) -> f32[M, N] {
          Y[m, n] = A[m, n] + B[m, n]
          return Y
        }
        """, "torch.add(A, B)", new OnnxModel("Add", "", VERSION).floats("A", "B").gives("Y"),
        () -> Map.of("A", random(rows, width), "B", random(rows, width)));
  }

  private static ElementwiseCase sumOfRows(int elements) {
    int rows = elements / WIDTH;
    return new ElementwiseCase("sum last", elements, bytes(1, rows, WIDTH) + bytes(1, rows), """
        def main(X: f32[M, N]) -> f32[M] {
          Y[m] = sum[n](X[m, n])
          return Y
        }
        """, "torch.sum(X, [1])", sumOver(1), () -> Map.of("X", random(rows, WIDTH)));
  }

  private static ElementwiseCase sumOfColumns(int elements) {
    int rows = elements / WIDTH;
    return new ElementwiseCase("sum first", elements, bytes(1, rows, WIDTH) + bytes(1, WIDTH), """
        def main(X: f32[M, N]) -> f32[N] {
          Y[n] = sum[m](X[m, n])
          return Y
        }
        """, "torch.sum(X, [0])", sumOver(0), () -> Map.of("X", random(rows, WIDTH)));
  }

  private static byte[] sumOver(long axis) {
    return new OnnxModel("ReduceSum", "", VERSION).floats("X").constant("axes", new long[] {axis}, 1).attribute("keepdims", 0).gives("Y");
  }

  private static long bytes(int tensors, int... shape) {
    return Arrays.stream(shape).asLongStream().reduce((long) tensors * Float.BYTES, (a, b) -> a * b);
  }

  private static Tensor random(int... shape) {
    int elements = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    return Tensor.of(new Randoms(elements).between(-2, 2, elements), Arrays.stream(shape).asLongStream().toArray());
  }
}
