package dev.einfall.tests.peers;

import dev.einfall.runtime.Tensor;
import dev.einfall.tests.MadeWeights;
import java.util.Arrays;
import java.util.Map;

/// Recurrent networks with constant weights: as many numbers come in as the state has.
final class RecurrentNets {
  private static final int WIDTH = 256;
  private static final int VERSION = 21;

  private RecurrentNets() {}

  /// ONNX wants the gates input, output, forget, candidate; ours are input, forget, candidate, output.
  static RecurrenceCase lstm(int steps) {
    Randoms random = new Randoms(steps);
    float[] x = random.between(-1, 1, steps * WIDTH);
    float[] w = weights(random, 4);
    float[] u = weights(random, 4);
    float[] bias = random.between(-0.5, 0.5, 4 * WIDTH);
    int[] order = {0, 3, 1, 2};
    byte[] model = new OnnxModel("LSTM", "", VERSION).floats("X")
        .constant("W", ordered(w, order), 1, 4 * WIDTH, WIDTH).constant("R", ordered(u, order), 1, 4 * WIDTH, WIDTH)
        .constant("B", Arrays.copyOf(ordered(bias, order), 8 * WIDTH), 1, 8 * WIDTH)
        .attribute("hidden_size", WIDTH).gives("Y");
    return new RecurrenceCase("lstm", steps, """
        import std.recurrent

        def main(X: f32[1, T, 256], h: f32[1, 256], c: f32[1, 256]) -> f32[1, T, 256] {
          weight W: f32[1024, 256] = "W"
          weight U: f32[1024, 256] = "U"
          weight bias: f32[1024] = "bias"
          Y, last, cell = lstm(X, h, c, W, U, bias)
          return Y
        }
        """,
        new MadeWeights().with("W", w, 4 * WIDTH, WIDTH).with("U", u, 4 * WIDTH, WIDTH).with("bias", bias, 4 * WIDTH),
        () -> Map.of("X", Tensor.of(x, 1, steps, WIDTH), "h", state(), "c", state()),
        threads -> Map.of("ort LSTM", new OnnxContestant(model, threads).with("X", x, steps, 1, WIDTH)),
        flops(4, steps));
  }

  /// ONNX wants the gates update, reset, candidate; ours are reset, update, candidate.
  static RecurrenceCase gru(int steps) {
    Randoms random = new Randoms(steps);
    float[] x = random.between(-1, 1, steps * WIDTH);
    float[] w = weights(random, 3);
    float[] u = weights(random, 3);
    float[] bias = random.between(-0.5, 0.5, 3 * WIDTH);
    float[] stateBias = random.between(-0.5, 0.5, 3 * WIDTH);
    int[] order = {1, 0, 2};
    float[] biases = Arrays.copyOf(ordered(bias, order), 6 * WIDTH);
    System.arraycopy(ordered(stateBias, order), 0, biases, 3 * WIDTH, 3 * WIDTH);
    byte[] model = new OnnxModel("GRU", "", VERSION).floats("X")
        .constant("W", ordered(w, order), 1, 3 * WIDTH, WIDTH).constant("R", ordered(u, order), 1, 3 * WIDTH, WIDTH)
        .constant("B", biases, 1, 6 * WIDTH)
        .attribute("hidden_size", WIDTH).attribute("linear_before_reset", 1).gives("Y");
    return new RecurrenceCase("gru", steps, """
        import std.recurrent

        def main(X: f32[1, T, 256], h: f32[1, 256]) -> f32[1, T, 256] {
          weight W: f32[768, 256] = "W"
          weight U: f32[768, 256] = "U"
          weight bias: f32[768] = "bias"
          weight state: f32[768] = "state"
          Y, last = gru(X, h, W, U, bias, state)
          return Y
        }
        """,
        new MadeWeights().with("W", w, 3 * WIDTH, WIDTH).with("U", u, 3 * WIDTH, WIDTH).with("bias", bias, 3 * WIDTH)
            .with("state", stateBias, 3 * WIDTH),
        () -> Map.of("X", Tensor.of(x, 1, steps, WIDTH), "h", state()),
        threads -> Map.of("ort GRU", new OnnxContestant(model, threads).with("X", x, steps, 1, WIDTH)),
        flops(3, steps));
  }

  private static float[] weights(Randoms random, int gates) {
    return random.between(-0.1, 0.1, gates * WIDTH * WIDTH);
  }

  private static Tensor state() {
    return Tensor.of(new float[WIDTH], 1, WIDTH);
  }

  /// The parts of `values`, one for each gate, in the order `order`.
  private static float[] ordered(float[] values, int[] order) {
    int part = values.length / order.length;
    float[] result = new float[values.length];
    for (int i = 0; i < order.length; i++) {
      System.arraycopy(values, order[i] * part, result, i * part, part);
    }
    return result;
  }

  /// Those of the products with the input and with the state.
  private static double flops(int gates, int steps) {
    return 2.0 * gates * WIDTH * 2 * WIDTH * steps;
  }
}
