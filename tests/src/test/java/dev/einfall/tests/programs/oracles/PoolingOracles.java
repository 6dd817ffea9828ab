package dev.einfall.tests.programs.oracles;

import java.util.ArrayList;
import java.util.List;

/// The programs in `programs/vision` that make images and sequences coarser or finer.
final class PoolingOracles {
  private PoolingOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("vision/pooling").sizes("B=1 C=1 H=2 W=3").sizes("B=2 C=3 H=8 W=21").givesAll(PoolingOracles::images),
        OracleCase.of("vision/pooling_of_rows").sizes("B=1 N=2").sizes("B=3 N=7").sizes("B=2 N=17")
            .givesAll(PoolingOracles::rows),
        OracleCase.of("vision/unpooling").sizes("B=1 C=1").sizes("B=2 C=3").givesAll(PoolingOracles::unpooling),
        OracleCase.of("vision/interpolation").sizes("C=1 H=1 W=1 P=3").sizes("C=3 H=7 W=9 P=17")
            .fill("rows", Fill.between(-1.5, 8)).fill("columns", Fill.between(-1.5, 10)).givesAll(PoolingOracles::interpolation));
  }

  /// The elements of the window of 3 x 3 with stride 2 around the pixel that lie inside.
  private static List<Double> window(Doubles x, int[] i) {
    List<Double> values = new ArrayList<>();
    for (int row = Math.max(2 * i[2] - 1, 0); row <= Math.min(2 * i[2] + 1, x.size(2) - 1); row++) {
      for (int column = Math.max(2 * i[3] - 1, 0); column <= Math.min(2 * i[3] + 1, x.size(3) - 1); column++) {
        values.add(x.get(i[0], i[1], row, column));
      }
    }
    return values;
  }

  private static List<Doubles> images(Inputs in) {
    Doubles x = in.of("X");
    int[] coarse = {x.size(0), x.size(1), (x.size(2) - 1) / 2 + 1, (x.size(3) - 1) / 2 + 1};
    int height = x.size(2) / 2;
    int width = x.size(3) / 3;
    int pixels = x.size(2) * x.size(3);
    return List.of(
        Doubles.of(i -> window(x, i).stream().mapToDouble(v -> v).max().orElseThrow(), coarse),
        Doubles.of(i -> window(x, i).stream().mapToDouble(v -> v).sum() / 9, coarse),
        Doubles.of(i -> window(x, i).stream().mapToDouble(v -> v).average().orElseThrow(), coarse),
        Doubles.of(i -> PlainLoops.sum(height * width,
            k -> x.get(i[0], i[1], i[2] * height + k / width, i[3] * width + k % width)) / (height * width),
            x.size(0), x.size(1), 2, 3),
        Doubles.of(i -> PlainLoops.sum(pixels, k -> x.get(i[0], i[1], k / x.size(3), k % x.size(3))) / pixels,
            x.size(0), x.size(1)),
        Doubles.of(i -> PlainLoops.max(pixels, k -> x.get(i[0], i[1], k / x.size(3), k % x.size(3))), x.size(0), x.size(1)));
  }

  private static List<Doubles> rows(Inputs in) {
    Doubles x = in.of("X");
    int length = x.size(1);
    int coarse = (length - 1) / 2 + 1;
    return List.of(
        Doubles.of(i -> PlainLoops.max(3, r -> inside(x, i[0], 2 * i[1] + r - 1, Double.NEGATIVE_INFINITY)), x.size(0), coarse),
        Doubles.of(i -> PlainLoops.sum(3, r -> inside(x, i[0], 2 * i[1] + r - 1, 0)) / 3, x.size(0), coarse),
        Doubles.of(i -> {
          int from = (int) Math.floor(length * i[1] / 5.0);
          int to = (int) Math.ceil(length * (i[1] + 1) / 5.0);
          return PlainLoops.sum(to - from, k -> x.get(i[0], from + k)) / (to - from);
        }, x.size(0), 5),
        Doubles.of(i -> Math.cbrt(Math.pow(Math.abs(x.get(i)), 3) + Math.pow(Math.abs(x.get(i[0], i[1] + 1)), 3)),
            x.size(0), length - 1),
        Doubles.of(i -> PlainLoops.sum(3, r -> in.of("even").get(i[0], 3 * i[1] + r)) / 3, x.shape()));
  }

  private static double inside(Doubles x, int row, int at, double outside) {
    return at < 0 || at >= x.size(1) ? outside : x.get(row, at);
  }

  private static List<Doubles> unpooling(Inputs in) {
    Doubles x = in.of("X");
    Doubles y = Doubles.zeros(x.size(0), x.size(1), 3, 5);
    Doubles z = Doubles.zeros(x.shape());
    Doubles.of(i -> {
      int best = PlainLoops.argmax(4, k -> x.get(i[0], i[1], 2 * i[2] + k / 2, 2 * i[3] + k % 2));
      double value = x.get(i[0], i[1], 2 * i[2] + best / 2, 2 * i[3] + best % 2);
      y.set(value, i);
      z.set(value, i[0], i[1], 2 * i[2] + best / 2, 2 * i[3] + best % 2);
      return 0;
    }, y.shape());
    return List.of(y, z);
  }

  private static List<Doubles> interpolation(Inputs in) {
    Doubles x = in.of("X");
    return List.of(
        Doubles.of(i -> Interpolation.bilinear(x, new int[] {i[0]}, i[1], (i[2] + 0.5) / 3 - 0.5),
            x.size(0), x.size(1), 3 * x.size(2)),
        Doubles.of(i -> Interpolation.bilinear(x, new int[] {i[0]}, (i[1] + 0.5) / 3 - 0.5, (i[2] + 0.5) / 3 - 0.5),
            x.size(0), 3 * x.size(1), 3 * x.size(2)),
        Doubles.of(i -> Interpolation.withZeros(x, new int[] {i[0]}, in.of("rows").get(i[1]), in.of("columns").get(i[1])),
            x.size(0), in.size("P")),
        Doubles.of(i -> x.get(i[0], i[1], i[2] / 2), x.size(0), x.size(1), 2 * x.size(2)));
  }
}
