package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.PlainLoops.sum;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/// The programs in `programs/dynamic`. Small cases by all solutions, one after the other; the others by plain tables.
final class DynamicOracles {
  private DynamicOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("dynamic/edit_distance").sizes("N=1 M=1").sizes("N=7 M=5").sizes("N=17 M=31")
            .fill("a", Fill.below(3)).fill("b", Fill.below(3)).givesAll(DynamicOracles::texts),
        OracleCase.of("dynamic/alignment").sizes("N=1 M=1 D=1").sizes("N=7 M=9 D=2").givesAll(DynamicOracles::alignment),
        OracleCase.of("dynamic/chain").sizes("T=1 K=1").sizes("T=2 K=3").sizes("T=5 K=3").sizes("T=7 K=2")
            .givesAll(DynamicOracles::chain),
        OracleCase.of("dynamic/trees").sizes("N=1").sizes("N=3").sizes("N=7").givesAll(DynamicOracles::trees),
        OracleCase.of("dynamic/ctc").sizes("T=1 V=2 L=1").sizes("T=5 V=3 L=2").sizes("T=6 V=3 L=3")
            .fill("labels", (type, shape, random, _) -> Fill.values(1, 1, 2).array(type, shape, random, null))
            .gives(DynamicOracles::ctc));
  }

  private static List<Doubles> texts(Inputs in) {
    return List.of(Doubles.vector(distance(in, in.size("N"), in.size("M"), new Integer[32][32])).reshape(),
        Doubles.vector(common(in, in.size("N"), in.size("M"), new Integer[32][32])).reshape());
  }

  private static boolean isSame(Inputs in, int i, int j) {
    return in.of("a").whole(i) == in.of("b").whole(j);
  }

  private static int distance(Inputs in, int i, int j, Integer[][] known) {
    if (i == 0 || j == 0) {
      return i + j;
    }
    if (known[i][j] == null) {
      int replaced = distance(in, i - 1, j - 1, known) + (isSame(in, i - 1, j - 1) ? 0 : 1);
      known[i][j] = Math.min(replaced, 1 + Math.min(distance(in, i - 1, j, known), distance(in, i, j - 1, known)));
    }
    return known[i][j];
  }

  private static int common(Inputs in, int i, int j, Integer[][] known) {
    if (i == 0 || j == 0) {
      return 0;
    }
    if (known[i][j] == null) {
      known[i][j] = isSame(in, i - 1, j - 1) ? 1 + common(in, i - 1, j - 1, known)
          : Math.max(common(in, i - 1, j, known), common(in, i, j - 1, known));
    }
    return known[i][j];
  }

  private static List<Doubles> alignment(Inputs in) {
    Doubles cost = Doubles.of(i -> sum(in.size("D"), d -> Math.pow(in.of("X").get(i[0], d) - in.of("Y").get(i[1], d), 2)),
        in.size("N"), in.size("M"));
    double[][] local = new double[in.size("N") + 1][in.size("M") + 1];
    double best = 0;
    for (int i = 1; i <= in.size("N"); i++) {
      for (int j = 1; j <= in.size("M"); j++) {
        double gap = Math.max(local[i - 1][j], local[i][j - 1]) - 0.4f;
        local[i][j] = Math.max(0, Math.max(gap, local[i - 1][j - 1] + 1 - cost.get(i - 1, j - 1)));
        best = Math.max(best, local[i][j]);
      }
    }
    List<Double> paths = new ArrayList<>();
    warp(cost, 0, 0, 0, paths);
    double least = paths.stream().mapToDouble(p -> p).min().orElseThrow();
    double soft = least - 0.5 * Math.log(paths.stream().mapToDouble(p -> Math.exp((least - p) / 0.5)).sum());
    return List.of(Doubles.vector(least).reshape(), Doubles.vector(soft).reshape(), Doubles.vector(best).reshape());
  }

  /// The costs of all paths from (i, j) to the last corner.
  private static void warp(Doubles cost, int i, int j, double before, List<Double> paths) {
    if (i == cost.size(0) || j == cost.size(1)) {
      return;
    }
    double total = before + cost.get(i, j);
    if (i == cost.size(0) - 1 && j == cost.size(1) - 1) {
      paths.add(total);
    }
    warp(cost, i + 1, j, total, paths);
    warp(cost, i, j + 1, total, paths);
    warp(cost, i + 1, j + 1, total, paths);
  }

  /// All K^T paths.
  private static List<Doubles> chain(Inputs in) {
    int steps = in.size("T");
    int kinds = in.size("K");
    int paths = (int) Math.pow(kinds, steps);
    double best = Double.NEGATIVE_INFINITY;
    double total = 0;
    Doubles bestPath = Doubles.zeros(steps);
    for (int path = 0; path < paths; path++) {
      int number = path;
      DoubleUnaryOperator kind = t -> (int) (number / Math.pow(kinds, steps - 1 - t)) % kinds;
      double score = sum(steps, t -> in.of("emissions").get(t, (int) kind.applyAsDouble(t))
          + (t == 0 ? 0 : in.of("transitions").get((int) kind.applyAsDouble(t - 1), (int) kind.applyAsDouble(t))));
      total += Math.exp(score);
      if (score > best) {
        best = score;
        bestPath = Doubles.of(i -> kind.applyAsDouble(i[0]), steps);
      }
    }
    return List.of(Doubles.vector(Math.log(total)).reshape(), bestPath, Doubles.vector(best).reshape());
  }

  private static List<Doubles> trees(Inputs in) {
    List<Double> all = trees(in.of("scores"), 0, in.size("N") - 1);
    return List.of(Doubles.vector(Math.log(all.stream().mapToDouble(Math::exp).sum())).reshape(),
        Doubles.vector(all.stream().mapToDouble(t -> t).max().orElseThrow()).reshape());
  }

  /// The scores of all binary trees over the words `from` to `to`.
  private static List<Double> trees(Doubles scores, int from, int to) {
    List<Double> all = new ArrayList<>();
    if (from == to) {
      all.add(scores.get(from, to));
    }
    for (int split = from; split < to; split++) {
      for (double left : trees(scores, from, split)) {
        for (double right : trees(scores, split + 1, to)) {
          all.add(scores.get(from, to) + left + right);
        }
      }
    }
    return all;
  }

  /// All V^T sequences of symbols: repeated ones are one, blanks are none.
  private static Doubles ctc(Inputs in) {
    int steps = in.size("T");
    int symbols = in.size("V");
    double total = 0;
    for (int number = 0; number < Math.pow(symbols, steps); number++) {
      List<Integer> labels = new ArrayList<>();
      double log = 0;
      int rest = number;
      int before = 0;
      for (int t = 0; t < steps; t++) {
        int symbol = rest % symbols;
        rest /= symbols;
        int step = t;
        log += in.of("X").get(t, symbol) - PlainLoops.logSumExp(symbols, v -> in.of("X").get(step, v));
        if (symbol != 0 && symbol != before) {
          labels.add(symbol);
        }
        before = symbol;
      }
      List<Integer> wanted = new ArrayList<>();
      for (int l = 0; l < in.size("L"); l++) {
        wanted.add(in.of("labels").whole(l));
      }
      total += labels.equals(wanted) ? Math.exp(log) : 0;
    }
    return Doubles.vector(Math.log(total)).reshape();
  }
}
