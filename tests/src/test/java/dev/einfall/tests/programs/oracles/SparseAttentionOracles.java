package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.Formulas.attention;
import static dev.einfall.tests.programs.oracles.Formulas.sum;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// The programs in `programs/sparse_attention`.
final class SparseAttentionOracles {

  /// Whether query `p` sees key `m`.
  @FunctionalInterface
  private interface Sees {
    boolean test(int p, int m);
  }

  /// Numbers whose products with planes are exact: which side they are on does not depend on rounding.
  private static final Fill WHOLE = Fill.whole(-4, 5);

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
            .gives(SparseAttentionOracles::scatterbrain),
        OracleCase.of("sparse_attention/triangle").sizes("H=2 N=70 E=5 F=3").sizes("H=1 N=3 E=1 F=7")
            .gives(in -> heads(in, (p, m) -> m <= p && (m < 4 || m > p - 8 || p >= in.size("N") - 5))),
        OracleCase.of("sparse_attention/product_codes").sizes("N=17 S=3 D=2 C=3 F=5").sizes("N=7 S=1 D=1 C=1 F=1")
            .gives(SparseAttentionOracles::productCodes),
        OracleCase.of("sparse_attention/sampled_by_hash").sizes("P=5 M=70 E=4 F=7 L=6 B=2").sizes("P=1 M=3 E=1 F=1 L=2 B=1")
            .fill("Q", Fill.whole(1, 5)).fill("K", WHOLE).fill("planes", WHOLE).terms(1000).gives(SparseAttentionOracles::sampled),
        OracleCase.of("sparse_attention/sorted_by_hash").sizes("J=5 E=4 F=7 B=3 R=6").sizes("J=2 E=1 F=1 B=1 R=1")
            .fill("queries", WHOLE).fill("keys", WHOLE).fill("planes", WHOLE).fill("drawn", Fill.below(8))
            .gives(in -> sorted(in.flat("queries", "Q").flat("keys", "K").flat("values", "V"))));
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

  private static Doubles productCodes(Inputs in) {
    int words = in.size("N");
    int parts = in.size("S");
    return attention(words, (i, m) -> {
      int[] best = Formulas.descending(words, n -> sum(parts, s -> code(in, "Q", i[0], s) == code(in, "K", n, s) ? 1 : 0));
      return Arrays.stream(best).limit(5).anyMatch(n -> n == m) ? score(in.of("Q"), new int[] {i[0]}, in.of("K"), new int[] {m})
          : Double.NEGATIVE_INFINITY;
    }, (i, m) -> in.of("V").get(m, i[1]), words, in.size("F"));
  }

  /// The nearest vector to part `s` of a row.
  private static int code(Inputs in, String name, int row, int s) {
    int depth = in.size("D");
    return Formulas.descending(in.size("C"), c -> -sum(depth,
        d -> Math.pow(in.of(name).get(row, s * depth + d) - in.of("codes").get(s, c, d), 2)))[0];
  }

  private static Doubles sampled(Inputs in) {
    int tables = in.size("L");
    int bits = in.size("B");
    Doubles q = in.of("Q");
    Doubles k = in.of("K");
    return attention(in.size("M"), (i, m) -> {
      int[] query = {i[0]};
      int[] key = {m};
      double logit = score(q, query, k, key);
      double hits = sum(tables, l -> IntStream.range(0, bits).allMatch(b -> side(in, l, b, q, query) == side(in, l, b, k, key)) ? 1 : 0);
      double cosine = Formulas.dot(q, query, k, key) / Math.sqrt(Formulas.dot(q, query, q, query) * Formulas.dot(k, key, k, key));
      double one = Math.pow(1 - Math.acos(Math.clamp(cosine, -1, 1)) / Math.PI, bits);
      double none = Math.pow(1 - one, tables);
      double likely = 1 - none - tables * one * Math.pow(1 - one, tables - 1);
      return m < 2 ? logit : hits >= 2 ? logit - Math.log(likely) : Double.NEGATIVE_INFINITY;
    }, (i, m) -> in.of("V").get(m, i[1]), in.size("P"), in.size("F"));
  }

  private static boolean side(Inputs in, int table, int bit, Doubles x, int[] row) {
    return Formulas.dot(in.of("planes"), new int[] {table, bit}, x, row) >= 0;
  }

  private static Doubles sorted(Inputs in) {
    int words = 4 * in.size("J");
    int[] ofQ = blocks(in, "Q", words);
    int[] ofK = blocks(in, "K", words);
    Doubles drawn = in.of("drawn");
    int samples = in.size("R");
    return attention(words + samples, (i, m) -> {
      int key = m < words ? m : drawn.whole(m - words);
      boolean near = ofQ[i[0]] == ofK[key];
      double logit = score(in.of("Q"), new int[] {i[0]}, in.of("K"), new int[] {key});
      return near != m < words ? Double.NEGATIVE_INFINITY : near ? logit : logit + Math.log((double) (words - 4) / samples);
    }, (i, m) -> in.of("V").get(m < words ? m : drawn.whole(m - words), i[1]), words, in.size("F"));
  }

  /// The block of each row in the order of the hashes.
  private static int[] blocks(Inputs in, String name, int words) {
    int[] order = Formulas.descending(words, n -> -sum(in.size("B"),
        b -> Formulas.dot(in.of("planes"), new int[] {b}, in.of(name), new int[] {n}) >= 0 ? 1 << b : 0));
    int[] blocks = new int[words];
    for (int i = 0; i < words; i++) {
      blocks[order[i]] = i / 4;
    }
    return blocks;
  }
}
