package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.Formulas.sum;

import java.util.List;

/// The programs in `programs/softmax`: from the exponentials themselves, which do not overflow here.
final class SoftmaxOracles {
  private SoftmaxOracles() {}

  static List<OracleCase> cases() {
    return List.of(OracleCase.of("softmax/variants").sizes("M=7 N=17").sizes("M=3 N=1").fill("X", Fill.between(-9, 9))
        .givesAll(SoftmaxOracles::variants));
  }

  private static List<Doubles> variants(Inputs in) {
    Doubles x = in.of("X");
    Doubles mask = in.of("mask");
    int width = x.size(1);
    return List.of(
        Doubles.of(i -> mask.get(i) == 0 ? 0
            : Math.exp(x.get(i)) / sum(width, n -> mask.get(i[0], n) * Math.exp(x.get(i[0], n))), x.shape()),
        Doubles.of(i -> Math.exp(x.get(i)) / (1 + total(x, i[0], 1)), x.shape()),
        Doubles.of(i -> Math.exp(2 * x.get(i)) / total(x, i[0], 2), x.shape()),
        Doubles.of(i -> x.get(i) - Math.log(total(x, i[0], 1)), x.shape()),
        Doubles.of(i -> Math.log(total(x, i[0], 1)), x.size(0)));
  }

  private static double total(Doubles x, int row, double scale) {
    return sum(x.size(1), n -> Math.exp(scale * x.get(row, n)));
  }
}
