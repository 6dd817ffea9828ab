package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.PlainLoops.rows;
import static dev.einfall.tests.programs.oracles.PlainLoops.sum;

import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.IntStream;

/// The programs in `programs/quantized`, against formulas: those of what they round, with what rounding makes of it where that is a
/// large part. Each states how far it may be from that.
public final class QuantizedOracles {
  private static final Fill SMALL = Fill.between(-0.2, 0.2);

  private QuantizedOracles() {}

  public static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("quantized/sage_attention").sizes("H=2 P=17 M=33 E=32 F=9").sizes("H=1 P=1 M=3 E=7 F=17").sizes("H=3 P=24 M=64 E=64 F=64")
            .fill("Q", Fill.channels(6)).fill("K", Fill.channels(12)).fill("V", Fill.channels(0)).within(0.12).gives(QuantizedOracles::attention),
        OracleCase.of("quantized/cache_of_4_bits").sizes("H=2 N=7").sizes("H=1 N=3").sizes("H=3 N=40").fill("position", Fill.from(1, 3))
            .fill("K", Fill.channels(2)).fill("k", Fill.channels(2)).within(1e-4).givesAll(QuantizedOracles::cached),
        OracleCase.of("quantized/groups_of_integers").sizes("M=3 N=5").sizes("M=1 N=70").sizes("M=20 N=33").within(0.006).givesAll(QuantizedOracles::grouped),
        OracleCase.of("quantized/rematerialised").sizes("H=2 N=7 E=5").sizes("H=1 N=3 E=3").sizes("H=4 N=33 E=16").fill("position", Fill.from(1, 3))
            .fill("X", Fill.channels(2)).fill("x", Fill.channels(2)).fill("Q", SMALL).fill("K", SMALL)
            .within(1e-4).gives(QuantizedOracles::rematerialised),
        OracleCase.of("quantized/mamba2").sizes("B=1 T=17 H=4 N=5").sizes("B=2 T=3 H=8 N=16").fill("X", Fill.channels(3)).fill("to_delta", Fill.between(-0.05, 0.05))
            .fill("gate", SMALL).fill("widen", SMALL).fill("to_in", SMALL).fill("to_out", SMALL).within(0.005).gives(QuantizedOracles::mamba));
  }

  private static Doubles attention(Inputs in) {
    Doubles q = in.of("Q");
    Doubles k = in.of("K");
    Doubles v = in.of("V");
    return Formulas.attention(k.size(1), (i, m) -> score(q, k, i[0], i[1], m), (i, m) -> v.get(i[0], m, i[2]), q.size(0), q.size(1), v.size(2));
  }

  private static double score(Doubles q, Doubles k, int h, int p, int m) {
    return Formulas.dot(q, new int[] {h, p}, k, new int[] {h, m}) / Math.sqrt(q.size(2));
  }

  /// With the rows of `name` after those before `position`.
  private static Doubles appended(Inputs in, String cache, String name) {
    int position = in.of("position").whole();
    Doubles old = in.of(cache);
    int[] shape = old.shape();
    int at = shape.length - 2;
    return Doubles.of(i -> {
      int[] row = i.clone();
      row[at] = 0;
      return i[at] == position ? in.of(name).get(row) : old.get(i);
    }, shape);
  }

  private static List<Doubles> cached(Inputs in) {
    Doubles k = Rounded.inSteps(appended(in, "K", "k"), 8);
    Doubles v = Rounded.inSteps(appended(in, "V", "v"), 32);
    Doubles q = in.of("q");
    return List.of(Formulas.attention(in.of("position").whole() + 1, (i, m) -> score(q, k, i[0], i[1], m), (i, m) -> v.get(i[0], m, i[2]),
        q.size(0), 1, v.size(2)), k);
  }

  private static List<Doubles> grouped(Inputs in) {
    Doubles signed = scaled(in, (n, k) -> in.of("C").get(n, k));
    return List.of(signed, signed, scaled(in, (n, k) -> in.of("D").get(n, k) - in.of("Z").get(n, k / 32)));
  }

  /// @param integer by column and step
  private static Doubles scaled(Inputs in, BiFunction<Integer, Integer, Double> integer) {
    return Doubles.of(i -> sum(96, k -> in.of("X").get(i[0], k) * integer.apply(i[1], k) * in.of("T").get(i[1], k / 32)), in.size("M"), in.size("N"));
  }

  private static Doubles rematerialised(Inputs in) {
    Doubles x = Rounded.inSteps(appended(in, "X", "x"), 16);
    Doubles q = heads(in.of("x"), in.of("Q"));
    Doubles k = heads(x, in.of("K"));
    Doubles v = heads(x, in.of("V"));
    return Formulas.attention(in.of("position").whole() + 1, (i, m) -> score(q, k, i[0], i[1], m), (i, m) -> v.get(i[0], m, i[2]),
        q.size(0), 1, v.size(2));
  }

  private static Doubles heads(Doubles x, Doubles w) {
    return Doubles.of(i -> sum(x.size(1), d -> x.get(i[1], d) * w.get(d, i[0], i[2])), w.size(1), x.size(0), w.size(2));
  }

  private static Doubles mamba(Inputs in) {
    int heads = in.size("H");
    int states = in.size("N");
    Doubles input = in.of("X");
    Doubles wide = linear(input, in.of("widen").reshape(8 * heads, 64));
    Doubles convolved = PlainLoops.map(Doubles.of(i -> sum(4, r -> i[1] + r < 3 ? 0 : in.of("F").get(i[2], r) * wide.get(i[0], i[1] + r - 3, i[2])), wide.shape()), Formulas::silu);
    Doubles x = Rounded.inClusters(convolved.reshape(input.size(0), input.size(1), heads, 8), 2, 4).reshape(input.size(0), input.size(1), 8 * heads);
    Doubles delta = PlainLoops.map(linear(input, in.of("to_delta")), v -> Math.log1p(Math.exp(v)));
    Doubles inGate = Rounded.inGroups(linear(input, in.of("to_in").reshape(2 * states, 64)), 2);
    Doubles outGate = Rounded.inGroups(linear(input, in.of("to_out").reshape(2 * states, 64)), 2);
    Doubles scanned = Doubles.of(i -> {
      int head = i[2] / 8;
      int first = head / (heads / 2) * states;
      Doubles state = Doubles.zeros(states);
      for (int t = 0; t <= i[1]; t++) {
        double step = delta.get(i[0], t, head);
        int now = t;
        Doubles before = Rounded.evenly(state, states, 127);
        state = Doubles.of(n -> Math.exp(-step * Math.exp(in.of("A").get(head))) * before.get(n) + step * inGate.get(i[0], now, first + n[0]) * x.get(i[0], now, i[2]), states);
      }
      Doubles last = state;
      return IntStream.range(0, states).mapToDouble(n -> outGate.get(i[0], i[1], first + n) * last.get(n)).sum() + in.of("skip").get(head) * x.get(i);
    }, x.shape());
    Doubles gated = PlainLoops.zip(scanned, PlainLoops.map(linear(input, in.of("gate").reshape(8 * heads, 64)), Formulas::silu), (a, b) -> a * b);
    int width = 8 * heads;
    Doubles normed = Doubles.of(i -> gated.get(i) * in.of("gamma").get(i[2])
        / Math.sqrt(sum(width, k -> Math.pow(gated.get(i[0], i[1], k), 2)) / width + 1e-5), gated.shape());
    return linear(normed, in.of("narrow"));
  }

  /// A product of bytes, with a scale for each row, and weights of 4 bits.
  private static Doubles linear(Doubles x, Doubles weights) {
    return rows(Rounded.evenly(x, x.size(x.shape().length - 1), 127), Rounded.evenly(weights, 32, 7));
  }
}
