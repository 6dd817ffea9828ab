package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.Formulas.sum;

import java.util.Arrays;
import java.util.List;

/// The programs in `programs/retrieval`.
final class RetrievalOracles {
  private RetrievalOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("retrieval/product_keys").sizes("B=3 E=5 N=7 F=9").sizes("B=1 E=1 N=3 F=1").gives(RetrievalOracles::productKeys),
        OracleCase.of("retrieval/hopfield").sizes("B=3 E=5 M=7").sizes("B=1 E=1 M=1").gives(RetrievalOracles::hopfield));
  }

  /// The best three of all pairs of halves.
  private static Doubles productKeys(Inputs in) {
    Doubles q = in.of("Q");
    Doubles keys = in.of("keys");
    int halves = in.size("N");
    return Doubles.of(i -> {
      double[] scores = new double[halves * halves];
      Arrays.setAll(scores, m -> Formulas.dot(q, new int[] {i[0], 0}, keys, new int[] {0, m / halves})
          + Formulas.dot(q, new int[] {i[0], 1}, keys, new int[] {1, m % halves}));
      int[] best = Formulas.descending(scores.length, m -> scores[m]);
      double[] weights = Formulas.softmax(3, r -> scores[best[r]]);
      return sum(3, r -> weights[r] * in.of("values").get(best[r], i[1]));
    }, in.size("B"), in.size("F"));
  }

  private static Doubles hopfield(Inputs in) {
    Doubles x = in.of("X");
    Doubles patterns = in.of("patterns");
    for (int step = 0; step < 3; step++) {
      Doubles state = x;
      x = Formulas.attention(in.size("M"), (i, m) -> 4 * Formulas.dot(patterns, new int[] {m}, state, new int[] {i[0]}),
          (i, m) -> patterns.get(m, i[1]), x.shape());
    }
    return x;
  }
}
