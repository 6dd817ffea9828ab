package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.PlainLoops.logSumExp;
import static dev.einfall.tests.programs.oracles.PlainLoops.sum;

import java.util.Arrays;
import java.util.List;

/// The programs in `programs/numeric`.
final class NumericOracles {
  private NumericOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("numeric/moments").sizes("R=1 N=2").sizes("R=7 N=17").sizes("R=3 N=1000").terms(1000)
            .givesAll(NumericOracles::moments),
        OracleCase.of("numeric/exponentials").sizes("R=1 N=1").sizes("R=7 N=17").sizes("R=3 N=100")
            .givesAll(NumericOracles::exponentials),
        OracleCase.of("numeric/groups").sizes("N=1 D=1 G=2").sizes("N=17 D=7 G=5").sizes("N=64 D=3 G=9")
            .fill("group", Fill.below(4)).fill("offsets", Fill.offsets("N")).givesAll(NumericOracles::groups),
        OracleCase.of("numeric/positions").sizes("M=1 N=1").sizes("M=4 N=17").fill("group", Fill.below(3))
            .givesAll(NumericOracles::positions),
        OracleCase.of("numeric/complex").sizes("M=1 K=1 N=1").sizes("M=7 K=9 N=17").fill("cr", Fill.between(0.5, 2))
            .givesAll(NumericOracles::complex));
  }

  private static List<Doubles> moments(Inputs in) {
    Doubles x = in.of("X");
    int n = x.size(1);
    Doubles mean = Doubles.of(i -> sum(n, k -> x.get(i[0], k)) / n, x.size(0));
    return List.of(mean, Doubles.of(i -> sum(n, k -> Math.pow(x.get(i[0], k) - mean.get(i), 2)) / n, x.size(0)),
        Doubles.of(i -> sorted(x, i[0])[n - 1], x.size(0)), Doubles.of(i -> sorted(x, i[0])[n - 2], x.size(0)),
        Doubles.of(i -> mean.get(i) * n, x.size(0)));
  }

  private static double[] sorted(Doubles x, int row) {
    double[] values = PlainLoops.part(x, row).values();
    Arrays.sort(values);
    return values;
  }

  private static List<Doubles> exponentials(Inputs in) {
    Doubles x = in.of("X");
    Doubles total = Doubles.of(i -> logSumExp(x.size(1), k -> 200 * x.get(i[0], k)), x.size(0));
    return List.of(total, Doubles.of(i -> Math.exp(200 * x.get(i) - total.get(i[0])), x.shape()));
  }

  private static List<Doubles> groups(Inputs in) {
    Doubles x = in.of("X");
    Doubles group = in.of("group");
    Doubles offsets = in.of("offsets");
    int n = x.size(0);
    int width = x.size(1);
    return List.of(
        Doubles.of(i -> sum(n, k -> group.whole(k) == i[0] ? x.get(k, i[1]) : 0), 5, width),
        Doubles.of(i -> PlainLoops.max(n, k -> group.whole(k) == i[0] ? x.get(k, i[1]) : Double.NEGATIVE_INFINITY), 5, width),
        Doubles.of(i -> sum(n, k -> group.whole(k) == i[0] ? 1 : 0), 5),
        Doubles.of(i -> {
          int from = offsets.whole(i[0]);
          int count = offsets.whole(i[0] + 1) - from;
          return sum(count, k -> x.get(from + k, i[1])) / Math.max(count, 1);
        }, offsets.size(0) - 1, width),
        Doubles.of(i -> sum(i[0] + 1, k -> x.get(k, i[1])), n, width),
        Doubles.of(i -> sum(i[0], k -> x.get(k, i[1])), n, width));
  }

  private static List<Doubles> positions(Inputs in) {
    Doubles x = in.of("X");
    return List.of(Doubles.of(i -> position(in, i[0], i[1], 1), x.shape()), Doubles.of(i -> position(in, i[0], i[1], -1), x.shape()),
        Doubles.of(_ -> 0, x.size(0)));
  }

  /// The first position from `start` on of the largest of `sign` times the elements that take part; 0 if none does.
  private static int position(Inputs in, int row, int start, int sign) {
    int best = -1;
    for (int n = start; n < in.size("N"); n++) {
      boolean takesPart = in.of("group").whole(n) != 1;
      boolean isFirst = best < 0;
      boolean beats = !isFirst && row % 2 == 1 && sign * in.of("X").get(row, n) > sign * in.of("X").get(row, best);
      best = takesPart && (isFirst || beats) ? n : best;
    }
    return Math.max(best, 0);
  }

  private static List<Doubles> complex(Inputs in) {
    Doubles ar = in.of("ar");
    Doubles ai = in.of("ai");
    Doubles cr = in.of("cr");
    Doubles ci = in.of("ci");
    Doubles re = product(in, "ar", "br", "ai", "bi", -1);
    Doubles im = product(in, "ar", "bi", "ai", "br", 1);
    return List.of(re, im, re, im,
        Doubles.of(i -> (ar.get(i) * cr.get(i) + ai.get(i) * ci.get(i)) / square(cr.get(i), ci.get(i)), ar.shape()),
        Doubles.of(i -> (ai.get(i) * cr.get(i) - ar.get(i) * ci.get(i)) / square(cr.get(i), ci.get(i)), ar.shape()),
        Doubles.of(i -> Math.exp(ar.get(i)) * Math.cos(in.of("angle").get(i) - ai.get(i)), ar.shape()),
        Doubles.of(i -> Math.exp(ar.get(i)) * Math.sin(in.of("angle").get(i) - ai.get(i)), ar.shape()),
        Doubles.of(i -> Math.hypot(ar.get(i), ai.get(i)), ar.shape()));
  }

  private static double square(double re, double im) {
    return re * re + im * im;
  }

  /// a b + sign c d, of matrices.
  private static Doubles product(Inputs in, String a, String b, String c, String d, int sign) {
    return Doubles.of(i -> sum(in.size("K"), k -> in.of(a).get(i[0], k) * in.of(b).get(k, i[1])
        + sign * in.of(c).get(i[0], k) * in.of(d).get(k, i[1])), in.size("M"), in.size("N"));
  }
}
