package dev.einfall.tests.peers;

import dev.einfall.ir.ElementType;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Tensor;
import dev.einfall.tests.MadeWeights;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// How fast HotSpot multiplies pairs of `short` and adds them up in 32 bits where it makes vectors of plain Java by itself, beside multiply-adds of floats: what products of bytes
/// could gain in bytecode if they were products of integers. The Vector API has no such instruction (`vpmaddwd`, `vpdpwssd`).
///
/// All operands stay in the first-level cache of a core. And how fast programs by way of C are that multiply numbers of 16 bits, and bytes with signs, which are widened to these.
final class PairPeers {
  private static final int SUMS = 1024;
  private static final int TURNS = 4096;
  private static final String BESIDE = "sums side by side";
  private static final String ONE = "one sum";
  private static final List<ElementType> TYPES = List.of(ElementType.F32, ElementType.I16, ElementType.I8);
  private static final int[] ROWS = {1, 16, 128};
  private static final int SIZE = 4096;

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
    products(request.with(Options.Backend.C));
  }

  /// Prints a line for each number of rows: a product by way of C with factors of each type, in the same order of loops.
  private static void products(Request request) throws Exception {
    System.out.printf("%n%d x %d by way of C, 1 thread: ms, and f32 / ours.%n", SIZE, SIZE);
    for (int m : ROWS) {
      Map<ElementType, EinfallContestant> programs = new LinkedHashMap<>();
      TYPES.forEach(type -> programs.put(type, product(type, m, request.options(1))));
      Map<String, Contest.Action> ways = new LinkedHashMap<>();
      programs.forEach((type, program) -> ways.put(type.text(), program::run));
      Contest contest = Contest.measure(ways, request.seconds());
      double floats = contest.millis(ElementType.F32.text());
      System.out.printf("%4d rows", m);
      ways.keySet().forEach(way -> System.out.printf("  %s %8.3f %5.2f", way, contest.millis(way), floats / contest.millis(way)));
      System.out.println();
      programs.values().forEach(EinfallContestant::close);
    }
  }

  private static EinfallContestant product(ElementType type, int m, Options options) {
    String wide = type == ElementType.F32 ? "f32" : "i32";
    String text = """
        weights "made"
        def main(X: %1$s[%2$d, %3$d]) -> %4$s[%2$d, %3$d] {
          weight W: %1$s[%3$d, %3$d] = "W"
          Y[m, n] = sum[k](%4$s(X[m, k]) * %4$s(W[n, k]))
          return Y
        }
        """.formatted(type, m, SIZE, wide);
    MemorySegment values = MemorySegment.ofArray(new byte[SIZE * SIZE * type.bytes()]);
    Tensor x = Tensor.copyOf(type, values.asSlice(0, (long) m * SIZE * type.bytes()), m, SIZE);
    return new EinfallContestant(text, Map.of("X", x), options.withWeights(new MadeWeights().with("W", type, values, SIZE, SIZE)));
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
