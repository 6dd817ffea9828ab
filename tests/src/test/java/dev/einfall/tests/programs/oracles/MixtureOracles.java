package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.Formulas.sum;

import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.function.IntToDoubleFunction;

/// The programs in `programs/mixture`: token by token.
final class MixtureOracles {

  /// The experts of one token and their gates.
  private record Route(int[] experts, double[] gates) {

    static Route of(int count, int experts, IntToDoubleFunction logits) {
      int[] best = Arrays.copyOf(Formulas.descending(experts, logits), count);
      return new Route(best, Formulas.softmax(count, r -> logits.applyAsDouble(best[r])));
    }

    double gate(int expert) {
      return sum(experts.length, r -> experts[r] == expert ? gates[r] : 0);
    }
  }

  private MixtureOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("mixture/sparsely_gated").sizes("N=7 D=5 E=5 J=9").sizes("N=1 D=1 E=2 J=1").gives(MixtureOracles::sparselyGated),
        OracleCase.of("mixture/dropless").sizes("N=7 D=5 E=5 J=9").sizes("N=1 D=1 E=3 J=1").givesAll(MixtureOracles::dropless),
        OracleCase.of("mixture/moe_plus_plus").sizes("N=9 D=5 E=3").sizes("N=1 D=1 E=1").givesAll(MixtureOracles::plusPlus),
        OracleCase.of("mixture/chain_of_experts").sizes("N=7 D=5 E=5 J=9").sizes("N=1 D=3 E=2 J=1").gives(MixtureOracles::chain),
        OracleCase.of("mixture/block_ffn").sizes("N=7 D=5 E=5 J=9").sizes("N=1 D=1 E=1 J=1").givesAll(MixtureOracles::blocks),
        OracleCase.of("mixture/recursions").sizes("N=9 D=7").sizes("N=1 D=1").givesAll(MixtureOracles::recursions));
  }

  private static Doubles sparselyGated(Inputs in) {
    Doubles x = in.of("X");
    return mixture(in, x, 2, x1 -> Math.max(x1, 0), (n, e) -> dot(in.of("router"), e, x, n)
        + in.of("noise").get(n, e) * Math.log1p(Math.exp(dot(in.of("spread"), e, x, n))));
  }

  private static List<Doubles> dropless(Inputs in) {
    Doubles x = in.of("X");
    int tokens = in.size("N");
    int experts = in.size("E");
    Logits logits = (n, e) -> dot(in.of("router"), e, x, n);
    double balance = experts * sum(experts, e -> sum(tokens, n -> Route.of(1, experts, i -> logits.at(n, i)).experts()[0] == e ? 1 : 0)
        / tokens * sum(tokens, n -> Formulas.softmax(experts, i -> logits.at(n, i))[e]) / tokens);
    return List.of(mixture(in, x, 3, Formulas::silu, logits), Doubles.full(balance));
  }

  private static Doubles chain(Inputs in) {
    Doubles x = in.of("X");
    for (int round = 0; round < 2; round++) {
      Doubles before = x;
      int at = round;
      Doubles found = mixture(in, before, 2, Formulas::gelu,
          (n, e) -> sum(before.size(1), d -> in.of("routers").get(at, e, d) * before.get(n, d)));
      x = Doubles.of(i -> before.get(i) + found.get(i), before.shape());
    }
    return x;
  }

  /// The score of an expert for a token.
  @FunctionalInterface
  private interface Logits {
    double at(int token, int expert);
  }

  private static Doubles mixture(Inputs in, Doubles x, int count, DoubleUnaryOperator activation, Logits logits) {
    Doubles up = in.of("up");
    Doubles down = in.of("down");
    return Doubles.of(i -> {
      Route route = Route.of(count, in.size("E"), e -> logits.at(i[0], e));
      return sum(in.size("E"), e -> route.gate(e) == 0 ? 0 : route.gate(e) * sum(in.size("J"), j -> down.get(e, i[1], j)
          * activation.applyAsDouble(sum(in.size("D"), d -> up.get(e, j, d) * x.get(i[0], d)))));
    }, x.shape());
  }

  private static List<Doubles> plusPlus(Inputs in) {
    Doubles x = in.of("X");
    int normal = in.size("E");
    Doubles logits = Doubles.of(i -> dot(in.of("router"), i[1], x, i[0]) + dot(in.of("carry"), i[1], in.of("before"), i[0]),
        in.size("N"), normal + 4);
    return List.of(Doubles.of(i -> {
      Route route = Route.of(2, normal + 4, e -> logits.get(i[0], e));
      return sum(normal, e -> route.gate(e) * sum(in.size("D"), k -> in.of("W").get(e, i[1], k) * x.get(i[0], k)))
          + route.gate(normal + 1) * x.get(i) + sum(2, c -> route.gate(normal + 2 + c) * constant(in, c, i));
    }, x.shape()), logits);
  }

  private static double constant(Inputs in, int expert, int[] i) {
    Doubles x = in.of("X");
    double[] a = Formulas.softmax(2, j -> sum(in.size("D"), d -> in.of("mix").get(expert, j, d) * x.get(i[0], d)));
    return a[0] * x.get(i) + a[1] * in.of("v").get(expert, i[1]);
  }

  private static List<Doubles> blocks(Inputs in) {
    int experts = in.size("E");
    Doubles x = in.of("X");
    Doubles scores = Doubles.of(i -> Math.max(0, dot(in.of("router"), i[1], x, i[0])), in.size("N"), experts);
    return List.of(Doubles.of(i -> {
      double size = Math.sqrt(sum(experts, e -> scores.get(i[0], e) * scores.get(i[0], e)) / experts + 1e-6);
      return sum(experts, e -> scores.get(i[0], e) / size * in.of("gamma").get(e) * sum(in.size("J"), j -> in.of("down").get(e, i[1], j)
          * Formulas.silu(sum(in.size("D"), d -> in.of("up").get(e, j, d) * x.get(i[0], d)))));
    }, x.shape()), Doubles.of(i -> sum(experts, e -> scores.get(i[0], e) > 0 ? 1 : 0), in.size("N")));
  }

  private static List<Doubles> recursions(Inputs in) {
    Doubles x = in.of("X").copy();
    int depth = in.size("D");
    Doubles rounds = Doubles.of(i -> 1 + Formulas.descending(3, r -> dot(in.of("router"), r, in.of("X"), i[0]))[0], in.size("N"));
    for (int n = 0; n < in.size("N"); n++) {
      for (int r = 0; r < rounds.get(n); r++) {
        Doubles before = x.copy();
        for (int d = 0; d < depth; d++) {
          x.add(Formulas.silu(dot(in.of("W"), d, before, n)), n, d);
        }
      }
    }
    return List.of(x, rounds);
  }

  private static double dot(Doubles a, int i, Doubles b, int j) {
    return Formulas.dot(a, new int[] {i}, b, new int[] {j});
  }
}
