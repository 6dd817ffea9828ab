package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.Formulas.attention;
import static dev.einfall.tests.programs.oracles.Formulas.sum;

import java.util.Arrays;
import java.util.List;

/// The programs in `programs/sparse_attention`.
final class SparseAttentionOracles {

  /// Whether query `p` sees key `m`.
  @FunctionalInterface
  private interface Sees {
    boolean test(int p, int m);
  }

  private SparseAttentionOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("sparse_attention/windows").sizes("H=2 P=7 M=9 E=5 F=3").sizes("H=1 P=1 M=17 E=1 F=7").givesAll(in -> {
          int shift = in.size("M") - in.size("P");
          return List.of(heads(in, (p, m) -> m <= p + shift && m > p + shift - 3),
              heads(in, (p, m) -> m <= p + shift && (m > p + shift - 3 || m < 2)),
              heads(in, (p, m) -> m <= p + shift && (p + shift - m) % 3 == 0));
        }),
        OracleCase.of("sparse_attention/blocks").sizes("H=2 I=3 J=5 E=5 F=3").sizes("H=1 I=1 J=1 E=1 F=7")
            .gives(in -> heads(in.flat("q", "Q").flat("k", "K").flat("v", "V"), (p, m) -> m < 4 || in.of("mask").get(p / 4, m / 4) == 1)),
        OracleCase.of("sparse_attention/best_blocks").sizes("J=5 E=5 F=3").sizes("J=2 E=1 F=7")
            .gives(in -> bestBlocks(in.flat("q", "Q").flat("k", "K").flat("v", "V"))),
        OracleCase.of("sparse_attention/pruned_tokens").sizes("H=2 N=9 E=5 F=3").sizes("H=1 N=7 E=3 F=1")
            .givesAll(SparseAttentionOracles::prunedTokens),
        OracleCase.of("sparse_attention/scatterbrain").sizes("N=7 E=3 F=5 R=9").sizes("N=1 E=1 F=1 R=1")
            .gives(SparseAttentionOracles::scatterbrain));
  }

  private static Doubles heads(Inputs in, Sees sees) {
    Doubles q = in.of("Q");
    Doubles k = in.of("K");
    return attention(k.size(1), (i, m) -> sees.test(i[1], m) ? score(q, new int[] {i[0], i[1]}, k, new int[] {i[0], m})
        : Double.NEGATIVE_INFINITY, (i, m) -> in.of("V").get(i[0], m, i[2]), q.size(0), q.size(1), in.size("F"));
  }

  private static double score(Doubles q, int[] i, Doubles k, int[] j) {
    return Formulas.dot(q, i, k, j) / Math.sqrt(q.size(i.length));
  }

  private static Doubles bestBlocks(Inputs in) {
    Doubles q = in.of("Q");
    Doubles k = in.of("K");
    return attention(k.size(0), (i, m) -> {
      int p = i[0];
      int[] best = Formulas.descending(p / 4, j -> sum(4, n -> Formulas.dot(q, new int[] {p}, k, new int[] {4 * j + n})));
      boolean isChosen = Arrays.stream(best).limit(2).anyMatch(j -> j == m / 4) || m / 4 == p / 4;
      return isChosen && m <= p ? score(q, new int[] {p}, k, new int[] {m}) : Double.NEGATIVE_INFINITY;
    }, (i, m) -> in.of("V").get(m, i[1]), k.size(0), in.size("F"));
  }

  private static List<Doubles> prunedTokens(Inputs in) {
    int words = in.size("N");
    double[] importance = new double[words];
    for (int h = 0; h < in.size("H"); h++) {
      for (int p = 0; p < words; p++) {
        int[] row = {h, p};
        double[] a = Formulas.softmax(words, m -> score(in.of("Q"), row, in.of("K"), new int[] {row[0], m}));
        Arrays.setAll(importance, m -> importance[m] + a[m]);
      }
    }
    int[] kept = Arrays.copyOf(Formulas.descending(words, m -> importance[m]), 5);
    return List.of(attention(5, (i, m) -> score(in.of("Q2"), new int[] {i[0], i[1]}, in.of("K2"), new int[] {i[0], kept[m]}),
        (i, m) -> in.of("V2").get(i[0], kept[m], i[2]), in.size("H"), words, in.size("F")), Doubles.of(i -> kept[i[0]], 5));
  }

  private static Doubles scatterbrain(Inputs in) {
    int words = in.size("N");
    Doubles q = in.of("Q");
    Doubles k = in.of("K");
    Doubles w = in.of("W");
    return Doubles.of(i -> {
      double[] a = new double[words];
      Arrays.setAll(a, m -> {
        int[] p = {i[0]};
        int[] key = {m};
        double halves = (Formulas.dot(q, p, q, p) + Formulas.dot(k, key, k, key)) / 2;
        return Math.abs(i[0] - m) < 2 ? Math.exp(Formulas.dot(q, p, k, key)) : sum(in.size("R"), r -> Math.exp(
            Formulas.dot(w, new int[] {r}, q, p) + Formulas.dot(w, new int[] {r}, k, key) - halves)) / in.size("R");
      });
      return sum(words, m -> a[m] * in.of("V").get(m, i[1])) / Arrays.stream(a).sum();
    }, words, in.size("F"));
  }
}
