package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.Formulas.sum;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// The programs in `programs/cache`.
final class CacheOracles {
  private CacheOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("cache/decode").sizes("H=2 N=7 E=5 F=3").sizes("H=1 N=3 E=1 F=17").fill("position", Fill.from(1, 3))
            .givesAll(CacheOracles::decode),
        OracleCase.of("cache/ring").sizes("H=2 N=7 P=3 E=5 F=3").sizes("H=1 N=3 P=1 E=1 F=17").fill("position", Fill.from(5, 100))
            .givesAll(CacheOracles::ring),
        OracleCase.of("cache/tova").sizes("H=2 N=7 E=5 F=3").sizes("H=1 N=2 E=1 F=17").givesAll(CacheOracles::tova),
        OracleCase.of("cache/chunks").sizes("H=2 C=5 P=3 E=5 F=3").sizes("H=1 C=2 P=1 E=1 F=7").givesAll(CacheOracles::chunks),
        OracleCase.of("cache/low_rank_rest").sizes("H=2 P=3 N=5 M=7 E=5 F=3 R=9").sizes("H=1 P=1 N=1 M=1 E=1 F=7 R=1")
            .gives(CacheOracles::lowRankRest),
        OracleCase.of("cache/merge").sizes("N=7 E=5 F=3").sizes("N=2 E=1 F=1").fill("counts", Fill.from(1, 5))
            .fill("weights", Fill.between(0, 1)).givesAll(CacheOracles::merge));
  }

  /// Attention of each head to the rows of the cache that are named.
  private static Doubles attend(Doubles q, Doubles k, Doubles v, int[] rows) {
    return Formulas.attention(rows.length, (i, m) -> score(q, k, i[0], i[1], rows[m]), (i, m) -> v.get(i[0], rows[m], i[2]),
        q.size(0), q.size(1), v.size(2));
  }

  private static double score(Doubles q, Doubles k, int h, int p, int m) {
    return Formulas.dot(q, new int[] {h, p}, k, new int[] {h, m}) / Math.sqrt(q.size(2));
  }

  private static Doubles replaced(Doubles cache, Doubles rows, int position) {
    Doubles result = cache.copy();
    for (int h = 0; h < rows.size(0); h++) {
      for (int p = 0; p < rows.size(1); p++) {
        for (int d = 0; d < rows.size(2); d++) {
          result.set(rows.get(h, p, d), h, (position + p) % cache.size(1), d);
        }
      }
    }
    return result;
  }

  private static List<Doubles> decode(Inputs in) {
    int position = in.of("position").whole();
    Doubles k = replaced(in.of("K"), in.of("k"), position);
    Doubles v = replaced(in.of("V"), in.of("v"), position);
    return List.of(attend(in.of("q"), k, v, IntStream.rangeClosed(0, position).toArray()), k, v);
  }

  private static List<Doubles> ring(Inputs in) {
    int position = in.of("position").whole();
    Doubles k = replaced(in.of("K"), in.of("k"), position);
    Doubles v = replaced(in.of("V"), in.of("v"), position);
    return List.of(attend(in.of("q"), k, v, IntStream.range(0, in.size("N")).toArray()), k);
  }

  private static double[] totalWeights(Doubles q, Doubles k) {
    double[] total = new double[k.size(1)];
    for (int h = 0; h < q.size(0); h++) {
      for (int p = 0; p < q.size(1); p++) {
        int[] at = {h, p};
        double[] a = Formulas.softmax(total.length, m -> score(q, k, at[0], at[1], m));
        Arrays.setAll(total, m -> total[m] + a[m]);
      }
    }
    return total;
  }

  private static List<Doubles> tova(Inputs in) {
    Doubles k = in.of("K");
    int rows = k.size(1);
    double[] total = totalWeights(in.of("q"), k);
    int least = Formulas.descending(rows, m -> -total[m])[0];
    int[] kept = IntStream.range(0, rows).filter(n -> n != least).toArray();
    return List.of(attend(in.of("q"), k, in.of("V"), IntStream.range(0, rows).toArray()), Doubles.full(least),
        kept(k, kept), kept(in.of("V"), kept));
  }

  private static Doubles kept(Doubles cache, int[] rows) {
    return Doubles.of(i -> cache.get(i[0], rows[i[1]], i[2]), cache.size(0), rows.length, cache.size(2));
  }

  private static List<Doubles> chunks(Inputs in) {
    Doubles k = in.of("keys").reshape(in.size("H"), 4 * in.size("C"), in.size("E"));
    Doubles v = in.of("values").reshape(in.size("H"), 4 * in.size("C"), in.size("F"));
    double[] total = totalWeights(in.of("Q"), k);
    int[] best = Arrays.copyOf(Formulas.descending(in.size("C"), c -> sum(4, i -> total[4 * c + i])), 2);
    Arrays.sort(best);
    int[] rows = IntStream.range(0, 8).map(i -> 4 * best[i / 4] + i % 4).toArray();
    return List.of(Doubles.of(i -> rows[i[0]], 8), attend(in.of("Q"), k, v, rows));
  }

  private static Doubles lowRankRest(Inputs in) {
    int kept = in.size("N");
    Doubles k = in.of("K");
    Doubles old = in.of("old_K");
    return Doubles.of(i -> {
      int[] query = {i[0], i[1]};
      double[] weights = new double[kept + in.size("M")];
      Arrays.setAll(weights, m -> m < kept ? Math.exp(Formulas.dot(in.of("Q"), query, k, new int[] {i[0], m}))
          : sum(in.size("R"), r -> feature(in, in.of("Q"), query, r) * feature(in, old, new int[] {i[0], m - kept}, r)) / in.size("R"));
      return sum(weights.length, m -> weights[m] * (m < kept ? in.of("V").get(i[0], m, i[2])
          : in.of("old_V").get(i[0], m - kept, i[2]))) / Arrays.stream(weights).sum();
    }, in.size("H"), in.size("P"), in.size("F"));
  }

  private static double feature(Inputs in, Doubles x, int[] row, int r) {
    return Math.exp(Formulas.dot(in.of("W"), new int[] {r}, x, row) - Formulas.dot(x, row, x, row) / 2);
  }

  private static List<Doubles> merge(Inputs in) {
    int rows = in.size("N");
    Doubles k = in.of("K").copy();
    Doubles v = in.of("V").copy();
    Doubles counts = in.of("counts").copy();
    int least = Formulas.descending(rows, n -> -in.of("weights").get(0, n))[0];
    int[] others = IntStream.range(0, rows).filter(n -> n != least).toArray();
    int[] byLikeness = Formulas.descending(others.length,
        n -> Formulas.dot(k, new int[] {others[n]}, k, new int[] {least}));
    int target = others[byLikeness[0]];
    mix(k, counts, target, least);
    mix(v, counts, target, least);
    counts.add(counts.get(least), target);
    return List.of(Doubles.of(i -> k.get(others[i[0]], i[1]), rows - 1, k.size(1)),
        Doubles.of(i -> v.get(others[i[0]], i[1]), rows - 1, v.size(1)), Doubles.of(i -> counts.get(others[i[0]]), rows - 1));
  }

  private static void mix(Doubles cache, Doubles counts, int target, int other) {
    double total = counts.get(target) + counts.get(other);
    for (int d = 0; d < cache.size(1); d++) {
      cache.set((counts.get(target) * cache.get(target, d) + counts.get(other) * cache.get(other, d)) / total, target, d);
    }
  }
}
