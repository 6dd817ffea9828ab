package dev.einfall.tests.programs;

import static dev.einfall.tests.programs.FormatCall.SCALES;
import static dev.einfall.tests.programs.FormatCall.call;
import static dev.einfall.tests.programs.FormatCall.decoded;
import static dev.einfall.tests.programs.FormatCall.floats;
import static dev.einfall.tests.programs.FormatCall.requireNumbers;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.ElementType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// The 65536 vectors of E8P, made here by sorting and counting.
@Execution(ExecutionMode.CONCURRENT)
class LatticesTest {
  /// Where the three 1/2 of each of the last 29 vectors are.
  private static final String[] LAST = {"123", "023", "013", "012", "367", "357", "347", "356", "346", "345", "267", "257", "247", "256", "246", "245",
      "167", "157", "147", "156", "146", "045", "067", "057", "047", "056", "046", "014", "237"};

  private static List<double[]> sizes() {
    List<double[]> sizes = new ArrayList<>();
    for (int v = 0; v < 6561; v++) {
      double[] vector = new double[8];
      int rest = v;
      for (int i = 0; i < 8; i++, rest /= 3) {
        vector[i] = rest % 3 + 0.5;
      }
      if (Arrays.stream(vector).map(x -> x * x).sum() <= 10) {
        sizes.add(vector);
      }
    }
    sizes.sort(Comparator.comparing((double[] vector) -> Arrays.toString(vector)));
    for (String halves : LAST) {
      sizes.add(IntStream.range(0, 8).mapToDouble(i -> halves.contains(Integer.toString(i)) ? 0.5 : 1.5).toArray());
    }
    return sizes;
  }

  private static double[] vector(List<double[]> sizes, int word) {
    double[] vector = sizes.get(word >> 8).clone();
    for (int i = 1; i < 8; i++) {
      vector[i] = (word >> 8 - i & 1) == 1 ? -vector[i] : vector[i];
    }
    // An even sum, whatever the signs of the others are.
    vector[0] = Arrays.stream(vector).sum() % 2 == 0 ? vector[0] : -vector[0];
    for (int i = 0; i < 8; i++) {
      vector[i] += (word & 1) == 1 ? 0.25 : -0.25;
    }
    return vector;
  }

  private static Array words(int rows) {
    return Array.of(ElementType.I16, LongStream.range(0, 65536L).map(word -> word - 32768).toArray(), rows, 65536 / rows);
  }

  @Test
  void everyCode() {
    List<double[]> sizes = sizes();
    assertEquals(256, sizes.size());
    double[] numbers = decoded("lattices", "e8p", "", new int[] {1, 524288}, floats(1), words(1));
    requireNumbers(i -> vector(sizes, i / 8)[i % 8], numbers, "e8p");
  }

  @Test
  void oddScales() {
    List<double[]> sizes = sizes();
    Array scale = Array.of(ElementType.F32, IntStream.range(0, 16).mapToDouble(i -> SCALES[i % SCALES.length]).toArray(), 16);
    double[] numbers = decoded("lattices", "e8p", "", new int[] {16, 32768}, scale, words(16));
    requireNumbers(i -> (float) vector(sizes, i / 8)[i % 8] * SCALES[i / 32768 % SCALES.length], numbers, "e8p");
  }

  /// No vector is nearer; and vectors of the lattice come back.
  @Test
  void numbersBecomeTheNearestVectors() {
    List<double[]> sizes = sizes();
    SplittableRandom random = new SplittableRandom(6);
    double[] numbers = IntStream.range(0, 8 * 64).mapToDouble(i -> i < 256 ? (float) random.nextGaussian() : vector(sizes, (int) (i / 8 * 40503L % 65536))[i % 8]).toArray();
    Array codes = call("lattices", "i16[1, 64]", "code_e8p", List.of(Array.of(ElementType.F32, numbers, 1, 512), floats(1)), "").getFirst();
    for (int e = 0; e < 64; e++) {
      double[] given = Arrays.copyOfRange(numbers, 8 * e, 8 * e + 8);
      double least = IntStream.range(0, 65536).mapToDouble(word -> distance(given, vector(sizes, word))).min().orElseThrow();
      assertEquals(least, distance(given, vector(sizes, (int) codes.integers()[e] + 32768)), 1e-5, "vector " + e);
      assertTrue(e < 32 || least == 0);
    }
  }

  private static double distance(double[] left, double[] right) {
    return IntStream.range(0, 8).mapToDouble(i -> Math.pow(left[i] - right[i], 2)).sum();
  }

  @Test
  void scalesOfRows() {
    SplittableRandom random = new SplittableRandom(7);
    double[] numbers = IntStream.range(0, 96).mapToDouble(i -> i / 32 == 1 ? 0 : (float) random.nextGaussian() * (i / 32 + 1)).toArray();
    List<Array> stored = call("lattices", "(f32[3], i16[3, 4])", "encode_e8p", List.of(Array.of(ElementType.F32, numbers, 3, 32)), "");
    double[] expected = IntStream.range(0, 3).mapToDouble(row -> Math.sqrt(Arrays.stream(numbers, row * 32, row * 32 + 32).map(x -> x * x).sum() / 32) / 1.03).toArray();
    assertArrayEquals(expected, stored.getFirst().numbers(), 1e-6);
    double[] decoded = decoded("lattices", "e8p", "", new int[] {3, 32}, stored.get(0), stored.get(1));
    double error = IntStream.range(0, 96).mapToDouble(i -> Math.pow(decoded[i] - numbers[i], 2)).sum() / Arrays.stream(numbers).map(x -> x * x).sum();
    // The paper's 2 bits leave 0.09 of the square of normal numbers.
    assertEquals(0.09, error, 0.03);
  }
}
