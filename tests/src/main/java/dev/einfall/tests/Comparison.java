package dev.einfall.tests;

import dev.einfall.backends.reference.Array;
import java.util.Arrays;
import java.util.Optional;

/// Compares results with those of the reference interpreter.
public record Comparison(double tolerance) {

  /// The largest error of `f32` arithmetic that sums of `length` terms, each of a size around 1, are allowed.
  public static Comparison ofSums(long length) {
    return new Comparison(4e-6 * Math.sqrt(Math.max(1, length)) + 1e-5);
  }

  /// Where `actual` differs from `expected` by more than the tolerance, times the expected magnitude where that is above
  /// 1; nothing if it does not. Numbers that are not finite, and all integers, must be equal.
  public Optional<String> difference(Array expected, Array actual) {
    if (expected.type() != actual.type() || !Arrays.equals(expected.shape(), actual.shape())) {
      return Optional.of("expected " + expected + " but got " + actual);
    }
    for (int i = 0; i < expected.elements(); i++) {
      if (!isClose(expected, actual, i)) {
        return Optional.of("element " + i + " of " + expected + " should be " + text(expected, i) + " but is "
            + text(actual, i));
      }
    }
    return Optional.empty();
  }

  private boolean isClose(Array expected, Array actual, int i) {
    if (!expected.type().isFloat()) {
      return expected.integers()[i] == actual.integers()[i];
    }
    double right = expected.numbers()[i];
    double value = actual.numbers()[i];
    return Double.compare(right, value) == 0 || right == value
        || Math.abs(right - value) <= tolerance * Math.max(1, Math.abs(right));
  }

  private static String text(Array array, int i) {
    return array.type().isFloat() ? Double.toString(array.numbers()[i]) : Long.toString(array.integers()[i]);
  }
}
