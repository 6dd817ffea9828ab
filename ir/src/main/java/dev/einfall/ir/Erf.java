package dev.einfall.ir;

/// The error function, to about the last bit of a `double`: what constants are folded with, and what backends call where
/// no pass has expanded it.
public final class Erf {
  private static final double TWO_OVER_SQRT_PI = 1.1283791670955126;
  private static final double SERIES_END = 2.5;
  private static final double ONE_FROM_HERE = 6.0;

  private Erf() {}

  /// `2 / sqrt(pi)` times the integral of `exp(-t * t)` from 0 to `x`.
  public static double erf(double x) {
    double size = Math.abs(x);
    if (size >= ONE_FROM_HERE) {
      return Math.signum(x);
    }
    return size < SERIES_END ? series(x) : Math.signum(x) * (1 - tail(size));
  }

  /// `erf(x) = 2 / sqrt(pi) * exp(-x^2) * sum of 2^n x^(2n+1) / (1 * 3 * ... * (2n+1))`: no term cancels another.
  private static double series(double x) {
    double term = x;
    double sum = x;
    for (int n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
      term *= 2 * x * x / (2 * n + 1);
      sum += term;
    }
    return TWO_OVER_SQRT_PI * Math.exp(-x * x) * sum;
  }

  /// `1 - erf(x)` by its continued fraction `exp(-x^2) / sqrt(pi) / (x + (1/2) / (x + (2/2) / (x + (3/2) / ...)))`.
  private static double tail(double x) {
    double fraction = x;
    for (int n = 60; n >= 1; n--) {
      fraction = x + n / 2.0 / fraction;
    }
    return TWO_OVER_SQRT_PI / 2 * Math.exp(-x * x) / fraction;
  }
}
