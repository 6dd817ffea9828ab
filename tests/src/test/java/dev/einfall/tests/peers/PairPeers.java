package dev.einfall.tests.peers;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;

/// How fast HotSpot multiplies pairs of `short` and adds them up in 32 bits where it makes vectors of plain Java by itself, beside multiply-adds of floats: what products of bytes
/// could gain in bytecode if they were products of integers. The Vector API has no such instruction (`vpmaddwd`, `vpdpwssd`).
///
/// All operands stay in the first-level cache of a core.
final class PairPeers {
  private static final int SUMS = 1024;
  private static final int TURNS = 4096;
  private static final String BESIDE = "sums side by side";
  private static final String ONE = "one sum";

  private PairPeers() {}

  /// Prints a line for each form.
  static void run(Request request) throws Exception {
    short[] left = numbers(1);
    short[] right = numbers(2);
    int[] sums = new int[SUMS];
    int[] whole = new int[1];
    Map<String, Contest.Action> ways = new LinkedHashMap<>();
    ways.put(BESIDE, () -> turns(() -> addBeside(sums, left, right)));
    ways.put(ONE, () -> turns(() -> whole[0] += dot(left, right)));
    Contest contest = Contest.measure(ways, request.seconds());
    double floats = Peak.gflops(1) / 2;
    System.out.printf("%n1 thread: G multiply-adds a second, and beside %.1f of floats in vectors.%n", floats);
    for (String way : ways.keySet()) {
      double rate = 2.0 * SUMS * TURNS / contest.millis(way) / 1e6;
      System.out.printf("pairs, %-18s %7.1f %7.2f%n", way, rate, rate / floats);
    }
  }

  private static short[] numbers(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    short[] numbers = new short[2 * SUMS];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = (short) random.nextInt(-127, 128);
    }
    return numbers;
  }

  private static void turns(Runnable turn) {
    for (int i = 0; i < TURNS; i++) {
      turn.run();
    }
  }

  /// The form in which C2 sees pairs: neighbours on both sides, and a sum of its own for each pair.
  private static void addBeside(int[] sums, short[] left, short[] right) {
    for (int i = 0; i < SUMS; i++) {
      sums[i] += left[2 * i] * right[2 * i] + left[2 * i + 1] * right[2 * i + 1];
    }
  }

  private static int dot(short[] left, short[] right) {
    int sum = 0;
    for (int i = 0; i < SUMS; i++) {
      sum += left[2 * i] * right[2 * i] + left[2 * i + 1] * right[2 * i + 1];
    }
    return sum;
  }
}
