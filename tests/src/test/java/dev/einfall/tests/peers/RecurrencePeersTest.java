package dev.einfall.tests.peers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.einfall.runtime.Options;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The recurrences of our standard library give what ONNX Runtime's operators give.
class RecurrencePeersTest {
  private static final float TOLERANCE = 1e-5f;

  private static Stream<IntFunction<RecurrenceCase>> kinds() {
    return Stream.of(RecurrentNets::lstm, RecurrentNets::gru, LinearRecurrences::gatedLinearAttention);
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void agreesWithOnnxRuntime(IntFunction<RecurrenceCase> kind) throws Exception {
    RecurrenceCase one = kind.apply(37);
    Options options = Options.defaults().withWarmUp(false).withWeights(one.weights());
    float[] actual;
    try (Contestant ours = new EinfallContestant(one.program(), one.inputs().get(), options)) {
      actual = ours.result();
    }
    for (Map.Entry<String, Contestant> peer : one.peers().make(1).entrySet()) {
      try (Contestant operator = peer.getValue()) {
        assertArrayEquals(operator.result(), actual, TOLERANCE, peer.getKey());
      }
    }
  }
}
