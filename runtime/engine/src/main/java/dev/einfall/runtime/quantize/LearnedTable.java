package dev.einfall.runtime.quantize;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/// The numbers that stand best for others: weighted k-means in one dimension (Lloyd, 1982), as any4 does for the rows of weights (Elhoushi and Johnson, 2025).
final class LearnedTable {
  private static final int ROUNDS = 30;

  private LearnedTable() {}

  /// So many numbers, in order; those of an empty cluster are the ones before it.
  ///
  /// @param numbers what they stand for
  /// @param weights by which the squares of the differences count, 0 or more
  static float[] of(double[] numbers, double[] weights, int count) {
    int[] order = IntStream.range(0, numbers.length).filter(i -> weights[i] > 0).boxed().sorted(Comparator.comparing(i -> numbers[i])).mapToInt(i -> i).toArray();
    double[] sorted = Arrays.stream(order).mapToDouble(i -> numbers[i]).toArray();
    double[] weight = new double[order.length + 1];
    double[] moment = new double[order.length + 1];
    for (int i = 0; i < order.length; i++) {
      weight[i + 1] = weight[i] + weights[order[i]];
      moment[i + 1] = moment[i] + weights[order[i]] * sorted[i];
    }
    double[] table = start(sorted, count);
    for (int round = 0; round < ROUNDS; round++) {
      improve(table, sorted, weight, moment);
    }
    float[] floats = new float[count];
    IntStream.range(0, count).forEach(i -> floats[i] = (float) table[i]);
    return floats;
  }

  static float[] ones(int count) {
    float[] ones = new float[count];
    Arrays.fill(ones, 1);
    return ones;
  }

  /// Evenly spaced between the ends, half way to the numbers that have as many below them.
  private static double[] start(double[] sorted, int count) {
    double[] table = new double[count];
    for (int i = 0; i < count && sorted.length > 0; i++) {
      double even = sorted[0] + (sorted[sorted.length - 1] - sorted[0]) * i / Math.max(1, count - 1);
      table[i] = (even + sorted[(int) ((long) i * (sorted.length - 1) / Math.max(1, count - 1))]) / 2;
    }
    return table;
  }

  private static void improve(double[] table, double[] sorted, double[] weight, double[] moment) {
    int from = 0;
    double[] old = table.clone();
    for (int i = 0; i < table.length; i++) {
      int to = i + 1 < table.length ? Math.max(from, below(sorted, (old[i] + old[i + 1]) / 2)) : sorted.length;
      if (to > from) {
        table[i] = (moment[to] - moment[from]) / (weight[to] - weight[from]);
      }
      from = to;
    }
  }

  /// How many of `sorted` are not above `limit`.
  private static int below(double[] sorted, double limit) {
    int low = 0;
    int high = sorted.length;
    while (low < high) {
      int middle = (low + high) / 2;
      if (sorted[middle] <= limit) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
