package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.Formulas.attention;
import static dev.einfall.tests.programs.oracles.Formulas.sum;

import java.util.List;

/// The programs in `programs/cascade`.
final class CascadeOracles {
  private CascadeOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("cascade/three_pass_attention").sizes("P=3 M=17 E=5 F=7").sizes("P=1 M=1 E=1 F=1").gives(in -> plain(in, 1)),
        OracleCase.of("cascade/one_pass_attention").sizes("P=3 J=5 E=5 F=7").sizes("P=1 J=1 E=1 F=1").fill("Q", Fill.between(-9, 9))
            .gives(in -> plain(in, 1)),
        OracleCase.of("cascade/tree_attention").sizes("P=3 M=17 E=5 F=7").sizes("P=1 M=1 E=1 F=1").fill("Q", Fill.between(-9, 9))
            .gives(in -> plain(in, Math.sqrt(in.size("E")))),
        OracleCase.of("cascade/two_pass_softmax").sizes("M=3 N=17").sizes("M=1 N=1").gives(CascadeOracles::softmaxOfLarge),
        OracleCase.of("cascade/diagonal_batching").sizes("S=5 L=3 D=7").sizes("S=1 L=1 D=1").gives(CascadeOracles::segments),
        OracleCase.of("cascade/prefix_attention").sizes("B=3 P=2 M=7 N=5 E=5 F=3").sizes("B=1 P=1 M=1 N=17 E=1 F=1")
            .gives(CascadeOracles::prefix));
  }

  private static Doubles plain(Inputs in, double divisor) {
    Doubles k = flat(in.of("K"));
    Doubles v = flat(in.of("V"));
    return attention(k.size(0), (i, m) -> Formulas.dot(in.of("Q"), new int[] {i[0]}, k, new int[] {m}) / divisor,
        (i, m) -> v.get(m, i[1]), in.size("P"), in.size("F"));
  }

  /// The rows of all blocks.
  private static Doubles flat(Doubles x) {
    return x.reshape(x.values().length / x.size(x.shape().length - 1), x.size(x.shape().length - 1));
  }

  private static Doubles softmaxOfLarge(Inputs in) {
    Doubles x = in.of("X");
    return Doubles.of(i -> Formulas.softmax(x.size(1), n -> 60 * x.get(i[0], n))[i[1]], x.shape());
  }

  /// Every segment through all layers before the next one comes.
  private static Doubles segments(Inputs in) {
    int layers = in.size("L");
    int depth = in.size("D");
    Doubles y = in.of("X").copy();
    Doubles memory = Doubles.zeros(layers, depth);
    for (int s = 0; s < in.size("S"); s++) {
      for (int l = 0; l < layers; l++) {
        int[] at = {s, l};
        Doubles below = y.copy();
        for (int d = 0; d < depth; d++) {
          int row = d;
          y.set(Math.tanh(sum(depth, k -> in.of("W").get(at[1], row, k) * below.get(at[0], k)) + memory.get(l, d)), s, d);
        }
        for (int d = 0; d < depth; d++) {
          int row = d;
          memory.set(sum(depth, k -> in.of("U").get(at[1], row, k) * y.get(at[0], k)), l, d);
        }
      }
    }
    return y;
  }

  private static Doubles prefix(Inputs in) {
    int prefix = in.size("M");
    return attention(prefix + in.size("N"), (i, m) -> {
      int[] query = {i[0], i[1]};
      double product = m < prefix ? Formulas.dot(in.of("Q"), query, in.of("KP"), new int[] {m})
          : Formulas.dot(in.of("Q"), query, in.of("K"), new int[] {i[0], m - prefix});
      return product / Math.sqrt(in.size("E"));
    }, (i, m) -> m < prefix ? in.of("VP").get(m, i[2]) : in.of("V").get(i[0], m - prefix, i[2]),
        in.size("B"), in.size("P"), in.size("F"));
  }
}
