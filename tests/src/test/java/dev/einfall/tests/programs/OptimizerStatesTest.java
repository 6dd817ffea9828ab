package dev.einfall.tests.programs;

import static dev.einfall.tests.programs.FormatCall.SCALES;
import static dev.einfall.tests.programs.FormatCall.bytes;
import static dev.einfall.tests.programs.FormatCall.call;
import static dev.einfall.tests.programs.FormatCall.counted;
import static dev.einfall.tests.programs.FormatCall.decoded;
import static dev.einfall.tests.programs.FormatCall.requireNumbers;
import static dev.einfall.tests.programs.FormatCall.scales;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.ElementType;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// The states of optimizers in 4 bits, against the paper's tables.
class OptimizerStatesTest {
  /// The dynamic tree of 4 bits: a sign, and one, two or four middles of parts of 0.1 to 1.
  private static final double[] TREE = {-0.8875, -0.6625, -0.4375, -0.2125, -0.0775, -0.0325, -0.0055, 0, 0.0055, 0.0325, 0.0775, 0.2125, 0.4375, 0.6625, 0.8875, 1};

  @Test
  void everyCodeOfFirstMoments() {
    Array codes = bytes(counted(256, SCALES.length), SCALES.length, 256);
    double[] numbers = decoded("optimizers", "dynamic4", ", 512", new int[] {SCALES.length, 512}, scales(), codes);
    for (int i = 0; i < numbers.length; i++) {
      double expected = (float) TREE[i % 512 / 2 >> i % 2 * 4 & 15] * SCALES[i / 512];
      // The numbers of the tree are computed in f32.
      double error = Double.isFinite(expected) ? Math.max(3e-7 * Math.abs(expected), Float.MIN_VALUE) : 0;
      assertEquals(expected, numbers[i], error, "element " + i);
    }
  }

  @Test
  void numbersBecomeTheNearestOfTheTree() {
    SplittableRandom random = new SplittableRandom(3);
    double[] given = IntStream.range(0, 256).mapToDouble(i -> i / 64 == 2 ? 0 : (float) random.nextGaussian()).toArray();
    List<Array> stored = call("optimizers", "(f32[4], u8[128])", "encode_dynamic4", List.of(FormatCall.floats(given)), ", 64");
    double[] numbers = decoded("optimizers", "dynamic4", ", 64", new int[] {256}, stored.get(0), stored.get(1));
    for (int i = 0; i < 256; i++) {
      double largest = Arrays.stream(given, i / 64 * 64, i / 64 * 64 + 64).map(Math::abs).max().orElseThrow();
      assertEquals(largest, stored.getFirst().numbers()[i / 64]);
      double number = given[i];
      double nearest = Arrays.stream(TREE).map(value -> Math.abs(value * largest - number)).min().orElseThrow();
      assertEquals(nearest, Math.abs(numbers[i] - number), 1e-6, "element " + i);
    }
  }

  /// Every code with every pair of a row's scale and a column's.
  @Test
  void everyCodeOfSecondMoments() {
    int rows = SCALES.length;
    int columns = 32 * rows;
    Array row = Array.of(ElementType.F32, IntStream.range(0, rows).mapToDouble(i -> SCALES[i]).toArray(), rows);
    Array column = Array.of(ElementType.F32, IntStream.range(0, columns).mapToDouble(i -> SCALES[i / 32]).toArray(), columns);
    int[] codes = IntStream.range(0, rows * columns / 2).map(i -> i % 16 | (15 - i % 16) << 4).toArray();
    double[] numbers = decoded("optimizers", "rank_one4", "", new int[] {rows, columns}, row, column, bytes(codes, rows, columns / 2));
    requireNumbers(i -> ((codes[i / 2] >> i % 2 * 4 & 15) + 1) / 16f * Math.min(SCALES[i / columns], SCALES[i % columns / 32]), numbers, "rank_one4");
  }

  @Test
  void squaresBecomeTheNearestSixteenths() {
    SplittableRandom random = new SplittableRandom(5);
    float[][] given = new float[6][16];
    double[] flat = new double[96];
    for (int i = 0; i < 96; i++) {
      given[i / 16][i % 16] = i / 16 == 4 ? 0 : (float) Math.pow(random.nextGaussian(), 2);
      flat[i] = given[i / 16][i % 16];
    }
    List<Array> stored = call("optimizers", "(f32[6], f32[16], u8[6, 8])", "encode_rank_one4", List.of(Array.of(ElementType.F32, flat, 6, 16)), "");
    for (int i = 0; i < 96; i++) {
      float row = 0;
      float column = 0;
      for (int j = 0; j < 16; j++) {
        row = Math.max(row, given[i / 16][j]);
        column = Math.max(column, given[j % 6][i % 16]);
      }
      float scale = Math.min(row, column);
      assertEquals(row, stored.get(0).numbers()[i / 16]);
      assertEquals(column, stored.get(1).numbers()[i % 16]);
      long expected = scale == 0 ? 0 : Math.clamp((long) Math.rint(16 * (given[i / 16][i % 16] / scale)), 1, 16) - 1;
      assertEquals(expected, stored.get(2).integers()[i / 2] >> i % 2 * 4 & 15, "element " + i);
    }
  }
}
