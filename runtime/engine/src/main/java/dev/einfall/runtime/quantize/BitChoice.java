package dev.einfall.runtime.quantize;

import dev.einfall.ir.CompileException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// Chooses one of several sizes for each weight, so that the sum of their costs is least under a budget: an integer programme (HAWQ-V3, Yao et al., 2021), solved
/// exactly by keeping, weight after weight, each sum of bytes than which none that is not larger costs less (Nemhauser and Ullmann, 1969).
final class BitChoice {
  private BitChoice() {}

  /// The weights so far, with a choice for each.
  private record State(long bytes, double cost, State before, int choice) {}

  /// For each weight the place of its choice.
  ///
  /// @param bytes for each weight, what its choices take
  /// @param costs for each weight, what its choices cost
  /// @throws CompileException when the least are too large together
  static List<Integer> of(long[][] bytes, double[][] costs, long budget) {
    List<State> states = List.of(new State(0, 0, null, -1));
    long[] restLeast = restLeast(bytes);
    if (restLeast[0] > budget) {
      throw CompileException.of("the budget is " + budget + " bytes, and with the fewest bits the weights take " + restLeast[0] + ": expected no less");
    }
    for (int weight = 0; weight < bytes.length; weight++) {
      List<State> next = new ArrayList<>();
      for (State state : states) {
        for (int choice = 0; choice < bytes[weight].length; choice++) {
          long sum = state.bytes + bytes[weight][choice];
          if (sum + restLeast[weight + 1] <= budget) {
            next.add(new State(sum, state.cost + costs[weight][choice], state, choice));
          }
        }
      }
      states = best(next);
    }
    return choices(states.getLast());
  }

  /// What the weights from each on take at least.
  private static long[] restLeast(long[][] bytes) {
    long[] least = new long[bytes.length + 1];
    for (int weight = bytes.length - 1; weight >= 0; weight--) {
      long smallest = Long.MAX_VALUE;
      for (long size : bytes[weight]) {
        smallest = Math.min(smallest, size);
      }
      least[weight] = least[weight + 1] + smallest;
    }
    return least;
  }

  /// Those that cost less than all that take no more, by bytes.
  private static List<State> best(List<State> states) {
    states.sort(Comparator.comparingLong(State::bytes).thenComparingDouble(State::cost));
    List<State> best = new ArrayList<>();
    for (State state : states) {
      if (best.isEmpty() || state.cost < best.getLast().cost) {
        best.add(state);
      }
    }
    return best;
  }

  private static List<Integer> choices(State last) {
    List<Integer> choices = new ArrayList<>();
    for (State state = last; state.before != null; state = state.before) {
      choices.addFirst(state.choice);
    }
    return choices;
  }
}
