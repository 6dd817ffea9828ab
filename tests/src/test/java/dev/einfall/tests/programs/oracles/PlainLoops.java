package dev.einfall.tests.programs.oracles;

import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.IntToDoubleFunction;

/// Formulas that several oracles need, as plain loops.
final class PlainLoops {
  private PlainLoops() {}

  static Doubles map(Doubles x, DoubleUnaryOperator f) {
    return Doubles.of(i -> f.applyAsDouble(x.get(i)), x.shape());
  }

  static Doubles zip(Doubles x, Doubles y, DoubleBinaryOperator f) {
    return Doubles.of(i -> f.applyAsDouble(x.get(i), y.get(i)), x.shape());
  }

  static Doubles add(Doubles x, Doubles y) {
    return zip(x, y, Double::sum);
  }

  static Doubles relu(Doubles x) {
    return map(x, v -> Math.max(v, 0));
  }

  static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  /// The sum of `term` for 0 to `count` - 1.
  static double sum(int count, IntToDoubleFunction term) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += term.applyAsDouble(i);
    }
    return sum;
  }

  /// The largest of `term` for 0 to `count` - 1.
  static double max(int count, IntToDoubleFunction term) {
    double max = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      max = Math.max(max, term.applyAsDouble(i));
    }
    return max;
  }

  /// The first of 0 to `count` - 1 at which `term` is largest.
  static int argmax(int count, IntToDoubleFunction term) {
    int best = 0;
    for (int i = 1; i < count; i++) {
      best = term.applyAsDouble(i) > term.applyAsDouble(best) ? i : best;
    }
    return best;
  }

  /// log(sum of exp(term)).
  static double logSumExp(int count, IntToDoubleFunction term) {
    double max = max(count, term);
    return max == Double.NEGATIVE_INFINITY ? max
        : max + Math.log(sum(count, i -> Math.exp(term.applyAsDouble(i) - max)));
  }

  /// W x for each row x along the last dimension.
  static Doubles rows(Doubles x, Doubles matrix) {
    int[] shape = x.shape();
    int last = shape.length - 1;
    int length = shape[last];
    shape[last] = matrix.size(0);
    return Doubles.of(i -> {
      int[] at = i.clone();
      return sum(length, k -> {
        at[last] = k;
        return matrix.get(i[last], k) * x.get(at);
      });
    }, shape);
  }

  /// The tensors after one another along a dimension.
  static Doubles concat(int dimension, Doubles first, Doubles second) {
    int[] shape = first.shape();
    int split = shape[dimension];
    shape[dimension] += second.size(dimension);
    return Doubles.of(i -> {
      int[] at = i.clone();
      at[dimension] = i[dimension] < split ? i[dimension] : i[dimension] - split;
      return (i[dimension] < split ? first : second).get(at);
    }, shape);
  }

  /// The elements of the first dimension's place `at`.
  static Doubles part(Doubles x, int at) {
    int[] shape = x.shape();
    int[] rest = java.util.Arrays.copyOfRange(shape, 1, shape.length);
    return Doubles.of(i -> {
      int[] index = new int[shape.length];
      index[0] = at;
      System.arraycopy(i, 0, index, 1, i.length);
      return x.get(index);
    }, rest);
  }
}
