package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.Formulas.sum;

import java.util.List;
import java.util.function.DoubleUnaryOperator;

/// The programs in `programs/linear_attention`: here as matrices of weights, without any state, but for the delta rule.
final class LinearAttentionOracles {

  /// The weight of key `m` for query `p` of head `h`.
  @FunctionalInterface
  private interface Weight {
    double at(int h, int p, int m);
  }

  private LinearAttentionOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("linear_attention/kernels").sizes("H=2 P=3 M=7 E=5 F=3 R=9").sizes("H=1 P=1 M=17 E=1 F=1 R=1")
            .givesAll(LinearAttentionOracles::kernels),
        OracleCase.of("linear_attention/causal").sizes("H=2 N=7 E=5 F=3").sizes("H=1 N=17 E=1 F=1").gives(in -> mean(in,
            (h, p, m) -> m > p ? 0 : features(in, LinearAttentionOracles::eluPlusOne, h, p, m))),
        OracleCase.of("linear_attention/gated").sizes("H=2 N=7 E=5 F=3").sizes("H=1 N=17 E=1 F=1")
            .givesAll(in -> List.of(total(in, (h, p, m) -> gated(in, h, p, m)), deltaRule(in))),
        OracleCase.of("linear_attention/simplified").sizes("H=2 N=7 E=5 F=3").sizes("H=1 N=1 E=1 F=1").gives(LinearAttentionOracles::simplified),
        OracleCase.of("linear_attention/lightning").sizes("H=2 J=3 E=5 F=3").sizes("H=1 J=1 E=1 F=7").givesAll(in -> {
          Inputs flat = in.flat("q", "Q").flat("k", "K").flat("v", "V");
          Doubles y = total(flat, (h, p, m) -> m > p ? 0 : Math.pow(0.9, p - m) * features(flat, x -> x, h, p, m));
          return List.of(y, y);
        }),
        OracleCase.of("linear_attention/hamming").sizes("H=2 P=3 M=17 E=5 F=7 B=9").sizes("H=1 P=1 M=1 E=1 F=1 B=1")
            .fill("Q", Fill.whole(-4, 5)).fill("K", Fill.whole(-4, 5)).fill("planes", Fill.whole(-4, 5))
            .gives(in -> mean(in, (h, p, m) -> 1 + commonBits(in, h, p, m))),
        OracleCase.of("linear_attention/gated_window").sizes("H=2 N=9 E=5 F=3 R=4 G=2").sizes("H=1 N=1 E=1 F=7 R=1 G=1")
            .gives(LinearAttentionOracles::gatedWindow));
  }

  private static double commonBits(Inputs in, int h, int p, int m) {
    return sum(in.size("B"), b -> side(in, b, "Q", h, p) == side(in, b, "K", h, m) ? 1 : 0);
  }

  private static boolean side(Inputs in, int plane, String name, int h, int row) {
    return Formulas.dot(in.of("planes"), new int[] {plane}, in.of(name), new int[] {h, row}) >= 0;
  }

  private static Doubles gatedWindow(Inputs in) {
    Doubles linear = mean(in, (h, p, m) -> m > p ? 0 : decay(in, h, m, p) * sum(in.size("R"), r -> {
      double x = Formulas.dot(in.of("W"), new int[] {h, r}, in.of("Q"), new int[] {h, p});
      double y = Formulas.dot(in.of("W"), new int[] {h, r}, in.of("K"), new int[] {h, m});
      return Math.exp(x + y) + Math.exp(-x - y);
    }));
    int words = in.size("N");
    Doubles window = Formulas.attention(words + in.size("G"), (i, m) -> m < words && (m > i[1] || m <= i[1] - 4) ? Double.NEGATIVE_INFINITY
        : Formulas.dot(in.of("Q"), new int[] {i[0], i[1]}, m < words ? in.of("K") : in.of("KG"), new int[] {i[0], m < words ? m : m - words})
            / Math.sqrt(in.size("E")),
        (i, m) -> m < words ? in.of("V").get(i[0], m, i[2]) : in.of("VG").get(i[0], m - words, i[2]),
        in.size("H"), words, in.size("F"));
    return Doubles.of(i -> linear.get(i) + window.get(i), linear.shape());
  }

  /// The product of the gates after step `m` up to step `p`.
  private static double decay(Inputs in, int h, int m, int p) {
    double product = 1;
    for (int n = m + 1; n <= p; n++) {
      product *= Formulas.sigmoid(in.of("gate").get(h, n));
    }
    return product;
  }

  private static double eluPlusOne(double x) {
    return x > 0 ? x + 1 : Math.exp(x);
  }

  private static double features(Inputs in, DoubleUnaryOperator feature, int h, int p, int m) {
    return sum(in.size("E"), e -> feature.applyAsDouble(in.of("Q").get(h, p, e)) * feature.applyAsDouble(in.of("K").get(h, m, e)));
  }

  private static Doubles total(Inputs in, Weight weight) {
    Doubles v = in.of("V");
    return Doubles.of(i -> sum(v.size(1), m -> weight.at(i[0], i[1], m) * v.get(i[0], m, i[2])),
        v.size(0), in.of("Q").size(1), v.size(2));
  }

  private static Doubles mean(Inputs in, Weight weight) {
    Doubles total = total(in, weight);
    return Doubles.of(i -> total.get(i) / sum(in.of("V").size(1), m -> weight.at(i[0], i[1], m)), total.shape());
  }

  private static List<Doubles> kernels(Inputs in) {
    Doubles q = in.of("Q");
    Doubles k = in.of("K");
    return List.of(mean(in, (h, p, m) -> features(in, LinearAttentionOracles::eluPlusOne, h, p, m)),
        mean(in, (h, p, m) -> sum(in.size("R"), r -> Math.exp(sum(in.size("E"), e -> in.of("W").get(r, e)
            * (q.get(h, p, e) + k.get(h, m, e)) - (Math.pow(q.get(h, p, e), 2) + Math.pow(k.get(h, m, e), 2)) / 2)))));
  }

  private static Doubles simplified(Inputs in) {
    Doubles v = in.of("V");
    Doubles mean = mean(in, (h, p, m) -> features(in, x -> Math.max(x, 0) + 0.001, h, p, m));
    return Doubles.of(i -> mean.get(i) + sum(3, r -> {
      int n = i[1] + r - 1;
      return n < 0 || n >= v.size(1) ? 0 : in.of("filter").get(r, i[2]) * v.get(i[0], n, i[2]);
    }), v.shape());
  }

  private static double gated(Inputs in, int h, int p, int m) {
    return m > p ? 0 : sum(in.size("E"), e -> {
      double fade = 1;
      for (int n = m + 1; n <= p; n++) {
        fade *= Formulas.sigmoid(in.of("G").get(h, n, e));
      }
      return fade * in.of("Q").get(h, p, e) * in.of("K").get(h, m, e);
    });
  }

  private static Doubles deltaRule(Inputs in) {
    Doubles k = in.of("K");
    Doubles y = Doubles.zeros(in.of("V").shape());
    for (int h = 0; h < in.size("H"); h++) {
      double[][] state = new double[in.size("F")][in.size("E")];
      for (int n = 0; n < in.size("N"); n++) {
        double rate = Formulas.sigmoid(in.of("rate").get(h, n));
        for (int f = 0; f < in.size("F"); f++) {
          int[] at = {h, n};
          double[] row = state[f];
          double error = in.of("V").get(h, n, f) - sum(row.length, e -> row[e] * k.get(at[0], at[1], e));
          for (int e = 0; e < row.length; e++) {
            row[e] += rate * error * k.get(h, n, e);
          }
          y.set(sum(row.length, e -> row[e] * in.of("Q").get(at[0], at[1], e)), h, n, f);
        }
      }
    }
    return y;
  }
}
