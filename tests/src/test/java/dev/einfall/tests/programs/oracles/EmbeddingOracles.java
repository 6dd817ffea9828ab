package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.Formulas.sum;

import java.util.List;

/// The programs in `programs/embedding`.
final class EmbeddingOracles {
  private EmbeddingOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("embedding/words").sizes("N=7 G=4 V=9 D=6").sizes("N=1 G=2 V=3 D=17").fill("ids", Fill.below("V"))
            .fill("offsets", Fill.offsets("N")).givesAll(EmbeddingOracles::words),
        OracleCase.of("embedding/coordinates").sizes("N=7 D=3 M=5").sizes("N=1 D=1 M=1").givesAll(EmbeddingOracles::coordinates),
        OracleCase.of("embedding/hashed_grid").sizes("N=7 L=3 V=31 F=2").sizes("N=1 L=1 V=5 F=3").fill("X", Fill.between(0, 1))
            .fill("resolutions", Fill.below(20)).gives(EmbeddingOracles::hashedGrid),
        OracleCase.of("embedding/rotations").sizes("H=2 N=7 D=6").sizes("H=1 N=3 D=2").fill("positions", Fill.below(100))
            .givesAll(EmbeddingOracles::rotations));
  }

  private static List<Doubles> words(Inputs in) {
    Doubles ids = in.of("ids");
    Doubles table = in.of("table");
    Doubles offsets = in.of("offsets");
    int depth = in.size("D");
    Doubles x = Doubles.of(i -> {
      double angle = i[0] / Math.pow(10000, 2 * (i[1] / 2) / (double) depth);
      return table.get(ids.whole(i[0]), i[1]) + (i[1] % 2 == 0 ? Math.sin(angle) : Math.cos(angle));
    }, in.size("N"), depth);
    Doubles bags = Doubles.zeros(in.size("G") - 1, depth);
    for (int g = 0; g < bags.size(0); g++) {
      for (int n = offsets.whole(g); n < offsets.whole(g + 1); n++) {
        for (int d = 0; d < depth; d++) {
          bags.add(table.get(ids.whole(n), d), g, d);
        }
      }
    }
    return List.of(x, bags, Doubles.of(i -> sum(depth, d -> x.get(i[0], d) * table.get(i[1], d)), in.size("N"), in.size("V")));
  }

  private static List<Doubles> coordinates(Inputs in) {
    Doubles x = in.of("X");
    Doubles b = in.of("B");
    int features = in.size("M");
    return List.of(
        Doubles.of(i -> {
          double angle = 2 * Math.PI * Formulas.dot(b, new int[] {i[1] % features}, x, new int[] {i[0]});
          return i[1] < features ? Math.cos(angle) : Math.sin(angle);
        }, in.size("N"), 2 * features),
        Doubles.of(i -> {
          double angle = Math.pow(2, i[1] / 2 % 4) * Math.PI * x.get(i[0], i[1] / 8);
          return i[1] % 2 == 0 ? Math.sin(angle) : Math.cos(angle);
        }, in.size("N"), 8 * in.size("D")));
  }

  private static Doubles hashedGrid(Inputs in) {
    Doubles y = Doubles.zeros(in.size("N"), in.size("L") * in.size("F"));
    for (int n = 0; n < in.size("N"); n++) {
      for (int level = 0; level < in.size("L"); level++) {
        for (int corner = 0; corner < 4; corner++) {
          addCorner(in, y, n, level, corner & 1, corner >> 1);
        }
      }
    }
    return y;
  }

  private static void addCorner(Inputs in, Doubles y, int n, int level, int a, int b) {
    int features = in.size("F");
    double resolution = in.of("resolutions").get(level);
    double u = in.of("X").get(n, 0) * resolution;
    double v = in.of("X").get(n, 1) * resolution;
    long i = (long) Math.floor(u) + a;
    long j = (long) Math.floor(v) + b;
    int slot = (int) Math.floorMod(i ^ j * 2654435761L, (long) in.size("V"));
    double weight = (1 - Math.abs(u - i)) * (1 - Math.abs(v - j));
    for (int f = 0; f < features; f++) {
      y.add(weight * in.of("table").get(level, slot, f), n, level * features + f);
    }
  }

  private static List<Doubles> rotations(Inputs in) {
    Doubles x = in.of("X");
    Doubles positions = in.of("positions");
    int half = in.size("D") / 2;
    Doubles neighbours = Doubles.zeros(x.shape());
    Doubles halves = Doubles.zeros(x.shape());
    for (int h = 0; h < in.size("H"); h++) {
      for (int n = 0; n < in.size("N"); n++) {
        for (int i = 0; i < half; i++) {
          turn(x, neighbours, h, n, 2 * i, 2 * i + 1, positions.get(n) * Math.pow(10000, -(double) i / half));
          turn(x, halves, h, n, i, i + half, positions.get(n) * Math.pow(100, -(double) i / half));
        }
      }
    }
    return List.of(neighbours, halves);
  }

  private static void turn(Doubles x, Doubles y, int h, int n, int first, int second, double angle) {
    double a = x.get(h, n, first);
    double b = x.get(h, n, second);
    y.set(a * Math.cos(angle) - b * Math.sin(angle), h, n, first);
    y.set(a * Math.sin(angle) + b * Math.cos(angle), h, n, second);
  }
}
