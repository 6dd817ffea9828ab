package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.Formulas.sum;

import java.util.List;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;

/// The programs in `programs/norm`.
final class NormOracles {

  /// Mean and variance of some elements.
  private record Statistics(double mean, double variance) {

    /// Of the elements of `x` whose indices are in the same group as `index`.
    static Statistics of(Doubles x, Predicate<int[]> isInGroup) {
      double[] total = new double[3];
      Doubles.of(i -> {
        if (isInGroup.test(i)) {
          total[0]++;
          total[1] += x.get(i);
          total[2] += x.get(i) * x.get(i);
        }
        return 0;
      }, x.shape());
      double mean = total[1] / total[0];
      return new Statistics(mean, total[2] / total[0] - mean * mean);
    }

    double normalize(double x) {
      return (x - mean) / Math.sqrt(variance + 1e-5);
    }
  }

  private NormOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("norm/rows").sizes("B=3 D=17").sizes("B=1 D=2").givesAll(NormOracles::rows),
        OracleCase.of("norm/batch").sizes("B=3 C=5 H=3 W=7").sizes("B=2 C=1 H=1 W=2").fill("variance", Fill.between(0.5, 2))
            .givesAll(NormOracles::batch),
        OracleCase.of("norm/groups").sizes("B=3 C=6 H=3 W=7").sizes("B=1 C=4 H=2 W=1").givesAll(NormOracles::groups));
  }

  private static List<Doubles> rows(Inputs in) {
    Doubles x = in.of("X");
    Doubles gamma = in.of("gamma");
    int depth = x.size(1);
    return List.of(
        Doubles.of(i -> x.get(i) / Math.sqrt(squares(x, i[0]) / depth + 1e-6) * gamma.get(i[1]), x.shape()),
        Doubles.of(i -> Statistics.of(x, other -> other[0] == i[0]).normalize(x.get(i)) * gamma.get(i[1])
            + in.of("beta").get(i[1]), x.shape()),
        Doubles.of(i -> x.get(i) / Math.sqrt(squares(x, i[0])), x.shape()));
  }

  private static double squares(Doubles x, int row) {
    return sum(x.size(1), d -> x.get(row, d) * x.get(row, d));
  }

  private static List<Doubles> batch(Inputs in) {
    Doubles x = in.of("X");
    Doubles mean = in.of("mean");
    return List.of(
        affine(in, i -> Statistics.of(x, other -> other[1] == i[1]).normalize(x.get(i))),
        affine(in, i -> new Statistics(mean.get(i[1]), in.of("variance").get(i[1])).normalize(x.get(i))),
        Doubles.of(c -> 0.9 * mean.get(c) + 0.1 * Statistics.of(x, other -> other[1] == c[0]).mean(), x.size(1)));
  }

  private static List<Doubles> groups(Inputs in) {
    Doubles x = in.of("X");
    int width = x.size(1) / 2;
    return List.of(
        affine(in, i -> Statistics.of(x, other -> other[0] == i[0] && other[1] / width == i[1] / width).normalize(x.get(i))),
        affine(in, i -> Statistics.of(x, other -> other[0] == i[0] && other[1] == i[1]).normalize(x.get(i))),
        affine(in, i -> {
          double variance = Statistics.of(x, other -> other[0] == i[0] && other[1] / width == i[1] / width).variance();
          return x.get(i) * Formulas.sigmoid(in.of("v").get(i[1]) * x.get(i)) / Math.sqrt(variance + 1e-5);
        }));
  }

  private static Doubles affine(Inputs in, ToDoubleFunction<int[]> normal) {
    return Doubles.of(i -> normal.applyAsDouble(i) * in.of("gamma").get(i[1]) + in.of("beta").get(i[1]), in.of("X").shape());
  }
}
