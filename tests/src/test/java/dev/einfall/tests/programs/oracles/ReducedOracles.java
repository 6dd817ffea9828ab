package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.Formulas.attention;
import static dev.einfall.tests.programs.oracles.Formulas.sum;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// The programs in `programs/reduced`: chains of reductions of which each needs the one before. The scores of attention are whole
/// numbers and halves of up to 1e4, so that those of `f32` are exact, and rows are masked in whole or in their first part.
final class ReducedOracles {
  private static final Fill LARGE = Fill.whole(-70, 71);
  /// What swallows any score.
  private static final double LOWEST = -3.4028235e38;

  private ReducedOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("reduced/attention").sizes("B=2 H=3 P=3 M=70 E=4 F=7").sizes("B=1 H=1 P=1 M=1 E=4 F=1").sizes("B=1 H=2 P=70 M=150 E=4 F=17")
            .fill("Q", LARGE).fill("K", LARGE).gives(in -> heads(in, (_, _) -> true)),
        OracleCase.of("reduced/causal").sizes("P=9 M=5 E=4 F=3").sizes("P=70 M=130 E=4 F=17").sizes("P=150 M=9 E=4 F=1")
            .fill("Q", LARGE).fill("K", LARGE).givesAll(ReducedOracles::causal),
        OracleCase.of("reduced/window").sizes("H=2 N=150 E=4 F=7").sizes("H=1 N=1 E=4 F=1").fill("Q", LARGE).fill("K", LARGE)
            .gives(in -> batched(in, (i, m) -> m <= i[1] && m > i[1] - 20 ? score(in, i, m) : Double.NEGATIVE_INFINITY)),
        OracleCase.of("reduced/blocks").sizes("P=130 M=200 E=4 F=7").sizes("P=7 M=9 E=4 F=1").sizes("P=200 M=70 E=4 F=16")
            .fill("Q", LARGE).fill("K", LARGE).fill("mask", Fill.bits(0.4)).gives(in -> guarded(in,
                (i, m) -> in.of("mask").get(i[0] / 64, m / 64) == 1 ? score(in, i, m) : Double.NEGATIVE_INFINITY)),
        OracleCase.of("reduced/padding").sizes("B=3 H=2 P=5 M=70 E=4 F=7").sizes("B=2 H=1 P=3 M=150 E=4 F=17").sizes("B=1 H=1 P=1 M=1 E=4 F=1")
            .fill("Q", LARGE).fill("K", LARGE).fill("mask", Fill.values(IntStream.range(0, 300).mapToDouble(i -> i > 150 && i % 7 > 2 ? 1 : 0).toArray()))
            .gives(in -> batched(in, (i, m) -> in.of("mask").get(i[0], m) == 1 ? score(in, i, m) : LOWEST)),
        OracleCase.of("reduced/temperature").sizes("P=5 M=70 E=4 F=7").sizes("P=70 M=150 E=4 F=17").sizes("P=1 M=1 E=1 F=1")
            .fill("Q", LARGE).fill("K", LARGE).fill("scale", Fill.between(-3, 1)).givesAll(ReducedOracles::temperature),
        OracleCase.of("reduced/alibi").sizes("H=4 N=70 E=4 F=7").sizes("H=1 N=1 E=4 F=1").fill("Q", LARGE).fill("K", LARGE)
            .gives(in -> batched(in, (i, m) -> m <= i[1] ? score(in, i, m) - Math.pow(2, -8.0 * (i[0] + 1) / in.size("H")) * (i[1] - m)
                : Double.NEGATIVE_INFINITY)),
        OracleCase.of("reduced/soft_capped_sink").sizes("B=3 H=2 P=5 M=70 E=4 F=7").sizes("B=1 H=1 P=1 M=17 E=1 F=1")
            .fill("Q", LARGE).fill("K", LARGE).fill("length", Fill.values(0, 70, 9)).fill("sink", Fill.between(-9, 60))
            .gives(ReducedOracles::sink),
        OracleCase.of("reduced/grouped_decode").sizes("B=3 G=2 R=4 M=150 E=4 F=17").sizes("B=1 G=1 R=1 M=1 E=4 F=1")
            .fill("Q", LARGE).fill("K", LARGE).fill("length", Fill.values(0, 150, 67))
            .gives(in -> guarded(in, (i, m) -> m < in.of("length").get(i[0]) ? score(in, i, m) : Double.NEGATIVE_INFINITY)),
        OracleCase.of("reduced/cross_entropy").sizes("B=3 C=150").sizes("B=1 C=1").fill("X", Fill.whole(-10000, 10001))
            .fill("labels", Fill.below("C")).givesAll(ReducedOracles::crossEntropy),
        OracleCase.of("reduced/largest").sizes("R=3 N=150").sizes("R=3 N=1")
            .fill("X", Fill.values(IntStream.range(0, 300).mapToDouble(i -> i == 250 ? Double.NaN : i * 37 % 101).toArray()))
            .givesAll(ReducedOracles::largest),
        OracleCase.of("reduced/layer_norm").sizes("M=3 D=150").sizes("M=1 D=1").fill("X", Fill.whole(1000, 1020)).terms(10_000)
            .gives(ReducedOracles::layerNorm),
        OracleCase.of("reduced/weighted_moments").sizes("R=3 N=150").sizes("R=1 N=1").fill("X", Fill.between(9, 12))
            .fill("W", Fill.between(0.1, 3)).terms(300).givesAll(ReducedOracles::moments),
        OracleCase.of("reduced/soft_nearest").sizes("P=3 M=150 E=5 F=7").sizes("P=1 M=1 E=1 F=1").fill("Q", Fill.whole(-1000, 1001))
            .fill("K", Fill.whole(-1000, 1001)).givesAll(ReducedOracles::nearest),
        OracleCase.of("reduced/surprise").sizes("R=3 N=150").sizes("R=1 N=1").fill("X", Fill.between(-9, 9)).terms(300)
            .gives(ReducedOracles::entropy),
        OracleCase.of("reduced/absmax_product").sizes("M=3 K=150 N=17").sizes("M=1 K=1 N=1").terms(300).givesAll(ReducedOracles::absmax),
        OracleCase.of("reduced/routing").sizes("N=17 D=9 E=5 J=7").sizes("N=1 D=1 E=1 J=1").givesAll(ReducedOracles::routing));
  }

  /// Whether query `p` sees key `m`.
  private interface Sees {
    boolean test(int p, int m);
  }

  private static double score(Inputs in, int[] i, int m) {
    int[] query = Formulas.row(i);
    return Formulas.dot(in.of("Q"), query, in.of("K"), Formulas.beside(query, m)) / Math.sqrt(in.size("E"));
  }

  private static double value(Inputs in, int[] i, int m) {
    return in.of("V").get(Formulas.append(Formulas.beside(Formulas.row(i), m), i[i.length - 1]));
  }

  private static int[] shape(Inputs in) {
    return Formulas.beside(in.of("Q").shape(), in.size("F"));
  }

  private static Doubles batched(Inputs in, Formulas.At score) {
    return attention(in.of("K").size(in.of("K").shape().length - 2), score, (i, m) -> value(in, i, m), shape(in));
  }

  private static Doubles heads(Inputs in, Sees sees) {
    return batched(in, (i, m) -> sees.test(i[i.length - 2], m) ? score(in, i, m) : Double.NEGATIVE_INFINITY);
  }

  /// The same, but 0 where a query sees nothing.
  private static Doubles guarded(Inputs in, Formulas.At score) {
    Doubles plain = batched(in, score);
    return Doubles.of(i -> Double.isNaN(plain.get(i)) ? 0 : plain.get(i), plain.shape());
  }

  private static List<Doubles> causal(Inputs in) {
    int shift = in.size("M") - in.size("P");
    Formulas.At score = (i, m) -> m <= i[0] + shift ? score(in, i, m) : Double.NEGATIVE_INFINITY;
    return List.of(batched(in, score), guarded(in, score));
  }

  private static List<Doubles> temperature(Inputs in) {
    return List.of(batched(in, (i, m) -> 0.7 * score(in, i, m)),
        batched(in, (i, m) -> Math.exp(in.of("scale").get(i[0])) * score(in, i, m)),
        batched(in, (i, m) -> Math.log(2) * score(in, i, m)));
  }

  private static Doubles sink(Inputs in) {
    int keys = in.size("M");
    return attention(keys + 1, (i, m) -> m == keys ? in.of("sink").get(i[1])
        : m < in.of("length").get(i[0]) ? 50 * Math.tanh(score(in, i, m) / 50) : Double.NEGATIVE_INFINITY,
        (i, m) -> m == keys ? 0 : value(in, i, m), shape(in));
  }

  private static List<Doubles> crossEntropy(Inputs in) {
    Doubles x = in.of("X");
    Doubles each = Doubles.of(i -> Formulas.logSumExp(x.size(1), c -> x.get(i[0], c)) - x.get(i[0], in.of("labels").whole(i)), x.size(0));
    return List.of(each, Doubles.full(Arrays.stream(each.values()).average().orElseThrow()));
  }

  /// A NaN is a largest number that no other is less than: the first position of all.
  private static List<Doubles> largest(Inputs in) {
    Doubles x = in.of("X");
    Doubles value = Doubles.of(i -> IntStream.range(0, x.size(1)).mapToDouble(n -> x.get(i[0], n)).reduce(Math::max).orElseThrow(), x.size(0));
    return List.of(value, Doubles.of(i -> IntStream.range(0, x.size(1)).filter(n -> !(x.get(i[0], n) < value.get(i))).findFirst().orElseThrow(),
        x.size(0)));
  }

  private static Doubles layerNorm(Inputs in) {
    Doubles x = in.of("X");
    int depth = x.size(1);
    return Doubles.of(i -> {
      double mean = sum(depth, d -> x.get(i[0], d)) / depth;
      double variance = sum(depth, d -> Math.pow(x.get(i[0], d) - mean, 2)) / depth;
      return (x.get(i) - mean) / Math.sqrt(variance + 0.01) * in.of("gamma").get(i[1]) + in.of("beta").get(i[1]);
    }, x.shape());
  }

  private static List<Doubles> moments(Inputs in) {
    Doubles mean = Doubles.of(i -> mean(in, i[0], 1, 0), in.size("R"));
    return List.of(mean, Doubles.of(i -> mean(in, i[0], 2, mean.get(i)), in.size("R")),
        Doubles.of(i -> mean(in, i[0], 3, mean.get(i)), in.size("R")));
  }

  /// The weighted mean of the powers of the distances from `centre`.
  private static double mean(Inputs in, int row, int power, double centre) {
    Doubles w = in.of("W");
    return sum(w.size(1), n -> w.get(row, n) * Math.pow(in.of("X").get(row, n) - centre, power)) / sum(w.size(1), n -> w.get(row, n));
  }

  private static List<Doubles> nearest(Inputs in) {
    int points = in.size("M");
    Formulas.At distance = (i, m) -> sum(in.size("E"), e -> Math.abs(in.of("Q").get(i[0], e) - in.of("K").get(m, e)));
    Formulas.At score = (i, m) -> -Math.log(2) * distance.at(i, m);
    Formulas.At beyond = (i, m) -> distance.at(i, m)
        - IntStream.range(0, points).mapToDouble(n -> distance.at(i, n)).min().orElseThrow();
    return List.of(attention(points, score, (i, m) -> in.of("V").get(m, i[1]), in.size("P"), in.size("F")),
        attention(points, score, beyond, in.size("P")));
  }

  private static Doubles entropy(Inputs in) {
    Doubles x = in.of("X");
    return Doubles.of(i -> {
      double[] p = Formulas.softmax(x.size(1), n -> x.get(i[0], n));
      return -sum(p.length, n -> p[n] * Math.log(p[n]));
    }, x.size(0));
  }

  private static List<Doubles> absmax(Inputs in) {
    Doubles x = in.of("X");
    Doubles scale = Doubles.of(i -> IntStream.range(0, x.size(1)).mapToDouble(k -> Math.abs(x.get(i[0], k))).max().orElseThrow() / 127,
        x.size(0));
    int[] shape = {x.size(0), in.size("N")};
    return List.of(
        Doubles.of(i -> sum(x.size(1), k -> Math.rint(x.get(i[0], k) / scale.get(i[0])) * in.of("W").get(i[1], k)) * scale.get(i[0]), shape),
        Doubles.of(i -> sum(x.size(1), k -> x.get(i[0], k) / scale.get(i[0]) * in.of("W").get(i[1], k)), shape));
  }

  private static List<Doubles> routing(Inputs in) {
    int experts = in.size("E");
    int tokens = in.size("N");
    Doubles p = Doubles.zeros(tokens, experts);
    Doubles best = Doubles.zeros(tokens);
    for (int n = 0; n < tokens; n++) {
      int[] token = {n};
      double[] row = Formulas.softmax(experts, e -> Formulas.dot(in.of("router"), new int[] {e}, in.of("X"), token));
      for (int e = 0; e < experts; e++) {
        p.set(row[e], n, e);
      }
      best.set(Formulas.descending(experts, e -> row[e])[0], n);
    }
    Doubles y = Doubles.of(i -> p.get(i[0], best.whole(i[0]))
        * Formulas.dot(in.of("W"), new int[] {best.whole(i[0]), i[1]}, in.of("X"), new int[] {i[0]}), tokens, in.size("J"));
    double balance = experts * sum(experts, e -> sum(tokens, n -> best.get(n) == e ? 1 : 0) * sum(tokens, n -> p.get(n, e)))
        / tokens / tokens;
    return List.of(y, best, Doubles.full(balance));
  }
}
