package dev.einfall.tests.peers;

import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.runtime.Tensor;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// A recurrence over `steps` steps of one sequence.
///
/// @param program ours, of the standard library
/// @param weights what the program names
/// @param inputs makes the inputs of the program
/// @param peers makes the operators of ONNX Runtime that compute the same, for a number of threads
/// @param flops the multiplications and additions
record RecurrenceCase(String kind, int steps, String program, WeightsFile weights, Supplier<Map<String, Tensor>> inputs,
    Peers peers, double flops) {
  private static final int[] LENGTHS = {128, 2048, 32768};

  /// Makes contestants.
  interface Peers {
    Map<String, Contestant> make(int threads) throws Exception;
  }

  /// A kind of recurrence.
  private interface Kind {
    RecurrenceCase of(int steps);
  }

  static Stream<Supplier<RecurrenceCase>> all() {
    return Stream.<Kind>of(RecurrentNets::lstm, RecurrentNets::gru, LinearRecurrences::gatedLinearAttention,
        LinearRecurrences::selectiveScan)
        .flatMap(kind -> Arrays.stream(LENGTHS).mapToObj(steps -> () -> kind.of(steps)));
  }

  String name() {
    return kind + " " + steps;
  }
}
