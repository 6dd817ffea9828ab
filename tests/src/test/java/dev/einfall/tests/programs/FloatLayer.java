package dev.einfall.tests.programs;

import dev.einfall.backends.reference.Array;
import dev.einfall.frontend.onnx.OnnxFile;
import dev.einfall.ir.ElementType;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// A layer of MiniLM in doubles, and what it becomes in whole numbers: the largest number of what each part gives says what its unit is.
final class FloatLayer {
  private static final int D = 384;
  private static final int F = 1536;
  private static final int HEADS = 12;
  private static final int WIDTH = D / HEADS;
  private static final String[] KEYS =
      {"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"};

  private final OnnxFile weights;
  private final String prefix;
  private final double[] x;
  private final double[][] queries = new double[3][];
  private double[] context;
  private double[] between;
  private double[] wide;
  private double[] output;
  private List<Array> inputs = List.of();

  private FloatLayer(OnnxFile weights, String prefix, double[] x) {
    this.weights = weights;
    this.prefix = prefix;
    this.x = x;
  }

  /// The first layer, run for the tokens `ids`.
  static FloatLayer first(OnnxFile weights, int[] ids) {
    double[] sum = new double[ids.length * D];
    for (int i = 0; i < sum.length; i++) {
      sum[i] = at(weights, "embeddings.word_embeddings.weight", ids[i / D] * D + i % D)
          + at(weights, "embeddings.position_embeddings.weight", i) + at(weights, "embeddings.token_type_embeddings.weight", i % D);
    }
    FloatLayer layer = new FloatLayer(weights, "encoder.layer.0.", sum);
    double[] x = layer.norm(sum, "", "embeddings.LayerNorm");
    FloatLayer first = new FloatLayer(weights, "encoder.layer.0.", x);
    first.run();
    return first.loaded();
  }

  private static double at(OnnxFile weights, String key, long index) {
    return weights.require(key).data().get(ValueLayout.JAVA_FLOAT_UNALIGNED, index * Float.BYTES);
  }

  private double[] weight(String key) {
    return read(prefix + key);
  }

  private double[] read(String key) {
    float[] floats = weights.require(key).data().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
    return IntStream.range(0, floats.length).mapToDouble(i -> floats[i]).toArray();
  }

  private static double[] linear(double[] x, double[] w, double[] bias) {
    int columns = bias.length;
    int rows = w.length / columns;
    double[] y = new double[x.length / rows * columns];
    for (int t = 0; t < x.length / rows; t++) {
      for (int k = 0; k < rows; k++) {
        for (int n = 0; n < columns; n++) {
          y[t * columns + n] += x[t * rows + k] * w[k * columns + n];
        }
      }
    }
    return IntStream.range(0, y.length).mapToDouble(i -> y[i] + bias[i % columns]).toArray();
  }

  private double[] norm(double[] x, String scope, String key) {
    double[] gamma = read(scope + key + ".weight");
    double[] beta = read(scope + key + ".bias");
    double[] y = new double[x.length];
    for (int t = 0; t < x.length / D; t++) {
      double[] row = Arrays.copyOfRange(x, t * D, t * D + D);
      double mean = Arrays.stream(row).sum() / D;
      double deviation = Math.sqrt(Arrays.stream(row).map(v -> (v - mean) * (v - mean)).sum() / D);
      for (int d = 0; d < D; d++) {
        y[t * D + d] = (row[d] - mean) / deviation * gamma[d] + beta[d];
      }
    }
    return y;
  }

  private void run() {
    for (int i = 0; i < 3; i++) {
      queries[i] = linear(x, weight(KEYS[i] + ".MatMul"), weight(KEYS[i] + ".bias"));
    }
    context = attention();
    double[] attended = linear(context, weight(KEYS[3] + ".MatMul"), weight(KEYS[3] + ".bias"));
    between = norm(IntStream.range(0, x.length).mapToDouble(i -> x[i] + attended[i]).toArray(), prefix, "attention.output.LayerNorm");
    wide = linear(between, weight("intermediate.dense.MatMul"), weight("intermediate.dense.bias"));
    wide = Arrays.stream(wide).map(v -> v * gaussian(v)).toArray();
    double[] narrow = linear(wide, weight("output.dense.MatMul"), weight("output.dense.bias"));
    output = norm(IntStream.range(0, x.length).mapToDouble(i -> between[i] + narrow[i]).toArray(), prefix, "output.LayerNorm");
  }

  /// The share of a normal distribution below `v`, by Simpson's rule.
  private static double gaussian(double v) {
    int steps = 200;
    double width = v / steps;
    double sum = IntStream.rangeClosed(0, steps)
        .mapToDouble(i -> (i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2) * Math.exp(-0.5 * i * width * i * width)).sum();
    return 0.5 + sum * width / 3 / Math.sqrt(2 * Math.PI);
  }

