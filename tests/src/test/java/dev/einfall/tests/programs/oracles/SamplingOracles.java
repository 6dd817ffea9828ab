package dev.einfall.tests.programs.oracles;

import java.util.Arrays;
import java.util.List;

/// The programs in `programs/sampling`: row by row.
final class SamplingOracles {
  private static final double NO = Double.NEGATIVE_INFINITY;

  private SamplingOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("sampling/nucleus").sizes("B=7 N=17").sizes("B=1 N=1").fill("u", Fill.between(0, 1)).givesAll(SamplingOracles::nucleus),
        OracleCase.of("sampling/top_k").sizes("B=7 N=17").sizes("B=1 N=5").fill("u", Fill.between(0, 1)).givesAll(SamplingOracles::topK),
        OracleCase.of("sampling/gumbel").sizes("B=7 N=17").sizes("B=1 N=1").fill("u", Fill.between(0, 1)).givesAll(SamplingOracles::gumbel),
        OracleCase.of("sampling/speculative").sizes("L=5 N=17").sizes("L=1 N=2").fill("u", Fill.between(0, 1))
            .fill("words", Fill.below("N")).givesAll(SamplingOracles::speculative));
  }

  private static double[] row(Doubles x, int b) {
    double[] row = new double[x.size(1)];
    Arrays.setAll(row, n -> x.get(b, n));
    return row;
  }

  private static int draw(double[] logits, double u) {
    double[] p = Formulas.softmax(logits.length, n -> logits[n]);
    double left = u;
    for (int n = 0; n < p.length; n++) {
      left -= p[n];
      if (left < 0) {
        return n;
      }
    }
    return p.length - 1;
  }

  private static Doubles words(Doubles kept, Doubles u) {
    return Doubles.of(b -> draw(row(kept, b[0]), u.get(b[0])), kept.size(0));
  }

  private static List<Doubles> nucleus(Inputs in) {
    Doubles x = in.of("logits");
    Doubles kept = Doubles.full(NO, x.shape());
    for (int b = 0; b < x.size(0); b++) {
      double[] logits = row(x, b);
      double[] p = Formulas.softmax(logits.length, n -> 4 * logits[n]);
      double mass = 0;
      for (int n : Formulas.descending(p.length, i -> p[i])) {
        if (mass < 0.8) {
          kept.set(4 * logits[n], b, n);
        }
        mass += p[n];
      }
    }
    return List.of(kept, words(kept, in.of("u")));
  }

  private static List<Doubles> topK(Inputs in) {
    Doubles x = in.of("logits");
    Doubles kept = Doubles.full(NO, x.shape());
    Doubles best = Doubles.zeros(x.size(0));
    for (int b = 0; b < x.size(0); b++) {
      double[] logits = row(x, b);
      int[] order = Formulas.descending(logits.length, n -> logits[n]);
      best.set(order[0], b);
      for (int i = 0; i < 5; i++) {
        kept.set(logits[order[i]], b, order[i]);
      }
    }
    return List.of(words(kept, in.of("u")), best, kept);
  }

  private static List<Doubles> gumbel(Inputs in) {
    Doubles x = in.of("logits");
    Doubles kept = Doubles.full(NO, x.shape());
    Doubles words = Doubles.zeros(x.size(0));
    for (int b = 0; b < x.size(0); b++) {
      double[] logits = row(x, b);
      for (int n = 0; n < logits.length; n++) {
        logits[n] *= in.of("seen").get(b, n) == 0 ? 1 : logits[n] > 0 ? 1 / 1.3 : 1.3;
      }
      double[] p = Formulas.softmax(logits.length, n -> logits[n]);
      double most = Arrays.stream(p).max().orElseThrow();
      double[] noisy = new double[p.length];
      for (int n = 0; n < p.length; n++) {
        kept.set(p[n] >= most / 2 ? logits[n] : NO, b, n);
        noisy[n] = kept.get(b, n) - Math.log(-Math.log(in.of("u").get(b, n)));
      }
      words.set(Formulas.descending(p.length, n -> noisy[n])[0], b);
    }
    return List.of(kept, words);
  }

  private static List<Doubles> speculative(Inputs in) {
    Doubles x = in.of("P");
    int words = in.size("N");
    int count = 0;
    while (count < in.size("L") && isKept(in, count)) {
      count++;
    }
    int last = Math.min(count, in.size("L") - 1);
    double[] p = Formulas.softmax(words, n -> x.get(last, n));
    double[] q = Formulas.softmax(words, n -> in.of("Q").get(last, n));
    double total = Formulas.sum(words, n -> Math.max(p[n] - q[n], 0));
    return List.of(Doubles.full(count), Doubles.of(n -> Math.max(p[n[0]] - q[n[0]], 0) / total, words));
  }

  private static boolean isKept(Inputs in, int l) {
    int word = in.of("words").whole(l);
    double p = Formulas.softmax(in.size("N"), n -> in.of("P").get(l, n))[word];
    double q = Formulas.softmax(in.size("N"), n -> in.of("Q").get(l, n))[word];
    return in.of("u").get(l) < p / q;
  }
}
