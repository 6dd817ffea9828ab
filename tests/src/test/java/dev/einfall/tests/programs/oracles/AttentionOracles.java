package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.Formulas.attention;
import static dev.einfall.tests.programs.oracles.Formulas.sum;

import java.util.List;

/// The programs in `programs/attention`.
final class AttentionOracles {
  private AttentionOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("attention/multi_head").sizes("B=2 P=3 M=7 D=9 H=3 E=5").sizes("B=1 P=1 M=17 D=1 H=1 E=1")
            .fill("lengths", Fill.from(1, 8))
            .gives(AttentionOracles::multiHead),
        OracleCase.of("attention/grouped_query").sizes("B=2 N=7 E=6 F=3").sizes("B=1 N=1 E=2 F=17").givesAll(AttentionOracles::grouped),
        OracleCase.of("attention/latent").sizes("N=7 D=9 H=3 E=5 R=3 F=4").sizes("N=3 D=1 H=1 E=1 R=2 F=17").gives(AttentionOracles::latent),
        OracleCase.of("attention/biased").sizes("B=2 H=4 P=3 M=7 E=5 F=3").sizes("B=1 H=1 P=1 M=17 E=1 F=1").fill("Q", Fill.between(-9, 9))
            .givesAll(AttentionOracles::biased),
        OracleCase.of("attention/cosine").sizes("H=2 N=9 E=5 F=3").sizes("H=1 N=1 E=1 F=17").gives(AttentionOracles::cosine),
        OracleCase.of("attention/rotary_before_and_after").sizes("H=2 N=7 E=6 F=3").sizes("H=1 N=3 E=2 F=1").givesAll(in -> {
          Doubles y = rotary(in);
          return List.of(y, y);
        }),
        OracleCase.of("attention/simplicial").sizes("H=2 N=5 E=3 F=7").sizes("H=1 N=1 E=17 F=1").gives(AttentionOracles::simplicial));
  }

  private static Doubles multiHead(Inputs in) {
    int words = in.size("M");
    int depth = in.size("D");
    Doubles q = heads(in.of("X"), in.of("WQ"));
    Doubles k = heads(in.of("C"), in.of("WK"));
    Doubles v = heads(in.of("C"), in.of("WV"));
    Doubles z = attention(words, (i, m) -> m < in.of("lengths").get(i[0]) ? score(q, k, i[0], i[1], i[2], m) : -1e9,
        (i, m) -> v.get(i[0], i[1], m, i[3]), in.size("B"), in.size("H"), in.size("P"), in.size("E"));
    return Doubles.of(i -> sum(in.size("H"), h -> sum(in.size("E"),
        e -> z.get(i[0], h, i[1], e) * in.of("WO").get(h, e, i[2]))), in.size("B"), in.size("P"), depth);
  }

  private static Doubles heads(Doubles x, Doubles w) {
    return Doubles.of(i -> sum(x.size(2), d -> x.get(i[0], i[2], d) * w.get(d, i[1], i[3])),
        x.size(0), w.size(1), x.size(1), w.size(2));
  }

  private static double score(Doubles q, Doubles k, int b, int h, int p, int m) {
    return sum(q.size(3), e -> q.get(b, h, p, e) * k.get(b, h, m, e)) / Math.sqrt(q.size(3));
  }

  private static List<Doubles> grouped(Inputs in) {
    Doubles q = turned(in.of("Q"), 10000);
    Doubles k = turned(in.of("K"), 10000);
    Doubles v = in.of("V");
    int[] shape = {in.size("B"), 4, in.size("N"), in.size("F")};
    return List.of(
        attention(in.size("N"), (i, m) -> ahead(i[2], m, sum(in.size("E"), e -> q.get(i[0], i[1], i[2], e) * k.get(i[0], i[1] / 2, m, e))
            / Math.sqrt(in.size("E"))), (i, m) -> v.get(i[0], i[1] / 2, m, i[3]), shape),
        attention(in.size("N"), (i, m) -> ahead(i[2], m, sum(in.size("E"), e -> q.get(i[0], i[1], i[2], e) * k.get(i[0], 0, m, e))
            / Math.sqrt(in.size("E"))), (i, m) -> v.get(i[0], 0, m, i[3]), shape));
  }

  private static double ahead(int position, int key, double score) {
    return key <= position ? score : -1e9;
  }

  /// Each pair of neighbours as a complex number times e^(i angle).
  private static Doubles turned(Doubles x, double base) {
    int depth = x.size(3);
    return Doubles.of(i -> {
      double angle = i[2] * Math.pow(base, -(double) (i[3] / 2 * 2) / depth);
      double real = x.get(i[0], i[1], i[2], i[3] / 2 * 2);
      double imaginary = x.get(i[0], i[1], i[2], i[3] / 2 * 2 + 1);
      return i[3] % 2 == 0 ? real * Math.cos(angle) - imaginary * Math.sin(angle)
          : real * Math.sin(angle) + imaginary * Math.cos(angle);
    }, x.shape());
  }

  private static Doubles rotary(Inputs in) {
    int[] shape = {1, in.size("H"), in.size("N"), in.size("E")};
    Doubles q = turned(in.of("Q").reshape(shape), 500);
    Doubles k = turned(in.of("K").reshape(shape), 500);
    return attention(in.size("N"), (i, m) -> ahead(i[1], m, score(q, k, 0, i[0], i[1], m)),
        (i, m) -> in.of("V").get(i[0], m, i[2]), in.size("H"), in.size("N"), in.size("F"));
  }

  private static Doubles latent(Inputs in) {
    int depth = in.size("D");
    Doubles x = in.of("X");
    Doubles c = Doubles.of(i -> sum(depth, d -> in.of("DOWN").get(i[1], d) * x.get(i[0], d)), in.size("N"), in.size("R"));
    Doubles q = Doubles.of(i -> sum(depth, d -> in.of("WQ").get(i[0], i[2], d) * x.get(i[1], d)),
        in.size("H"), in.size("N"), in.size("E"));
    Doubles k = up(c, in.of("UK"));
    Doubles v = up(c, in.of("UV"));
    return attention(in.size("N"), (i, m) -> ahead(i[1], m, (sum(in.size("E"), e -> q.get(i[0], i[1], e) * k.get(i[0], m, e))
        + sum(4, d -> in.of("QR").get(i[0], i[1], d) * in.of("KR").get(m, d))) / Math.sqrt(in.size("E") + 4)),
        (i, m) -> v.get(i[0], m, i[2]), in.size("H"), in.size("N"), in.size("F"));
  }

  private static Doubles up(Doubles c, Doubles w) {
    return Doubles.of(i -> sum(c.size(1), r -> w.get(i[0], i[2], r) * c.get(i[1], r)), w.size(0), c.size(0), w.size(1));
  }

  private static List<Doubles> biased(Inputs in) {
    Doubles v = in.of("V");
    int keys = in.size("M");
    int[] shape = {in.size("B"), in.size("H"), in.size("P"), in.size("F")};
    Formulas.At score = (i, m) -> {
      int distance = i[2] + keys - in.size("P") - m;
      double capped = 5 * Math.tanh(score(in.of("Q"), in.of("K"), i[0], i[1], i[2], m) / 5);
      return distance < 0 ? -1e9 : capped - Math.pow(2, -8.0 * (i[1] + 1) / in.size("H")) * distance;
    };
    return List.of(attention(keys, score, (i, m) -> v.get(i[0], i[1], m, i[3]), shape),
        attention(keys + 1, (i, m) -> m < keys ? score.at(i, m) : in.of("sink").get(i[1]),
            (i, m) -> m < keys ? v.get(i[0], i[1], m, i[3]) : 0, shape));
  }

  private static Doubles cosine(Inputs in) {
    Doubles q = in.of("Q");
    Doubles k = in.of("K");
    return attention(in.size("N"), (i, m) -> 10 * cosine(q, new int[] {i[0], i[1]}, k, new int[] {i[0], m})
        + in.of("bias").get(i[0], Math.clamp(m - i[1], -3, 3) + 3), (i, m) -> in.of("V").get(i[0], m, i[2]),
        in.size("H"), in.size("N"), in.size("F"));
  }

  private static double cosine(Doubles q, int[] i, Doubles k, int[] j) {
    return Formulas.dot(q, i, k, j) / Math.sqrt(Formulas.dot(q, i, q, i) * Formulas.dot(k, j, k, j));
  }

  private static Doubles simplicial(Inputs in) {
    int n = in.size("N");
    return attention(n * n, (i, pair) -> sum(in.size("E"), e -> in.of("Q").get(i[0], i[1], e)
        * in.of("K1").get(i[0], pair / n, e) * in.of("K2").get(i[0], pair % n, e)) / Math.sqrt(in.size("E")),
        (i, pair) -> in.of("V1").get(i[0], pair / n, i[2]) * in.of("V2").get(i[0], pair % n, i[2]),
        in.size("H"), n, in.size("F"));
  }
}
