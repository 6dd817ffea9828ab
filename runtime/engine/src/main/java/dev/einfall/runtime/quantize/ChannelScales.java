package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// By what the columns of weights are multiplied before they are rounded, and what they are multiplied with is divided: `X_scaled[m, k] = X[m, k] * factor[k]`.
///
/// @param name of the factors, behind the key of their weight
/// @param factors the inverses of the scales, as an `f32` has them
record ChannelScales(String name, double[] factors) implements ChannelMap {
  private static final String AWARE = "factor";
  private static final String SMOOTH = "smooth";
  private static final double[] POWERS = {0, 0.15, 0.3, 0.45, 0.6, 0.75};
  /// What the smallest column is taken for, as a part of the largest.
  private static final double LEAST = 1e-5;

  /// A weight, and how it is rounded.
  record Rounded(Matrix matrix, EncodingProgram program) {}

  /// The scales of the power of how large activations are, of several, with the least error on the calibration data (AWQ, Lin et al., 2023).
  ///
  /// @param weights that are multiplied with one tensor, all of whose errors count
  /// @param sums of products of what they are multiplied with
  static ChannelScales of(List<Rounded> weights, double[] sums) {
    int length = weights.getFirst().matrix.length();
    Factor factor = Factor.of(sums, length);
    ChannelScales best = null;
    double least = Double.POSITIVE_INFINITY;
    for (double power : POWERS) {
      ChannelScales scales = of(sums, length, power);
      double error = weights.stream().mapToDouble(weight -> factor.weigh(scales.error(weight.matrix, weight.program), weight.matrix.rows())).sum();
      if (best == null || error < least) {
        best = scales;
        least = error;
      }
    }
    return best;
  }

  /// Those of a power, whose logarithms are 0 in the mean.
  private static ChannelScales of(double[] sums, int length, double power) {
    double most = IntStream.range(0, length).mapToDouble(i -> sums[i * length + i]).max().orElseThrow();
    double[] logarithms = IntStream.range(0, length).mapToDouble(i -> most > 0 ? Math.log(Math.max(sums[i * length + i], 1e-8 * most)) / 2 : 0).toArray();
    double mean = Arrays.stream(logarithms).average().orElseThrow();
    return new ChannelScales(AWARE, Arrays.stream(logarithms).map(size -> (float) Math.exp(power * (mean - size))).toArray());
  }

  /// The largest activations to the power of `strength`, over the largest weights to that of the rest (SmoothQuant, Xiao et al., 2022).
  static ChannelScales smooth(double[] activations, double[] weights, double strength) {
    double mostActive = Math.max(Arrays.stream(activations).max().orElse(0), Double.MIN_NORMAL);
    double mostWeight = Math.max(Arrays.stream(weights).max().orElse(0), Double.MIN_NORMAL);
    double[] factors = new double[activations.length];
    Arrays.setAll(factors, i -> {
      double active = Math.max(activations[i] / mostActive, LEAST);
      double weight = Math.max(weights[i] / mostWeight, LEAST);
      return (float) (Math.pow(weight, 1 - strength) / Math.pow(active, strength));
    });
    return new ChannelScales(SMOOTH, factors);
  }

  private double[] scales() {
    return Arrays.stream(factors).map(factor -> 1 / factor).toArray();
  }

  private double[] error(Matrix matrix, EncodingProgram program) {
    double[] decoded = Matrix.widened(program.decode(program.encode(weights(matrix.elements()))));
    for (int i = 0; i < decoded.length; i++) {
      decoded[i] = matrix.elements()[i] - decoded[i] * factors[i % factors.length];
    }
    return decoded;
  }

  @Override
  public float[] weights(float[] rows) {
    double[] scales = scales();
    float[] product = new float[rows.length];
    for (int i = 0; i < rows.length; i++) {
      product[i] = (float) (rows[i] * scales[i % scales.length]);
    }
    return product;
  }

  /// What a row is multiplied with after it, for what it was multiplied with before.
  float[] activations(float[] row) {
    double[] scaled = Matrix.widened(row);
    undo(scaled, row);
    float[] floats = new float[row.length];
    IntStream.range(0, row.length).forEach(i -> floats[i] = (float) scaled[i]);
    return floats;
  }

  @Override
  public double[] sums(double[] sums) {
    int length = factors.length;
    double[] scaled = new double[sums.length];
    Arrays.setAll(scaled, i -> sums[i] * factors[i / length] * factors[i % length]);
    return scaled;
  }

  @Override
  public void undo(double[] rows, float[] before) {
    for (int i = 0; i < rows.length; i++) {
      rows[i] *= factors[i % factors.length];
    }
  }

  @Override
  public List<StoredTensor> stored(String key) {
    float[] values = new float[factors.length];
    IntStream.range(0, values.length).forEach(i -> values[i] = (float) factors[i]);
    return List.of(new StoredTensor(key + "." + name, ElementType.F32, List.of((long) values.length), MemorySegment.ofArray(values)));
  }

  /// As the map of a weight that is scaled for itself, before its scales are known.
  static ChannelScales aware(int length) {
    return new ChannelScales(AWARE, new double[length]);
  }

  @Override
  public Tensor applied(Tensor input, Owner owner, Additions additions) {
    Tensor factor = additions.weight(owner.key() + "." + name, owner.name() + "_" + name, ElementType.F32, List.of(factors.length));
    List<Rank> ranks = Additions.ranks(input);
    Expr last = new Expr.Coordinate(ranks.getLast());
    Expr element = Additions.element(input, ranks.subList(0, ranks.size() - 1), last);
    return additions.define(input.name() + "_scaled", ranks, new Expr.Binary(BinaryOp.MUL, element, new Expr.Access(factor, List.of(last))));
  }
}
