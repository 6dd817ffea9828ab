package dev.einfall.runtime;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.ElementType;
import dev.einfall.passes.Scalars;
import java.util.Arrays;

/// How far an output is from what double precision gives. Of integers and truths, only how many differ.
///
/// @param elements how many elements the output has
/// @param wrong how many of them differ where no distance can be told: integers, NaN, infinities
/// @param maxAbsolute the largest distance
/// @param maxScaled the largest distance, each as a part of the exact value, or of the root of the mean square of all where that
///     is larger, so that a value which happens to be near 0 does not count more than the others
/// @param medianUlps the distance of half of the elements, in units in the last place of the exact value
/// @param highUlps that of 99 of 100 elements
/// @param maxUlps the largest
public record OutputError(
    long elements, long wrong, double maxAbsolute, double maxScaled, double medianUlps, double highUlps, double maxUlps) {

  /// The error of `actual`, which holds rounded numbers, against `exact`.
  static OutputError of(Array exact, Array actual) {
    return exact.type().isFloat() ? ofNumbers(exact, actual) : ofIntegers(exact, actual);
  }

  private static OutputError ofIntegers(Array exact, Array actual) {
    long wrong = 0;
    for (int i = 0; i < exact.elements(); i++) {
      wrong += exact.integers()[i] == actual.integers()[i] ? 0 : 1;
    }
    return new OutputError(exact.elements(), wrong, 0, 0, 0, 0, 0);
  }

  private static OutputError ofNumbers(Array exact, Array actual) {
    double[] ulps = new double[exact.elements()];
    double scale = rootMeanSquare(exact.numbers());
    double maxAbsolute = 0;
    double maxScaled = 0;
    int wrong = 0;
    int compared = 0;
    for (int i = 0; i < exact.elements(); i++) {
      double expected = exact.numbers()[i];
      double value = actual.numbers()[i];
      double distance = Math.abs(value - expected);
      if (Double.isFinite(distance)) {
        maxAbsolute = Math.max(maxAbsolute, distance);
        maxScaled = Math.max(maxScaled, distance == 0 ? 0 : distance / Math.max(Math.abs(expected), scale));
        ulps[compared++] = distance / ulp(exact.type(), expected);
      } else if (Double.compare(Scalars.round(exact.type(), expected), value) != 0) {
        wrong++;
      }
    }
    double[] sorted = Arrays.copyOf(ulps, compared);
    Arrays.sort(sorted);
    return new OutputError(exact.elements(), wrong, maxAbsolute, maxScaled, at(sorted, 0.5), at(sorted, 0.99), at(sorted, 1));
  }

  /// The root of the mean square of those that are finite.
  private static double rootMeanSquare(double[] values) {
    double[] finite = Arrays.stream(values).filter(Double::isFinite).toArray();
    double largest = Arrays.stream(finite).map(Math::abs).max().orElse(0);
    return largest == 0 ? 0 : largest * Math.sqrt(Arrays.stream(finite).map(x -> x / largest * (x / largest)).average().orElse(0));
  }

  private static double at(double[] sorted, double part) {
    return sorted.length == 0 ? 0 : sorted[(int) Math.ceil(part * sorted.length) - 1];
  }

  /// The distance of two neighbours among the values of `type` around `value`.
  static double ulp(ElementType type, double value) {
    int exponent = Math.max(Math.getExponent(value), lowestExponent(type));
    return Math.scalb(1.0, exponent - fractionBits(type));
  }

  private static int fractionBits(ElementType type) {
    return switch (type) {
      case F64 -> 52;
      case F32 -> 23;
      case F16 -> 10;
      case BF16 -> 7;
      case I64, I32, I16, I8, U8, BOOL -> throw new IllegalArgumentException("fraction of " + type);
    };
  }

  private static int lowestExponent(ElementType type) {
    return switch (type) {
      case F64 -> Double.MIN_EXPONENT;
      case F32, BF16 -> Float.MIN_EXPONENT;
      case F16 -> -14;
      case I64, I32, I16, I8, U8, BOOL -> throw new IllegalArgumentException("exponent of " + type);
    };
  }
}