  private double[] attention() {
    int tokens = x.length / D;
    double[] z = new double[x.length];
    for (int h = 0; h < HEADS; h++) {
      for (int p = 0; p < tokens; p++) {
        double[] score = new double[tokens];
        for (int m = 0; m < tokens; m++) {
          for (int e = h * WIDTH; e < h * WIDTH + WIDTH; e++) {
            score[m] += queries[0][p * D + e] * queries[1][m * D + e] / Math.sqrt(WIDTH);
          }
        }
        double sum = Arrays.stream(score).map(Math::exp).sum();
        for (int m = 0; m < tokens; m++) {
          for (int e = h * WIDTH; e < h * WIDTH + WIDTH; e++) {
            z[p * D + e] += Math.exp(score[m]) / sum * queries[2][m * D + e];
          }
        }
      }
    }
    return z;
  }

  /// What the layer gives.
  double[] output() {
    return output;
  }

  /// The inputs of the layer in whole numbers.
  List<Array> quantized() {
    return inputs;
  }

  private static double unit(double[] values) {
    return Arrays.stream(values).map(Math::abs).max().orElseThrow() / 127;
  }

  private static long[] rounded(double[] values, double unit) {
    return Arrays.stream(values).mapToLong(v -> Math.round(v / unit)).toArray();
  }

  /// Weights in bytes, with a unit for each column.
  private record Columns(long[] codes, double[] units) {
    static Columns of(double[] weights, int columns) {
      double[] units = new double[columns];
      for (int i = 0; i < weights.length; i++) {
        units[i % columns] = Math.max(units[i % columns], Math.abs(weights[i]) / 127);
      }
      return new Columns(IntStream.range(0, weights.length).mapToLong(i -> Math.round(weights[i] / units[i % columns])).toArray(), units);
    }

    /// What is added to sums of products with numbers in units of `in`.
    long[] bias(double[] values, double in) {
      return IntStream.range(0, values.length).mapToLong(i -> Math.round(values[i] / (in * units[i]))).toArray();
    }

    /// From these sums to units of `out`, times 2^24.
    long[] rates(double in, double out) {
      return IntStream.range(0, units.length).mapToLong(i -> Math.round(in * units[i] / out * (1 << 24))).toArray();
    }
  }

  /// With its inputs, while the file is open.
  private FloatLayer loaded() {
    double ux = unit(x);
    double[] uq = Arrays.stream(queries).mapToDouble(FloatLayer::unit).toArray();
    double uc = unit(context);
    double ub = unit(between);
    double ug = unit(wide);
    long[] a = new long[4 * D * D];
    long[] bias = new long[4 * D];
    long[] column = new long[5 * D];
    for (int i = 0; i < 4; i++) {
      Columns columns = Columns.of(weight(KEYS[i] + ".MatMul"), D);
      double in = i < 3 ? ux : uc;
      System.arraycopy(columns.codes(), 0, a, i * D * D, D * D);
      System.arraycopy(columns.bias(weight(KEYS[i] + ".bias"), in), 0, bias, i * D, D);
      System.arraycopy(columns.rates(in, i < 3 ? uq[i] : 0x1p-12), 0, column, i * D, D);
    }
    Columns first = Columns.of(weight("intermediate.dense.MatMul"), F);
    Columns second = Columns.of(weight("output.dense.MatMul"), D);
    System.arraycopy(second.rates(ug, 0x1p-12), 0, column, 4 * D, D);
    long[] norm = new long[4 * D];
    List<String> parts = List.of("attention.output.LayerNorm.weight", "attention.output.LayerNorm.bias", "output.LayerNorm.weight", "output.LayerNorm.bias");
    for (int i = 0; i < 4; i++) {
      System.arraycopy(rounded(weight(parts.get(i)), 0x1p-12), 0, norm, i * D, D);
    }
    double[] rates = {uq[0] * uq[1] / Math.sqrt(WIDTH) * 256, uq[2] * 0x1p-15 / uc, 0x1p-12 / ub, 1 / 256.0 / ug, ux * 0x1p12, ub * 0x1p12};
    long[] rate = IntStream.range(0, 6).mapToLong(i -> Math.round(rates[i] * (i < 4 ? 1 << 24 : 1 << 16))).toArray();
    inputs = List.of(
        Array.of(ElementType.I8, rounded(x, ux), x.length / D, D), Array.of(ElementType.I8, a, 4, D, D), Array.of(ElementType.I32, bias, 4, D),
        Array.of(ElementType.I32, norm, 4, D), Array.of(ElementType.I8, first.codes(), D, F),
        Array.of(ElementType.I32, first.bias(weight("intermediate.dense.bias"), ub), F), Array.of(ElementType.I8, second.codes(), F, D),
        Array.of(ElementType.I32, second.bias(weight("output.dense.bias"), ug), D), Array.of(ElementType.I32, column, 5, D),
        Array.of(ElementType.I32, first.rates(ub, 1 / 256.0), F), Array.of(ElementType.I32, rate, 6));
    return this;
  }
}
