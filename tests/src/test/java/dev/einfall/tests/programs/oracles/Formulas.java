package dev.einfall.tests.programs.oracles;

import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/// The few formulas that many oracles need, in their plainest form.
final class Formulas {

  /// A number for an index of the result and a position.
  @FunctionalInterface
  interface At {
    double at(int[] index, int position);
  }

  private Formulas() {}

  /// The sum of `terms` over 0 to `count`, exclusively.
  static double sum(int count, IntToDoubleFunction terms) {
    return IntStream.range(0, count).mapToDouble(terms).sum();
  }

  /// The sum of `x[..., i] y[..., i]` along the last dimension, before which stand the indices `row`.
  static double dot(Doubles x, int[] row, Doubles y, int[] column) {
    return sum(x.size(row.length), i -> x.get(append(row, i)) * y.get(append(column, i)));
  }

  static int[] append(int[] index, int last) {
    int[] longer = Arrays.copyOf(index, index.length + 1);
    longer[index.length] = last;
    return longer;
  }

  /// The index without its last number.
  static int[] row(int[] index) {
    return Arrays.copyOf(index, index.length - 1);
  }

  /// The index with another last number.
  static int[] beside(int[] index, int last) {
    return append(row(index), last);
  }

  static double[] softmax(int count, IntToDoubleFunction x) {
    double most = IntStream.range(0, count).mapToDouble(x).max().orElseThrow();
    double[] e = IntStream.range(0, count).mapToDouble(i -> Math.exp(x.applyAsDouble(i) - most)).toArray();
    double total = Arrays.stream(e).sum();
    return Arrays.stream(e).map(value -> value / total).toArray();
  }

  static double logSumExp(int count, IntToDoubleFunction x) {
    double most = IntStream.range(0, count).mapToDouble(x).max().orElseThrow();
    return most + Math.log(sum(count, i -> Math.exp(x.applyAsDouble(i) - most)));
  }

  /// At each index the mean of `value` over `keys` positions, weighted by softmax of `score`.
  static Doubles attention(int keys, At score, At value, int... shape) {
    return Doubles.of(index -> {
      double[] weights = softmax(keys, m -> score.at(index, m));
      return sum(keys, m -> weights[m] * value.at(index, m));
    }, shape);
  }

  static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  static double silu(double x) {
    return x * sigmoid(x);
  }

  static double gelu(double x) {
    return 0.5 * x * (1 + erf(x / Math.sqrt(2)));
  }

  /// By Taylor's series, which is exact enough for x up to 5.
  static double erf(double x) {
    double power = x;
    double result = 0;
    for (int n = 0; n < 120; n++) {
      result += power / (2 * n + 1);
      power *= -x * x / (n + 1);
    }
    return 2 / Math.sqrt(Math.PI) * result;
  }

  /// The positions in the order of falling values; equal ones keep theirs.
  static int[] descending(int count, IntToDoubleFunction values) {
    return IntStream.range(0, count).boxed()
        .sorted((a, b) -> Double.compare(values.applyAsDouble(b), values.applyAsDouble(a))).mapToInt(i -> i).toArray();
  }
}
