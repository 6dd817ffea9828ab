package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.PlainLoops.rows;
import static dev.einfall.tests.programs.oracles.PlainLoops.sum;

import java.util.List;

/// The programs in `programs/structured`: each against the dense matrix that it stands for, or its definition.
final class StructuredOracles {
  private StructuredOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("structured/kronecker").sizes("R=1 I=1 K=1").sizes("R=7 I=4 K=9").givesAll(StructuredOracles::kronecker),
        OracleCase.of("structured/monarch").sizes("R=1 J=1 M=1 P=1").sizes("R=7 J=5 M=3 P=2").givesAll(StructuredOracles::monarch),
        OracleCase.of("structured/butterfly").sizes("R=1").sizes("R=17").gives(StructuredOracles::butterfly),
        OracleCase.of("structured/orthogonal").sizes("R=1").sizes("R=17").fill("A", Fill.between(-0.1, 0.1))
            .givesAll(StructuredOracles::orthogonal),
        OracleCase.of("structured/adapters").sizes("R=1 N=1 M=1 P=1").sizes("R=3 N=17 M=9 P=2")
            .givesAll(StructuredOracles::adapters),
        OracleCase.of("structured/separated").sizes("R=1 N=1 M=1 P=1 K=1").sizes("R=3 N=7 M=9 P=16 K=17")
            .givesAll(StructuredOracles::separated));
  }

  private static List<Doubles> kronecker(Inputs in) {
    int width = in.size("K");
    Doubles matrix = Doubles.of(i -> in.of("A").get(i[0] / width, i[1] / 5) * in.of("B").get(i[0] % width, i[1] % 5),
        in.size("I") * width, 15);
    return List.of(rows(in.of("X"), matrix), rows(in.of("X"), matrix));
  }

  private static List<Doubles> monarch(Inputs in) {
    int columns = in.size("J");
    int ranks = in.size("P");
    Doubles one = Doubles.of(i -> in.of("E").get(i[0] % columns, i[0] / columns, i[1] / 4)
        * in.of("A").get(i[1] / 4, i[0] % columns, i[1] % 4), in.size("M") * columns, 12);
    Doubles train = Doubles.of(i -> sum(ranks, p -> in.of("G").get(i[0] % columns, i[0] / columns, i[1] / 4, p)
        * in.of("F").get(i[1] / 4, i[0] % columns, p, i[1] % 4)), in.size("M") * columns, 12);
    return List.of(rows(in.of("X"), one), rows(in.of("X"), train));
  }

  private static Doubles butterfly(Inputs in) {
    Doubles x = in.of("X");
    for (int level = 0; level < 4; level++) {
      int distance = 1 << level;
      int l = level;
      Doubles factor = Doubles.of(i -> {
        boolean isPair = i[0] / (2 * distance) == i[1] / (2 * distance) && i[0] % distance == i[1] % distance;
        int pair = i[0] / (2 * distance) * distance + i[0] % distance;
        return isPair ? in.of("W").get(l, pair, i[0] / distance % 2, i[1] / distance % 2) : 0;
      }, 16, 16);
      x = rows(x, factor);
    }
    return x;
  }

  private static List<Doubles> orthogonal(Inputs in) {
    Doubles y = in.of("X");
    Doubles v = in.of("V");
    for (int k = 0; k < 3; k++) {
      int normal = k;
      double length = sum(12, n -> v.get(normal, n) * v.get(normal, n));
      y = rows(y, Doubles.of(i -> (i[0] == i[1] ? 1 : 0) - 2 * v.get(normal, i[0]) * v.get(normal, i[1]) / length, 12, 12));
    }
    return List.of(y, rows(in.of("X"), cayley(in.of("A"))));
  }

  /// (I + Q)(I - Q)^-1 for the three blocks, with Q = A - A', solved by elimination.
  private static Doubles cayley(Doubles blocks) {
    Doubles all = Doubles.zeros(12, 12);
    for (int g = 0; g < 3; g++) {
      int block = g;
      Doubles q = Doubles.of(i -> blocks.get(block, i[0], i[1]) - blocks.get(block, i[1], i[0]), 4, 4);
      Doubles inverse = inverse(Doubles.of(i -> (i[0] == i[1] ? 1 : 0) - q.get(i), 4, 4));
      Doubles.of(i -> {
        all.set(sum(4, k -> ((i[0] == k ? 1 : 0) + q.get(i[0], k)) * inverse.get(k, i[1])), 4 * block + i[0], 4 * block + i[1]);
        return 0;
      }, 4, 4);
    }
    return all;
  }

  /// By Gauss and Jordan; the matrix is close to the identity, so no rows are exchanged.
  private static Doubles inverse(Doubles matrix) {
    int n = matrix.size(0);
    Doubles left = matrix.copy();
    Doubles right = Doubles.of(i -> i[0] == i[1] ? 1 : 0, n, n);
    for (int k = 0; k < n; k++) {
      double pivot = left.get(k, k);
      for (int j = 0; j < n; j++) {
        left.set(left.get(k, j) / pivot, k, j);
        right.set(right.get(k, j) / pivot, k, j);
      }
      for (int i = 0; i < n; i++) {
        double factor = i == k ? 0 : left.get(i, k);
        for (int j = 0; j < n; j++) {
          left.add(-factor * left.get(k, j), i, j);
          right.add(-factor * right.get(k, j), i, j);
        }
      }
    }
    return right;
  }

  private static List<Doubles> adapters(Inputs in) {
    Doubles w = in.of("W");
    Doubles b = in.of("B");
    int rank = in.size("P");
    Doubles low = Doubles.of(i -> sum(rank, p -> b.get(i[0], p) * in.of("A").get(p, i[1])), w.shape());
    Doubles added = Doubles.of(i -> w.get(i) + 0.5 * low.get(i), w.shape());
    Doubles multiplied = Doubles.of(i -> w.get(i) + sum(w.size(0), m -> sum(rank,
        p -> b.get(i[0], p) * in.of("C").get(p, m)) * w.get(m, i[1])), w.shape());
    return List.of(rows(in.of("X"), added), rows(in.of("X"), multiplied), rows(in.of("X"), low));
  }

  private static List<Doubles> separated(Inputs in) {
    Doubles x = in.of("X");
    Doubles w = in.of("W");
    int n = in.size("N");
    int features = in.size("P");
    Doubles y = Doubles.of(i -> sum(features, p -> feature(in, x, i[0], p) * feature(in, w, i[1], p)), x.size(0), w.size(0));
    Doubles h = in.of("h");
    return List.of(y, rows(x, Doubles.of(i -> h.get(i[0] + i[1]), h.size(0) - n + 1, n)));
  }

  private static double feature(Inputs in, Doubles x, int row, int feature) {
    double along = sum(in.size("N"), n -> in.of("omega").get(feature, n) * x.get(row, n));
    double square = sum(in.size("N"), n -> x.get(row, n) * x.get(row, n));
    return Math.exp(along - square / 2) / Math.sqrt(in.size("P"));
  }
}
