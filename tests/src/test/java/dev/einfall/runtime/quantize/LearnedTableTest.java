package dev.einfall.runtime.quantize;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LearnedTableTest {
  private static double[] ones(int count) {
    double[] weights = new double[count];
    Arrays.fill(weights, 1);
    return weights;
  }

  @Test
  void asManyNumbersStandForThemselves() {
    double[] numbers = IntStream.range(0, 64).mapToDouble(i -> i * 7 % 4 - 1.5).toArray();
    assertArrayEquals(new float[] {-1.5f, -0.5f, 0.5f, 1.5f}, LearnedTable.of(numbers, ones(64), 4));
  }

  @Test
  void isNearerThanEvenSteps() {
    SplittableRandom random = new SplittableRandom(1);
    double[] numbers = IntStream.range(0, 1000).mapToDouble(_ -> random.nextGaussian()).toArray();
    double most = Arrays.stream(numbers).map(Math::abs).max().orElseThrow();
    float[] even = new float[16];
    IntStream.range(0, 16).forEach(i -> even[i] = (float) (most * (2 * i / 15.0 - 1)));
    assertTrue(error(numbers, LearnedTable.of(numbers, ones(1000), 16)) < 0.6 * error(numbers, even));
  }

  private static double error(double[] numbers, float[] table) {
    return Arrays.stream(numbers).map(number -> IntStream.range(0, table.length).mapToDouble(i -> Math.pow(number - table[i], 2)).min().orElseThrow()).sum();
  }

  @Test
  void numbersCountByTheirWeights() {
    assertArrayEquals(new float[] {0.25f, 10}, LearnedTable.of(new double[] {0, 1, 10, 99}, new double[] {3, 1, 1, 0}, 2));
  }

  @Test
  void ofNothingIsZero() {
    assertEquals(0, LearnedTable.of(new double[] {1, 2}, new double[2], 4)[3]);
  }
}
