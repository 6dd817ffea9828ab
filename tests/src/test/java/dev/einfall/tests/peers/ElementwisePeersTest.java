package dev.einfall.tests.peers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.einfall.runtime.Options;
import dev.einfall.runtime.Tensor;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Our programs give what ONNX Runtime's operators give.
class ElementwisePeersTest {
  private static final int FEW = 9000;
  /// Sums of a thousand numbers, in another order.
  private static final float TOLERANCE = 1e-4f;

  private static Stream<ElementwiseCase> cases() {
    return Stream.concat(ElementwiseCases.all(FEW), Stream.of(ElementwiseCases.call()));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void agreesWithOnnxRuntime(ElementwiseCase one) throws Exception {
    Map<String, Tensor> inputs = one.inputs().get();
    try (Contestant ours = new EinfallContestant(one.program(), inputs, Options.defaults().withWarmUp(false));
        Contestant operator = one.onnx(inputs, 1)) {
      assertArrayEquals(operator.result(), ours.result(), TOLERANCE, one.name());
    }
  }
}
