package dev.einfall.runtime.quantize;

import java.util.List;
import java.util.stream.IntStream;

/// How large the columns of weights are that one tensor is multiplied with.
///
/// @param peaks the largest size of an element
/// @param sizes the norms
/// @param contributions the norms of what they come to in products with the calibration data, or the norms where there is none
record Columns(double[] peaks, double[] sizes, double[] contributions) {

  static Columns of(List<Mapped> weights, int length) {
    double[] peaks = new double[length];
    double[] squares = new double[length];
    for (Mapped weight : weights) {
      float[] rows = weight.rows().elements();
      for (int i = 0; i < rows.length; i++) {
        peaks[i % length] = Math.max(peaks[i % length], Math.abs(rows[i]));
        squares[i % length] += (double) rows[i] * rows[i];
      }
    }
    double[] sizes = IntStream.range(0, length).mapToDouble(i -> Math.sqrt(squares[i])).toArray();
    double[] contributions = weights.getFirst().sums()
        .map(sums -> IntStream.range(0, length).mapToDouble(i -> Math.sqrt(squares[i] * sums[i * length + i])).toArray()).orElse(sizes);
    return new Columns(peaks, sizes, contributions);
  }
}
