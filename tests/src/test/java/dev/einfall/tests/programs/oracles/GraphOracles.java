package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.PlainLoops.add;
import static dev.einfall.tests.programs.oracles.PlainLoops.sum;

import java.util.List;
import java.util.function.IntToDoubleFunction;

/// The programs in `programs/graph`: each node looks through all edges for its own.
final class GraphOracles {
  private GraphOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        graph("gcn", "D=3 M=7 K=5").gives(GraphOracles::gcn),
        graph("sage", "D=3 M=7 P=9").givesAll(GraphOracles::sage),
        graph("gat", "D=3 H=2 M=5").gives(GraphOracles::gat),
        graph("monoid", "D=3").givesAll(GraphOracles::monoid),
        graph("rgcn", "D=3 M=5 R=3").fill("relations", Fill.below("R")).fill("graph_of", Fill.below(3))
            .givesAll(GraphOracles::rgcn));
  }

  private static OracleCase graph(String program, String sizes) {
    return OracleCase.of("graph/" + program).sizes("V=1 E=1 " + sizes).sizes("V=9 E=17 " + sizes).sizes("V=17 E=64 " + sizes)
        .fill("sources", Fill.below("V")).fill("targets", Fill.below("V"));
  }

  /// The sum of `message` over the edges that arrive at `node`.
  private static double arriving(Inputs in, int node, IntToDoubleFunction message) {
    return sum(in.size("E"), e -> in.of("targets").whole(e) == node ? message.applyAsDouble(e) : 0);
  }

  private static int source(Inputs in, int edge) {
    return in.of("sources").whole(edge);
  }

  /// x W for each row x.
  private static Doubles product(Doubles x, Doubles matrix) {
    return Doubles.of(i -> sum(x.size(1), k -> x.get(i[0], k) * matrix.get(k, i[1])), x.size(0), matrix.size(1));
  }

  private static Doubles gcn(Inputs in) {
    return gcn(in, PlainLoops.relu(gcn(in, in.of("X"), in.of("W1"))), in.of("W2"));
  }

  private static Doubles gcn(Inputs in, Doubles x, Doubles weights) {
    Doubles h = product(x, weights);
    Doubles degree = Doubles.of(i -> 1 + arriving(in, i[0], _ -> 1), x.size(0));
    return Doubles.of(i -> h.get(i) / degree.get(i[0]) + arriving(in, i[0], e -> h.get(source(in, e), i[1])
        / Math.sqrt(degree.get(i[0]) * degree.get(source(in, e)))), h.shape());
  }

  private static List<Doubles> sage(Inputs in) {
    Doubles x = in.of("X");
    Doubles mean = Doubles.of(i -> arriving(in, i[0], e -> x.get(source(in, e), i[1]))
        / Math.max(1, arriving(in, i[0], _ -> 1)), x.shape());
    Doubles linear = product(x, in.of("pool"));
    Doubles pooled = Doubles.of(i -> Math.max(0, linear.get(i) + in.of("bias").get(i[1])), linear.shape());
    Doubles largest = Doubles.of(i -> Math.max(0, PlainLoops.max(in.size("E"), e -> in.of("targets").whole(e) == i[0]
        ? pooled.get(source(in, e), i[1]) : 0)), pooled.shape());
    Doubles own = product(x, in.of("own"));
    return List.of(add(own, product(mean, in.of("mean"))), add(own, product(largest, in.of("largest"))));
  }

  private static Doubles gat(Inputs in) {
    Doubles x = in.of("X");
    int heads = in.size("H");
    int width = in.size("M");
    Doubles z = Doubles.of(i -> sum(x.size(1), d -> x.get(i[0], d) * in.of("W").get(d, i[1], i[2])), x.size(0), heads, width);
    Doubles weight = Doubles.of(i -> {
      double score = sum(width, m -> z.get(source(in, i[0]), i[1], m) * in.of("A").get(i[1], m)
          + z.get(in.of("targets").whole(i[0]), i[1], m) * in.of("B").get(i[1], m));
      return Math.exp(score > 0 ? score : 0.2 * score);
    }, in.size("E"), heads);
    return Doubles.of(i -> {
      double total = arriving(in, i[0], e -> weight.get(e, i[1]));
      return total == 0 ? 0 : arriving(in, i[0], e -> weight.get(e, i[1]) * z.get(source(in, e), i[1], i[2])) / total;
    }, z.shape());
  }

  /// 1 + y / 2 is the product of 1 + x / 2.
  private static List<Doubles> monoid(Inputs in) {
    Doubles x = in.of("X");
    Doubles arrived = Doubles.full(1, x.shape());
    for (int e = 0; e < in.size("E"); e++) {
      for (int d = 0; d < x.size(1); d++) {
        int target = in.of("targets").whole(e);
        arrived.set(arrived.get(target, d) * (1 + x.get(source(in, e), d) / 2), target, d);
      }
    }
    Doubles all = Doubles.full(1, x.size(1));
    Doubles.of(i -> {
      all.set(all.get(i[1]) * (1 + x.get(i) / 2), i[1]);
      return 0;
    }, x.shape());
    return List.of(PlainLoops.map(arrived, y -> 2 * (y - 1)), PlainLoops.map(all, y -> 2 * (y - 1)),
        Doubles.of(i -> arriving(in, i[0], e -> x.get(source(in, e), i[1])), x.shape()));
  }

  private static List<Doubles> rgcn(Inputs in) {
    Doubles x = in.of("X");
    Doubles relations = in.of("relations");
    Doubles y = Doubles.of(i -> sum(x.size(1), d -> x.get(i[0], d) * in.of("own").get(d, i[1]))
        + arriving(in, i[0], e -> sum(x.size(1), d -> x.get(source(in, e), d) * in.of("W").get(relations.whole(e), d, i[1]))
            / arriving(in, i[0], o -> relations.whole(o) == relations.whole(e) ? 1 : 0)), x.size(0), in.size("M"));
    Doubles graphs = in.of("graph_of");
    Doubles means = Doubles.of(i -> sum(x.size(0), v -> graphs.whole(v) == i[0] ? y.get(v, i[1]) : 0)
        / Math.max(1, sum(x.size(0), v -> graphs.whole(v) == i[0] ? 1 : 0)), 3, in.size("M"));
    return List.of(y, means);
  }
}
