package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.Formulas.softmax;
import static dev.einfall.tests.programs.oracles.Formulas.sum;

import java.util.List;
import java.util.function.IntToDoubleFunction;

/// The programs in `programs/loss`.
final class LossOracles {
  private LossOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("loss/classification").sizes("B=7 C=17").sizes("B=1 C=2").fill("labels", Fill.below("C"))
            .givesAll(LossOracles::classification),
        OracleCase.of("loss/regression").sizes("B=3 D=17").sizes("B=1 D=1").fill("bits", Fill.bits(0.5))
            .givesAll(LossOracles::regression),
        OracleCase.of("loss/metric").sizes("B=7 D=9").sizes("B=1 D=3").fill("same", Fill.bits(0.5)).givesAll(LossOracles::metric));
  }

  private static List<Doubles> classification(Inputs in) {
    Doubles x = in.of("X");
    Doubles z = in.of("Z");
    Doubles labels = in.of("labels");
    int classes = x.size(1);
    Doubles cross = rows(in, b -> -Math.log(softmax(classes, c -> x.get(b, c))[labels.whole(b)]));
    return List.of(cross,
        rows(in, b -> {
          double[] p = softmax(classes, c -> x.get(b, c));
          return -sum(classes, c -> (0.1 / classes + (c == labels.whole(b) ? 0.9 : 0)) * Math.log(p[c]));
        }),
        rows(in, b -> {
          double[] p = softmax(classes, c -> x.get(b, c));
          double[] q = softmax(classes, c -> z.get(b, c));
          return -sum(classes, c -> q[c] * Math.log(p[c]));
        }),
        rows(in, b -> {
          double p = softmax(classes, c -> x.get(b, c))[labels.whole(b)];
          return -(1 - p) * (1 - p) * Math.log(p);
        }),
        rows(in, b -> {
          double[] p = softmax(classes, c -> x.get(b, c));
          double[] q = softmax(classes, c -> z.get(b, c));
          return sum(classes, c -> p[c] * Math.log(p[c] / q[c]));
        }),
        Doubles.full(sum(in.size("B"), cross::get) / in.size("B")));
  }

  private static List<Doubles> regression(Inputs in) {
    Doubles x = in.of("X");
    Doubles y = in.of("Y");
    int depth = x.size(1);
    return List.of(
        rows(in, b -> sum(depth, d -> Math.pow(x.get(b, d) - y.get(b, d), 2)) / depth),
        rows(in, b -> sum(depth, d -> Math.abs(x.get(b, d) - y.get(b, d))) / depth),
        Doubles.of(i -> {
          double error = Math.abs(x.get(i) - y.get(i));
          return error <= 0.5 ? error * error / 2 : 0.5 * error - 0.125;
        }, x.shape()),
        Doubles.of(i -> {
          double p = Formulas.sigmoid(x.get(i));
          return -Math.log(in.of("bits").get(i) == 1 ? p : 1 - p);
        }, x.shape()));
  }

  private static List<Doubles> metric(Inputs in) {
    Doubles a = in.of("A");
    Doubles p = in.of("P");
    int rows = a.size(0);
    return List.of(
        rows(in, b -> in.of("same").get(b) == 1 ? squaredDistance(a, p, b) / 2
            : Math.pow(Math.max(0, 1 - Math.sqrt(squaredDistance(a, p, b))), 2) / 2),
        rows(in, b -> Math.max(0, squaredDistance(a, p, b) - squaredDistance(a, in.of("N"), b) + 0.2)),
        rows(in, b -> -Math.log(softmax(rows, j -> cosine(a, b, p, j) / 0.1)[b])),
        rows(in, b -> cosine(a, b, p, b)));
  }

  private static double squaredDistance(Doubles a, Doubles b, int row) {
    return sum(a.size(1), d -> Math.pow(a.get(row, d) - b.get(row, d), 2));
  }

  private static double cosine(Doubles a, int i, Doubles b, int j) {
    return dot(a, i, b, j) / Math.sqrt(dot(a, i, a, i) * dot(b, j, b, j));
  }

  private static double dot(Doubles a, int i, Doubles b, int j) {
    return Formulas.dot(a, new int[] {i}, b, new int[] {j});
  }

  private static Doubles rows(Inputs in, IntToDoubleFunction formula) {
    return Doubles.of(i -> formula.applyAsDouble(i[0]), in.size("B"));
  }
}
