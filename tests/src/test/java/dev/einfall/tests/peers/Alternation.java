package dev.einfall.tests.peers;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// Two ways to do one thing, measured in turn, so that both meet the same clock and the same neighbours.
record Alternation(List<Long> first, List<Long> second) {
  /// How long one way runs before the other has its turn.
  private static final long BLOCK_NANOS = 200_000_000;

  /// What is measured.
  interface Action {
    void run() throws Exception;
  }

  /// Runs both in turn for `seconds`, after a warm-up of a quarter of it.
  static Alternation measure(Action first, Action second, double seconds) throws Exception {
    Alternation warmUp = new Alternation(new ArrayList<>(), new ArrayList<>());
    warmUp.fill(first, second, seconds / 4);
    Alternation measured = new Alternation(new ArrayList<>(), new ArrayList<>());
    measured.fill(first, second, seconds);
    return measured;
  }

  private void fill(Action one, Action two, double seconds) throws Exception {
    long end = System.nanoTime() + (long) (seconds * 1e9);
    do {
      block(one, first);
      block(two, second);
    } while (System.nanoTime() < end);
  }

  /// The first runs of a block are not counted: threads of the other may still be looking for work.
  private static void block(Action action, List<Long> times) throws Exception {
    Thread.sleep(5);
    action.run();
    long end = System.nanoTime() + BLOCK_NANOS;
    do {
      long before = System.nanoTime();
      action.run();
      times.add(System.nanoTime() - before);
    } while (System.nanoTime() < end);
  }

  static double medianMillis(List<Long> times) {
    List<Long> sorted = new ArrayList<>(times);
    Collections.sort(sorted);
    return sorted.get(sorted.size() / 2) / 1e6;
  }
}
