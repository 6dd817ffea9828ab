package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.Formulas.sum;

import java.util.Arrays;
import java.util.List;

/// The programs in `programs/halting`: example by example.
final class HaltingOracles {
  private HaltingOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("halting/ponder_net").sizes("B=3 D=7").sizes("B=1 D=1").givesAll(HaltingOracles::ponder),
        OracleCase.of("halting/adaptive_time").sizes("B=9 D=7").sizes("B=1 D=1").fill("stop", Fill.between(-2, 3))
            .givesAll(HaltingOracles::adaptive),
        OracleCase.of("halting/deep_equilibrium").sizes("B=3 D=7").sizes("B=1 D=1").givesAll(HaltingOracles::equilibrium));
  }

  /// The outputs of the cell after 1, 2, ... steps.
  private static double[][] outputs(Inputs in, int example, int steps) {
    int depth = in.size("D");
    double[][] h = new double[steps][depth];
    for (int n = 0; n < steps; n++) {
      for (int d = 0; d < depth; d++) {
        int step = n;
        int row = d;
        h[n][d] = Math.tanh(in.of("X").get(example, d) + sum(depth,
            k -> in.of("W").get(row, k) * (step == 0 ? in.of("X").get(example, k) : h[step - 1][k])));
      }
    }
    return h;
  }

  private static double stop(Inputs in, double[] output) {
    return Formulas.sigmoid(sum(output.length, d -> in.of("stop").get(d) * output[d]));
  }

  private static List<Doubles> equilibrium(Inputs in) {
    Doubles x = in.of("X");
    Doubles z = Doubles.of(i -> Math.tanh(x.get(i)), x.shape());
    int steps = 0;
    double moved = 1;
    while (steps < 50 && moved > 1e-5) {
      Doubles before = z;
      z = Doubles.of(i -> Math.tanh(sum(x.size(1), k -> in.of("W").get(i[1], k) * before.get(i[0], k)) / 8 + x.get(i)), x.shape());
      Doubles after = z;
      moved = Arrays.stream(Doubles.of(i -> Math.abs(after.get(i) - before.get(i)), x.shape()).values()).max().orElse(0);
      steps += moved > 1e-5 ? 1 : 0;
    }
    return List.of(z, Doubles.full(steps));
  }

  private static List<Doubles> ponder(Inputs in) {
    Doubles y = Doubles.zeros(in.of("X").shape());
    Doubles steps = Doubles.zeros(in.size("B"));
    for (int b = 0; b < in.size("B"); b++) {
      double[][] outputs = outputs(in, b, 5);
      double left = 1;
      for (int n = 0; n < 5; n++) {
        double here = n == 4 ? left : left * stop(in, outputs[n]);
        left -= here;
        steps.add((n + 1) * here, b);
        for (int d = 0; d < y.size(1); d++) {
          y.add(here * outputs[n][d], b, d);
        }
      }
    }
    return List.of(y, steps);
  }

  private static List<Doubles> adaptive(Inputs in) {
    Doubles y = Doubles.zeros(in.of("X").shape());
    Doubles weights = Doubles.zeros(6, in.size("B"));
    for (int b = 0; b < in.size("B"); b++) {
      double[][] outputs = outputs(in, b, 6);
      double spent = 0;
      for (int n = 0; n < 6 && spent < 1; n++) {
        double probability = stop(in, outputs[n]);
        double here = n == 5 || spent + probability >= 0.99 ? 1 - spent : probability;
        spent = n == 5 || spent + probability >= 0.99 ? 1 : spent + probability;
        weights.set(here, n, b);
        for (int d = 0; d < y.size(1); d++) {
          y.add(here * outputs[n][d], b, d);
        }
      }
    }
    return List.of(y, weights);
  }
}
