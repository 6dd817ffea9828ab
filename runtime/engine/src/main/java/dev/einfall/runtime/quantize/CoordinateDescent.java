package dev.einfall.runtime.quantize;

/// Rounds a row so that its error on the calibration data is least: one element after the other becomes the number of its grid that is best beside the
/// others as they are, until none changes (QuantEase, Behdin et al., 2023; whether to round up or down is learned so, as in AdaRound, Nagel et al., 2020).
///
/// @param sums of products of what the row is multiplied with, by rows: positive definite
/// @param length of a row
record CoordinateDescent(double[] sums, int length) {
  private static final int ROUNDS = 12;

  /// Makes `rounded` better.
  ///
  /// @param exact the row that it stands for
  /// @param grids for each element, the numbers that it can be, in order
  /// @param at where the row starts in both
  void improve(float[] rounded, float[] exact, int at, float[][] grids, int unit) {
    double[] slopes = new double[length];
    for (int j = 0; j < length; j++) {
      add(slopes, j, (double) rounded[at + j] - exact[at + j]);
    }
    boolean changes = true;
    for (int round = 0; round < ROUNDS && changes; round++) {
      changes = false;
      for (int j = 0; j < length; j++) {
        float old = rounded[at + j];
        double best = old - slopes[j] / sums[j * length + j];
        float next = Rounding.nearest(grids[(at + j) / unit], best);
        if (Math.abs(next - best) < Math.abs(old - best)) {
          rounded[at + j] = next;
          add(slopes, j, (double) next - old);
          changes = true;
        }
      }
    }
  }

  private void add(double[] slopes, int j, double difference) {
    if (difference != 0) {
      int row = j * length;
      for (int k = 0; k < length; k++) {
        slopes[k] += difference * sums[row + k];
      }
    }
  }
}
