package dev.einfall.tests.peers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.einfall.runtime.Options;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Our attention gives what ONNX Runtime's fused operators give.
class AttentionPeersTest {
  private static final float TOLERANCE = 1e-5f;

  @ParameterizedTest
  @CsvSource({"3, 3, 17, 33, false", "2, 2, 70, 70, true", "2, 2, 1, 1, true", "4, 4, 1, 129, false", "6, 2, 1, 65, false"})
  void agreesWithOnnxRuntime(int heads, int groups, int queries, int keys, boolean causal) throws Exception {
    AttentionCase shape = new AttentionCase(heads, groups, queries, keys, causal);
    AttentionCase.Inputs inputs = shape.inputs();
    float[] actual;
    try (Contestant ours = new EinfallContestant(shape.program(), shape.tensors(inputs), Options.defaults().withWarmUp(false))) {
      actual = ours.result();
    }
    for (Map.Entry<String, Contestant> peer : OnnxAttention.all(shape, inputs, 1).entrySet()) {
      try (Contestant operator = peer.getValue()) {
        assertArrayEquals(operator.result(), actual, TOLERANCE, peer.getKey());
      }
    }
  }
}
