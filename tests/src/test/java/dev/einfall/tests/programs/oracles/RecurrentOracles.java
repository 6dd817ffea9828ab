package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.PlainLoops.part;
import static dev.einfall.tests.programs.oracles.PlainLoops.rows;
import static dev.einfall.tests.programs.oracles.PlainLoops.sigmoid;
import static dev.einfall.tests.programs.oracles.PlainLoops.sum;

import java.util.List;

/// The programs in `programs/recurrent`, one step after the other.
final class RecurrentOracles {
  private RecurrentOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("recurrent/lstm").sizes("B=1 T=1 D=1 N=1").sizes("B=3 T=7 D=5 N=17").givesAll(RecurrentOracles::lstm),
        OracleCase.of("recurrent/gru").sizes("B=1 T=1 D=1 N=1").sizes("B=3 T=7 D=5 N=17").gives(RecurrentOracles::gru),
        OracleCase.of("recurrent/elman").sizes("B=1 T=1 D=1 N=1").sizes("B=3 T=17 D=7 N=9").gives(RecurrentOracles::elman),
        OracleCase.of("recurrent/slstm").sizes("B=1 T=1 D=1 N=1").sizes("B=3 T=9 D=7 N=17").gives(RecurrentOracles::slstm),
        OracleCase.of("recurrent/mamba").sizes("B=1 T=1 D=1 M=1 N=1").sizes("B=2 T=17 D=7 M=9 N=3")
            .gives(RecurrentOracles::mamba),
        OracleCase.of("recurrent/linear_forms").sizes("D=1").sizes("D=17").givesAll(RecurrentOracles::linear),
        OracleCase.of("recurrent/minimal_gru").sizes("B=1 T=1 D=1 N=1").sizes("B=3 T=17 D=7 N=9")
            .gives(RecurrentOracles::minimalGru),
        OracleCase.of("recurrent/newton").sizes("T=1 D=1").sizes("T=7 D=3").sizes("T=17 D=8").givesAll(RecurrentOracles::newton),
        OracleCase.of("recurrent/block_recurrent").sizes("K=1 C=1 S=1 D=1").sizes("K=3 C=7 S=5 D=17")
            .givesAll(RecurrentOracles::blocks),
        OracleCase.of("recurrent/wavefront").sizes("S=1 L=1 D=1").sizes("S=7 L=3 D=17").sizes("S=3 L=9 D=8")
            .givesAll(RecurrentOracles::wavefront));
  }

  private static List<Doubles> lstm(Inputs in) {
    Doubles x = in.of("X");
    Doubles h = Doubles.zeros(in.size("B"), in.size("N"));
    Doubles c = h;
    for (int layer = 1; layer <= 2; layer++) {
      h = part(in.of("h"), layer - 1);
      c = part(in.of("c"), layer - 1);
      x = lstm(x, h, c, in.of("W" + layer), in.of("U" + layer), in.of("B" + layer));
    }
    return List.of(x, h, c);
  }

  /// The states of all steps; `h` and `c` become the last ones.
  private static Doubles lstm(Doubles x, Doubles h, Doubles c, Doubles w, Doubles u, Doubles bias) {
    int n = h.size(1);
    Doubles y = Doubles.zeros(x.size(0), x.size(1), n);
    for (int b = 0; b < x.size(0); b++) {
      for (int t = 0; t < x.size(1); t++) {
        double[] gates = new double[4 * n];
        for (int g = 0; g < 4 * n; g++) {
          gates[g] = bias.get(g) + dot(w, g, x, b, t) + dot(u, g, h, b);
        }
        for (int k = 0; k < n; k++) {
          c.set(sigmoid(gates[n + k]) * c.get(b, k) + sigmoid(gates[k]) * Math.tanh(gates[2 * n + k]), b, k);
          h.set(sigmoid(gates[3 * n + k]) * Math.tanh(c.get(b, k)), b, k);
          y.set(h.get(b, k), b, t, k);
        }
      }
    }
    return y;
  }

  private static double dot(Doubles matrix, int row, Doubles x, int... at) {
    int[] index = java.util.Arrays.copyOf(at, at.length + 1);
    return sum(matrix.size(1), k -> {
      index[at.length] = k;
      return matrix.get(row, k) * x.get(index);
    });
  }

  private static Doubles gru(Inputs in) {
    return PlainLoops.concat(2, gru(in, 0), gru(in, 1));
  }

  private static Doubles gru(Inputs in, int direction) {
    Doubles x = in.of("X");
    Doubles w = part(in.of("W"), direction);
    Doubles u = part(in.of("U"), direction);
    Doubles h = in.of("h").copy();
    int n = h.size(1);
    int steps = x.size(1);
    Doubles y = Doubles.zeros(x.size(0), steps, n);
    for (int b = 0; b < x.size(0); b++) {
      for (int step = 0; step < steps; step++) {
        int t = direction == 0 ? step : steps - 1 - step;
        double[] input = new double[3 * n];
        double[] state = new double[3 * n];
        for (int g = 0; g < 3 * n; g++) {
          input[g] = dot(w, g, x, b, t) + in.of("bias").get(direction, g);
          state[g] = dot(u, g, h, b) + in.of("state").get(direction, g);
        }
        for (int k = 0; k < n; k++) {
          double reset = sigmoid(input[k] + state[k]);
          double update = sigmoid(input[n + k] + state[n + k]);
          double candidate = Math.tanh(input[2 * n + k] + reset * state[2 * n + k]);
          h.set((1 - update) * candidate + update * h.get(b, k), b, k);
          y.set(h.get(b, k), b, t, k);
        }
      }
    }
    return y;
  }

  private static Doubles elman(Inputs in) {
    Doubles x = in.of("X");
    int n = in.size("N");
    Doubles y = Doubles.zeros(x.size(0), x.size(1), n);
    for (int b = 0; b < x.size(0); b++) {
      for (int t = 0; t < x.size(1); t++) {
        for (int k = 0; k < n; k++) {
          double before = t == 0 ? dot(in.of("U"), k, in.of("h"), b) : dot(in.of("U"), k, y, b, t - 1);
          y.set(Math.tanh(dot(in.of("W"), k, x, b, t) + in.of("bias").get(k) + before), b, t, k);
        }
      }
    }
    return y;
  }

  /// With the exponentials as they are: they do not overflow here.
  private static Doubles slstm(Inputs in) {
    Doubles x = in.of("X");
    int n = in.size("N");
    Doubles y = Doubles.zeros(x.size(0), x.size(1), n);
    for (int b = 0; b < x.size(0); b++) {
      double[] cell = new double[n];
      double[] norm = new double[n];
      for (int t = 0; t < x.size(1); t++) {
        double[] gates = new double[4 * n];
        for (int g = 0; g < 4 * n; g++) {
          gates[g] = dot(in.of("W"), g, x, b, t) + in.of("bias").get(g) + (t == 0 ? 0 : dot(in.of("U"), g, y, b, t - 1));
        }
        for (int k = 0; k < n; k++) {
          cell[k] = Math.exp(gates[n + k]) * cell[k] + Math.exp(gates[k]) * Math.tanh(gates[2 * n + k]);
          norm[k] = Math.exp(gates[n + k]) * norm[k] + Math.exp(gates[k]);
          y.set(sigmoid(gates[3 * n + k]) * cell[k] / norm[k], b, t, k);
        }
      }
    }
    return y;
  }

  private static Doubles silu(Doubles x) {
    return PlainLoops.map(x, v -> v * sigmoid(v));
  }

  private static Doubles mamba(Inputs in) {
    Doubles wide = rows(in.of("X"), in.of("widen"));
    Doubles filtered = silu(Doubles.of(i -> sum(4, r -> i[1] + r < 3 ? 0
        : in.of("F").get(i[2], r) * wide.get(i[0], i[1] + r - 3, i[2])), wide.shape()));
    Doubles delta = PlainLoops.map(rows(filtered, in.of("to_delta")), v -> Math.log1p(Math.exp(v)));
    Doubles inGate = rows(filtered, in.of("to_in"));
    Doubles outGate = rows(filtered, in.of("to_out"));
    Doubles scanned = Doubles.of(i -> sum(in.size("N"), n -> {
      double state = 0;
      for (int t = 0; t <= i[1]; t++) {
        double step = delta.get(i[0], t, i[2]);
        state = Math.exp(-step * Math.exp(in.of("A").get(i[2], n))) * state
            + step * inGate.get(i[0], t, n) * filtered.get(i[0], t, i[2]);
      }
      return outGate.get(i[0], i[1], n) * state;
    }) + in.of("skip").get(i[2]) * filtered.get(i), wide.shape());
    Doubles gated = PlainLoops.zip(scanned, silu(rows(in.of("X"), in.of("gate"))), (a, b) -> a * b);
    return rows(gated, in.of("narrow"));
  }

  private static List<Doubles> linear(Inputs in) {
    Doubles y = Doubles.zeros(12, in.size("D"));
    for (int t = 0; t < 12; t++) {
      for (int d = 0; d < in.size("D"); d++) {
        double before = t == 0 ? in.of("start").get(d) : y.get(t - 1, d);
        y.set(in.of("a").get(t, d) * before + in.of("b").get(t, d), t, d);
      }
    }
    return List.of(y, y, y);
  }

  private static Doubles minimalGru(Inputs in) {
    Doubles gate = PlainLoops.map(rows(in.of("X"), in.of("gate")), PlainLoops::sigmoid);
    Doubles candidate = rows(in.of("X"), in.of("candidate"));
    Doubles y = Doubles.zeros(gate.shape());
    return Doubles.of(i -> {
      double before = i[1] == 0 ? 0 : y.get(i[0], i[1] - 1, i[2]);
      y.set((1 - gate.get(i)) * before + gate.get(i) * candidate.get(i), i);
      return y.get(i);
    }, gate.shape());
  }

  private static List<Doubles> newton(Inputs in) {
    Doubles y = Doubles.zeros(in.size("T"), in.size("D"));
    for (int t = 0; t < in.size("T"); t++) {
      for (int d = 0; d < in.size("D"); d++) {
        y.set(Math.tanh((t == 0 ? 0 : in.of("u").get(d) * y.get(t - 1, d)) + in.of("X").get(t, d)), t, d);
      }
    }
    return List.of(y, y);
  }

  private static List<Doubles> blocks(Inputs in) {
    Doubles x = in.of("X");
    int tokens = in.size("C");
    int width = in.size("D");
    Doubles states = in.of("states").copy();
    Doubles y = Doubles.zeros(x.shape());
    for (int k = 0; k < in.size("K"); k++) {
      Doubles block = part(x, k);
      Doubles keys = PlainLoops.concat(0, block, states);
      Doubles seen = attention(block, keys);
      int at = k;
      Doubles.of(i -> {
        y.set(seen.get(i), at, i[0], i[1]);
        return 0;
      }, tokens, width);
      states = moved(states, attention(states, block), in.of("gate"));
    }
    return List.of(y, states);
  }

  private static Doubles moved(Doubles states, Doubles found, Doubles gate) {
    return Doubles.of(i -> sigmoid(gate.get(i[0])) * states.get(i) + (1 - sigmoid(gate.get(i[0]))) * found.get(i), states.shape());
  }

  /// Each query's mean of the keys, weighted by a softmax of the inner products over sqrt(width).
  private static Doubles attention(Doubles queries, Doubles keys) {
    int width = queries.size(1);
    Doubles scores = Doubles.of(i -> Math.exp(sum(width, d -> queries.get(i[0], d) * keys.get(i[1], d)) / Math.sqrt(width)),
        queries.size(0), keys.size(0));
    return Doubles.of(i -> sum(keys.size(0), k -> scores.get(i[0], k) * keys.get(k, i[1]))
        / sum(keys.size(0), k -> scores.get(i[0], k)), queries.shape());
  }

  private static List<Doubles> wavefront(Inputs in) {
    Doubles y = Doubles.zeros(in.size("L"), in.size("S"), in.size("D"));
    Doubles.of(i -> {
      double below = i[0] == 0 ? in.of("X").get(i[1], i[2]) : y.get(i[0] - 1, i[1], i[2]);
      double before = i[1] == 0 ? 0 : y.get(i[0], i[1] - 1, i[2]);
      y.set(Math.tanh(in.of("U").get(i[0], i[2]) * below + in.of("V").get(i[0], i[2]) * before), i);
      return 0;
    }, y.shape());
    return List.of(y, y);
  }
}
