package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.ir.ElementType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// By what the columns of a weight are multiplied before they are rounded, and what they are multiplied with is divided: a power of how large that is, the one of
/// several with the least error on the calibration data (AWQ, Lin et al., 2023).
///
/// @param factors the inverses of the scales, as an `f32` has them
record ChannelScales(double[] factors) {
  private static final double[] POWERS = {0, 0.15, 0.3, 0.45, 0.6, 0.75};

  /// @param sums of products of what the weight is multiplied with
  static ChannelScales of(Matrix matrix, EncodingProgram program, double[] sums) {
    Factor factor = Factor.of(sums, matrix.length());
    ChannelScales best = null;
    double least = Double.POSITIVE_INFINITY;
    for (double power : POWERS) {
      ChannelScales scales = of(sums, matrix.length(), power);
      double error = factor.weigh(scales.error(matrix, program), matrix.rows());
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
    return new ChannelScales(Arrays.stream(logarithms).map(size -> (float) Math.exp(power * (mean - size))).toArray());
  }

  double[] scales() {
    return Arrays.stream(factors).map(factor -> 1 / factor).toArray();
  }

  private double[] error(Matrix matrix, EncodingProgram program) {
    double[] decoded = Matrix.widened(program.decode(program.encode(matrix.times(scales()))));
    for (int i = 0; i < decoded.length; i++) {
      decoded[i] = matrix.elements()[i] - decoded[i] * factors[i % factors.length];
    }
    return decoded;
  }

  /// The sums of products of what the stored weight is multiplied with.
  double[] unscaled(double[] sums) {
    int length = factors.length;
    double[] scaled = new double[sums.length];
    Arrays.setAll(scaled, i -> sums[i] * factors[i / length] * factors[i % length]);
    return scaled;
  }

  /// The factors, as they are stored for the weight `key`.
  StoredTensor stored(String key) {
    float[] values = new float[factors.length];
    IntStream.range(0, values.length).forEach(i -> values[i] = (float) factors[i]);
    return new StoredTensor(key + Rewriting.FACTOR, ElementType.F32, List.of((long) values.length), MemorySegment.ofArray(values));
  }
}
