package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.PlainLoops.max;

import java.util.stream.IntStream;

/// What numbers become when they are stored in few bits, as plain loops: ties go to the even integer.
final class Rounded {
  private Rounded() {}

  /// Whole multiples, from -largest to largest, of the largest size among so many neighbours of a row over `largest`.
  static Doubles evenly(Doubles x, int group, int largest) {
    return groups(x, group, row -> {
      double scale = max(group, i -> Math.abs(row[i])) / largest;
      return IntStream.range(0, group).mapToDouble(i -> scale > 0 ? Math.clamp(Math.rint(row[i] / scale), -largest, largest) * scale : 0).toArray();
    });
  }

  /// 16 steps from the least to the largest of so many neighbours of a row, with 0 among them.
  static Doubles inSteps(Doubles x, int group) {
    return groups(x, group, row -> {
      double low = Math.min(-max(group, i -> -row[i]), 0);
      double scale = (Math.max(max(group, i -> row[i]), 0) - low) / 15;
      double zero = scale > 0 ? Math.rint(-low / scale) : 0;
      return IntStream.range(0, group).mapToDouble(i -> scale > 0 ? (Math.clamp(Math.rint(row[i] / scale) + zero, 0, 15) - zero) * scale : 0).toArray();
    });
  }

  private interface Group {
    double[] of(double[] row);
  }

  private static Doubles groups(Doubles x, int group, Group change) {
    int[] shape = x.shape();
    int last = shape.length - 1;
    return Doubles.of(i -> {
      int start = i[last] / group * group;
      double[] row = IntStream.range(0, group).mapToDouble(k -> {
        int[] at = i.clone();
        at[last] = start + k;
        return x.get(at);
      }).toArray();
      return change.of(row)[i[last] - start];
    }, shape);
  }

  /// Bytes of `[B, T, H, P]` with a scale for each of `channels` clusters of channels, of those of `heads` clusters of heads, each with maxima of about one size.
  static Doubles inClusters(Doubles x, int heads, int channels) {
    int[] shape = x.shape();
    Doubles most = Doubles.of(i -> max(shape[0] * shape[1], n -> Math.abs(x.get(n / shape[1], n % shape[1], i[0], i[1]))), shape[2], shape[3]);
    int[] head = parts(IntStream.range(0, shape[2]).mapToDouble(h -> max(shape[3], p -> most.get(h, p))).toArray(), heads);
    double[][] scales = new double[shape[2]][shape[3]];
    for (int cluster = 0; cluster < heads; cluster++) {
      int own = cluster;
      double[] seen = IntStream.range(0, shape[3]).mapToDouble(p -> max(shape[2], h -> head[h] == own ? most.get(h, p) : Double.NEGATIVE_INFINITY)).toArray();
      int[] channel = parts(seen, channels);
      for (int h = 0; h < shape[2]; h++) {
        for (int p = 0; p < shape[3] && head[h] == own; p++) {
          int of = channel[p];
          scales[h][p] = Math.max(max(shape[3], q -> channel[q] == of ? seen[q] : Double.NEGATIVE_INFINITY), 0) / 127;
        }
      }
    }
    return Doubles.of(i -> scales[i[2]][i[3]] > 0 ? Math.clamp(Math.rint(x.get(i) / scales[i[2]][i[3]]), -127, 127) * scales[i[2]][i[3]] : 0, shape);
  }

  /// In which of so many parts numbers are when they are sorted.
  private static int[] parts(double[] numbers, int count) {
    return IntStream.range(0, numbers.length).map(n -> (int) IntStream.range(0, numbers.length)
        .filter(k -> numbers[k] < numbers[n] || numbers[k] == numbers[n] && k < n).count() * count / numbers.length).toArray();
  }

  /// Bytes of `[B, T, G * N]` with a scale for each of so many groups.
  static Doubles inGroups(Doubles x, int groups) {
    int[] shape = x.shape();
    int width = shape[2] / groups;
    double[] scales = IntStream.range(0, groups).mapToDouble(g -> max(shape[0] * shape[1] * width,
        n -> Math.abs(x.get(n / width / shape[1], n / width % shape[1], g * width + n % width))) / 127).toArray();
    return Doubles.of(i -> scales[i[2] / width] > 0 ? Math.clamp(Math.rint(x.get(i) / scales[i[2] / width]), -127, 127) * scales[i[2] / width] : 0, shape);
  }
}
