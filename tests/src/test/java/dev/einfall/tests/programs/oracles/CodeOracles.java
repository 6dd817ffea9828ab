package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.PlainLoops.argmax;
import static dev.einfall.tests.programs.oracles.PlainLoops.sum;

import java.util.List;

/// The programs in `programs/codes`.
final class CodeOracles {
  private CodeOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("codes/residual").sizes("N=1 D=1 K=1").sizes("N=17 D=7 K=9").givesAll(CodeOracles::residual),
        OracleCase.of("codes/product").sizes("N=1 M=1 K=1").sizes("N=17 M=3 K=9").givesAll(CodeOracles::product),
        OracleCase.of("codes/finite_scalar").sizes("N=1").sizes("N=31").fill("X", Fill.between(-3, 3))
            .fill("levels", Fill.values(7, 5, 5)).givesAll(CodeOracles::finiteScalar));
  }

  private static List<Doubles> residual(Inputs in) {
    Doubles codes = in.of("codes");
    int width = in.size("D");
    Doubles rest = in.of("X").copy();
    Doubles code = Doubles.zeros(in.size("N"), 3);
    for (int book = 0; book < 3; book++) {
      for (int vector = 0; vector < in.size("N"); vector++) {
        int n = vector;
        int q = book;
        int best = argmax(in.size("K"), k -> -sum(width, d -> Math.pow(rest.get(n, d) - codes.get(q, k, d), 2)));
        code.set(best, n, q);
        for (int d = 0; d < width; d++) {
          rest.add(-codes.get(q, best, d), n, d);
        }
      }
    }
    Doubles found = PlainLoops.zip(in.of("X"), rest, (x, r) -> x - r);
    return List.of(code, found, found);
  }

  private static List<Doubles> product(Inputs in) {
    Doubles codes = in.of("codes");
    Doubles code = Doubles.of(i -> argmax(in.size("K"), k -> -sum(4,
        p -> Math.pow(in.of("X").get(i[0], 4 * i[1] + p) - codes.get(i[1], k, p), 2))), in.size("N"), 3);
    Doubles scores = Doubles.of(i -> sum(12, d -> in.of("queries").get(i[0], d) * codes.get(d / 4, code.whole(i[1], d / 4), d % 4)),
        in.size("M"), in.size("N"));
    return List.of(code, scores);
  }

  private static List<Doubles> finiteScalar(Inputs in) {
    int[] half = {3, 2, 2};
    int[] radix = {1, 7, 35};
    Doubles whole = Doubles.of(i -> Math.rint(Math.tanh(in.of("X").get(i)) * half[i[1]]), in.size("N"), 3);
    Doubles y = Doubles.of(i -> whole.get(i) / half[i[1]], whole.shape());
    return List.of(y, Doubles.of(i -> sum(3, d -> (whole.get(i[0], d) + half[d]) * radix[d]), in.size("N")), y);
  }
}
