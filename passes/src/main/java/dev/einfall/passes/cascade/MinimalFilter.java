package dev.einfall.passes.cascade;

import java.util.ArrayList;
import java.util.List;

/// Winograd's minimal filtering of one rank: `outputs` neighbouring results of a filter of `taps` taps, by as many products as there are
/// inputs, `outputs + taps - 1`, in place of `outputs * taps` (S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin and S. Gray,
/// https://arxiv.org/abs/1509.09308).
///
/// A filter is a product of polynomials, which is known by its values at as many points as it has coefficients, one of them infinity:
///
/// ```
/// sum[r](F[r] * X[k + r])  =  sum[i](output[k][i] * (sum[r](filter[i][r] * F[r]) * sum[a](input[i][a] * X[a])))
/// ```
///
/// @param outputs how many results, one or more
/// @param taps of the filter, one or more: with the outputs, one more than there are points
record MinimalFilter(int outputs, int taps) {
  /// Powers of others are no longer 0, 1 and -1, and more digits cancel.
  private static final double[] FINITE = {0, 1, -1};
  /// The points that there are, with infinity.
  static final int POINTS = FINITE.length + 1;

  MinimalFilter {
    if (outputs < 1 || taps < 1 || outputs + taps - 1 != POINTS) {
      throw new IllegalArgumentException(POINTS + " points are not for " + outputs + " outputs of " + taps + " taps");
    }
  }

  /// The values of the filter at the points, divided by what the inputs are multiples of: `points` rows of `taps`.
  double[][] filter() {
    double[][] rows = new double[POINTS][taps];
    for (int i = 0; i < POINTS - 1; i++) {
      double divisor = Math.abs(weight(i));
      for (int r = 0; r < taps; r++) {
        rows[i][r] = Math.pow(FINITE[i], r) / divisor;
      }
    }
    rows[POINTS - 1][taps - 1] = 1;
    return rows;
  }

  /// `points` rows of as many inputs: the polynomials that are 0 at all points but one.
  double[][] input() {
    double[][] rows = new double[POINTS][];
    for (int i = 0; i < POINTS; i++) {
      List<Double> others = new ArrayList<>();
      for (int k = 0; k < POINTS - 1; k++) {
        if (k != i) {
          others.add(FINITE[k]);
        }
      }
      rows[i] = withRoots(others, i < POINTS - 1 && weight(i) < 0 ? -1 : 1);
    }
    return rows;
  }

  /// `outputs` rows of `points`.
  double[][] output() {
    double[][] rows = new double[outputs][POINTS];
    for (int k = 0; k < outputs; k++) {
      for (int i = 0; i < POINTS - 1; i++) {
        rows[k][i] = Math.pow(FINITE[i], k);
      }
    }
    rows[outputs - 1][POINTS - 1] = 1;
    return rows;
  }

  /// The product of the distances of a point to the others.
  private double weight(int point) {
    double product = 1;
    for (int k = 0; k < POINTS - 1; k++) {
      product *= k == point ? 1 : FINITE[point] - FINITE[k];
    }
    return product;
  }

  /// The coefficients, lowest first and as many as there are points, of `factor` times the product of `x - root`.
  private double[] withRoots(List<Double> roots, double factor) {
    double[] coefficients = new double[POINTS];
    coefficients[0] = factor;
    for (double root : roots) {
      for (int i = coefficients.length - 1; i >= 0; i--) {
        coefficients[i] = (i == 0 ? 0 : coefficients[i - 1]) - root * coefficients[i];
      }
    }
    return coefficients;
  }
}
