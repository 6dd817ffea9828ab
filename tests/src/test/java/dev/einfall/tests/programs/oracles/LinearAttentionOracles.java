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
        }));
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
