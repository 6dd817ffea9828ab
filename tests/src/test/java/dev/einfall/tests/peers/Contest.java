package dev.einfall.tests.peers;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Ways to do one thing, by name, measured in turn, so that all meet the same clock and the same neighbours.
record Contest(Map<String, List<Long>> nanos) {
  /// How long one way runs before the next has its turn.
  private static final long BLOCK_NANOS = 200_000_000;
  /// A run of at least this is its own warm-up.
  private static final long LONG_NANOS = 400_000_000;
  /// How long threads of the way before may go on looking for work.
  private static final long REST_MILLIS = 10;
  private static final int LEAST_ROUNDS = 3;

  /// What is measured.
  interface Action {
    void run() throws Exception;
  }

  /// Runs all in turn for `seconds`, or until each had three turns, after a warm-up of a quarter of it.
  static Contest measure(Map<String, Action> ways, double seconds) throws Exception {
    Contest warmUp = new Contest(new LinkedHashMap<>());
    warmUp.fill(ways, seconds / 4, 1);
    Contest measured = new Contest(new LinkedHashMap<>());
    measured.fill(ways, seconds, LEAST_ROUNDS);
    return measured;
  }

  private void fill(Map<String, Action> ways, double seconds, int leastRounds) throws Exception {
    long end = System.nanoTime() + (long) (seconds * 1e9);
    for (int round = 0; round < leastRounds || System.nanoTime() < end; round++) {
      for (Map.Entry<String, Action> way : ways.entrySet()) {
        block(way.getValue(), nanos.computeIfAbsent(way.getKey(), _ -> new ArrayList<>()));
      }
    }
  }

  /// The first run of a block is not counted, unless it is long: threads of another way may still be looking for work.
  private static void block(Action action, List<Long> times) throws Exception {
    Thread.sleep(REST_MILLIS);
    long first = time(action);
    if (first >= LONG_NANOS) {
      times.add(first);
      return;
    }
    long end = System.nanoTime() + BLOCK_NANOS;
    do {
      times.add(time(action));
    } while (System.nanoTime() < end);
  }

  private static long time(Action action) throws Exception {
    long before = System.nanoTime();
    action.run();
    return System.nanoTime() - before;
  }

  /// The median time of the way `name` in milliseconds.
  double millis(String name) {
    List<Long> sorted = new ArrayList<>(nanos.get(name));
    Collections.sort(sorted);
    return sorted.get(sorted.size() / 2) / 1e6;
  }
}
