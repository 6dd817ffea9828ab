package dev.einfall.tests.peers;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Ways to do one thing that take nearly the same time, by name: measured in many short turns, so that a clock that changes meanwhile
/// changes all of them. A neighbour on the machine makes runs longer and never shorter, so short times count, and not the median.
///
/// @param millis the time of each way in each round in which it took part, which is in all of them or in the first ones
record Alternation(Map<String, List<Double>> millis) {
  private static final int LEAST_ROUNDS = 9;
  private static final int MOST_ROUNDS = 60;
  /// Rounds after which ways that are far behind leave.
  private static final int LOOK = 3;
  /// A way that takes this many times as long as the best need not be known any better.
  private static final double FAR_BEHIND = 1.5;
  private static final double TURN_MILLIS = 25;
  /// How long threads of the way before may go on looking for work.
  private static final long REST_MILLIS = 5;

  /// Runs all in turn for about `seconds` each, the last ones first in every other round.
  ///
  /// @param kept the way that does not leave
  static Alternation measure(Map<String, Contest.Action> ways, String kept, double seconds) throws Exception {
    for (Contest.Action way : ways.values()) {
      turn(way, TURN_MILLIS);
    }
    Alternation alternation = new Alternation(new LinkedHashMap<>());
    List<String> left = new ArrayList<>(ways.keySet());
    double spent = 0;
    for (int round = 0; round < LEAST_ROUNDS || spent < 1000 * seconds && round < MOST_ROUNDS; round++) {
      List<String> order = round % 2 == 0 ? List.copyOf(left) : left.reversed();
      long before = System.nanoTime();
      for (String name : order) {
        alternation.millis.computeIfAbsent(name, _ -> new ArrayList<>()).add(turn(ways.get(name), TURN_MILLIS));
      }
      spent += (System.nanoTime() - before) / 1e6 / order.size();
      if (round == LOOK - 1) {
        double best = left.stream().mapToDouble(alternation::millis).min().orElseThrow();
        left.removeIf(name -> !name.equals(kept) && alternation.millis(name) > FAR_BEHIND * best);
      }
    }
    return alternation;
  }

  /// The time of one of the runs that take `millis` together, or of one that takes longer. The first is not counted, unless it is long.
  private static double turn(Contest.Action action, double millis) throws Exception {
    Thread.sleep(REST_MILLIS);
    double first = time(action);
    if (first >= millis) {
      return first;
    }
    List<Double> times = new ArrayList<>();
    double sum = 0;
    do {
      times.add(time(action));
      sum += times.getLast();
    } while (sum < millis);
    return quartile(times);
  }

  private static double time(Contest.Action action) throws Exception {
    long before = System.nanoTime();
    action.run();
    return (System.nanoTime() - before) / 1e6;
  }

  /// The time that a quarter of the rounds keep to.
  double millis(String name) {
    return quartile(millis.get(name));
  }

  /// How many times as long `name` takes as `other`, in the rounds in which both took part.
  double ratio(String name, String other) {
    int rounds = Math.min(millis.get(name).size(), millis.get(other).size());
    return quartile(millis.get(name).subList(0, rounds)) / quartile(millis.get(other).subList(0, rounds));
  }

  private static double quartile(List<Double> values) {
    return values.stream().sorted().skip((values.size() - 1) / 4).findFirst().orElseThrow();
  }
}
