package dev.einfall.tests.peers;

import dev.einfall.runtime.Tensor;
import dev.einfall.tests.MadeWeights;
import java.util.Map;

/// Recurrences that are linear in the state.
final class LinearRecurrences {
  private static final int HEADS = 4;
  private static final int DEPTH = 64;
  private static final int CHANNELS = 256;
  private static final int STATES = 16;

  private LinearRecurrences() {}

  static RecurrenceCase gatedLinearAttention(int steps) {
    Randoms random = new Randoms(steps);
    int count = HEADS * steps * DEPTH;
    float[] q = random.between(-1, 1, count);
    float[] k = random.between(-0.1, 0.1, count);
    float[] v = random.between(-1, 1, count);
    float[] gate = random.between(0.9, 1, count);
    byte[] model = new OnnxModel("LinearAttention", "com.microsoft", 1).floats("Q", "K", "V", "", "G")
        .attribute("q_num_heads", HEADS).attribute("kv_num_heads", HEADS).attribute("update_rule", "gated")
        .attribute("scale", 1f).gives("Y", "state");
    return new RecurrenceCase("gla", steps, """
        import std.linear_attention

        def main(Q: f32[H, N, E], K: f32[H, N, E], V: f32[H, N, F], gate: f32[H, N, E]) -> f32[H, N, F] {
          return gated_linear_attention(Q, K, V, gate)
        }
        """,
        new MadeWeights(),
        () -> Map.of("Q", tensor(q, steps), "K", tensor(k, steps), "V", tensor(v, steps), "gate", tensor(gate, steps)),
        threads -> Map.of("ort LinearAttention", Exchanged.positionsFirst(new OnnxContestant(model, threads)
            .with("Q", byPosition(q, steps), 1, steps, HEADS * DEPTH).with("K", byPosition(k, steps), 1, steps, HEADS * DEPTH)
            .with("V", byPosition(v, steps), 1, steps, HEADS * DEPTH)
            .with("G", byPosition(logarithms(gate), steps), 1, steps, HEADS * DEPTH), steps, HEADS, DEPTH)),
        5.0 * HEADS * DEPTH * DEPTH * steps);
  }

  private static Tensor tensor(float[] values, int steps) {
    return Tensor.of(values, HEADS, steps, DEPTH);
  }

  private static float[] byPosition(float[] values, int steps) {
    return Exchanged.of(values, HEADS, steps, DEPTH);
  }

  private static float[] logarithms(float[] values) {
    float[] result = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      result[i] = (float) Math.log(values[i]);
    }
    return result;
  }

  static RecurrenceCase selectiveScan(int steps) {
    Randoms random = new Randoms(steps);
    float[] x = random.between(-1, 1, steps * CHANNELS);
    float[] delta = random.between(0.001, 0.1, steps * CHANNELS);
    float[] decay = random.between(-2, -0.1, CHANNELS * STATES);
    float[] in = random.between(-1, 1, steps * STATES);
    float[] out = random.between(-1, 1, steps * STATES);
    float[] skip = random.between(-1, 1, CHANNELS);
    return new RecurrenceCase("scan", steps, """
        import std.recurrent

        def main(X: f32[1, T, D], delta: f32[1, T, D], A: f32[D, N], in_gate: f32[1, T, N], out_gate: f32[1, T, N],
            skip: f32[D])
            -> f32[1, T, D] {
          return selective_scan(X, delta, A, in_gate, out_gate, skip)
        }
        """,
        new MadeWeights(),
        () -> Map.of("X", Tensor.of(x, 1, steps, CHANNELS), "delta", Tensor.of(delta, 1, steps, CHANNELS),
            "A", Tensor.of(decay, CHANNELS, STATES), "in_gate", Tensor.of(in, 1, steps, STATES),
            "out_gate", Tensor.of(out, 1, steps, STATES), "skip", Tensor.of(skip, CHANNELS)),
        _ -> Map.of(),
        8.0 * CHANNELS * STATES * steps);
  }
}
