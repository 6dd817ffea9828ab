package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.Formulas.sum;

import java.util.List;

/// The programs in `programs/sequence`.
final class SequenceOracles {
  private SequenceOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("sequence/decoder_block").sizes("N=7 D=9 E=6 J=17").sizes("N=1 D=1 E=2 J=1").gives(SequenceOracles::decoder),
        OracleCase.of("sequence/chunked_recurrence").sizes("J=5 E=5 F=3").sizes("J=1 E=1 F=7").gives(SequenceOracles::chunks));
  }

  private static Doubles decoder(Inputs in) {
    Doubles x = normalized(in.of("X"), in.of("g1"));
    Doubles q = turned(heads(x, in.of("WQ")));
    Doubles k = turned(heads(x, in.of("WK")));
    Doubles v = heads(x, in.of("WV"));
    int width = in.size("E");
    Doubles z = Formulas.attention(in.size("N"), (i, m) -> m > i[1] ? -1e9
        : sum(width, e -> q.get(i[0], i[1], e) * k.get(i[0] / 2, m, e)) / Math.sqrt(width),
        (i, m) -> v.get(i[0] / 2, m, i[2]), 4, in.size("N"), width);
    Doubles a = Doubles.of(i -> in.of("X").get(i)
        + sum(4, h -> sum(width, e -> in.of("WO").get(i[1], h, e) * z.get(h, i[0], e))), x.shape());
    Doubles b = normalized(a, in.of("g2"));
    Doubles g = Doubles.of(i -> Formulas.silu(up(in, b, i, 0)) * up(in, b, i, 1), in.size("N"), in.size("J"));
    return Doubles.of(i -> a.get(i) + sum(in.size("J"), j -> in.of("DOWN").get(i[1], j) * g.get(i[0], j)), x.shape());
  }

  private static double up(Inputs in, Doubles x, int[] i, int half) {
    return sum(x.size(1), d -> in.of("UP").get(half, i[1], d) * x.get(i[0], d));
  }

  private static Doubles normalized(Doubles x, Doubles gamma) {
    return Doubles.of(i -> x.get(i) * gamma.get(i[1])
        / Math.sqrt(sum(x.size(1), d -> x.get(i[0], d) * x.get(i[0], d)) / x.size(1) + 1e-6), x.shape());
  }

  private static Doubles heads(Doubles x, Doubles w) {
    return Doubles.of(i -> sum(x.size(1), d -> w.get(i[0], i[2], d) * x.get(i[1], d)), w.size(0), x.size(0), w.size(1));
  }

  private static Doubles turned(Doubles x) {
    return Doubles.of(i -> {
      int even = i[2] / 2 * 2;
      double angle = i[1] * Math.pow(10000, -(double) even / x.size(2));
      double a = x.get(i[0], i[1], even);
      double b = x.get(i[0], i[1], even + 1);
      return i[2] == even ? a * Math.cos(angle) - b * Math.sin(angle) : a * Math.sin(angle) + b * Math.cos(angle);
    }, x.shape());
  }

  private static Doubles chunks(Inputs in) {
    Doubles k = gathered(in.of("k"), in.of("gate"));
    Doubles v = gathered(in.of("v"), in.of("gate"));
    int width = in.size("E");
    return Doubles.of(i -> {
      double[] weights = Formulas.softmax(i[0] + 1, c -> sum(width,
          e -> in.of("q").get(i[0], i[1], e) * k.get(c, c == i[0] ? i[1] : 3, e)) / Math.sqrt(width));
      return sum(i[0] + 1, c -> weights[c] * v.get(c, c == i[0] ? i[1] : 3, i[2]));
    }, v.shape());
  }

  private static Doubles gathered(Doubles x, Doubles gate) {
    Doubles y = Doubles.zeros(x.shape());
    for (int j = 0; j < x.size(0); j++) {
      for (int i = 0; i < 4; i++) {
        double keep = Formulas.sigmoid(gate.get(j, i));
        for (int d = 0; d < x.size(2); d++) {
          y.set((i == 0 ? 0 : keep * y.get(j, i - 1, d)) + (1 - keep) * x.get(j, i, d), j, i, d);
        }
      }
    }
    return y;
  }
}
