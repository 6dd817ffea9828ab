package dev.einfall.tests.programs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.ElementType;
import dev.einfall.tests.JvmRun;
import java.math.BigInteger;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/// The functions of `std.integer` against their definitions, and how far they are from what they stand for.
class IntegerFunctionsTest {
  private static Array call(ElementType type, String call, long... x) {
    String text = "import std.integer\ndef main(x: " + type + "[" + x.length + "]) -> " + type + "[" + x.length + "] {\n  return " + call + "\n}\n";
    return JvmRun.outputs(text, List.of(Array.of(type, x, x.length)), JvmRun.options(1, 0)).getFirst();
  }

  @Test
  void rootsAreExact() {
    SplittableRandom random = new SplittableRandom(2);
    long[] numbers = IntStream.range(0, 4000).mapToLong(i -> {
      long root = random.nextLong(1L << random.nextInt(1, 31));
      return switch (i % 4) {
        case 0 -> i / 4;
        case 1 -> root * root;
        case 2 -> Math.max(root * root - 1, 0);
        default -> random.nextLong(1L << random.nextInt(1, 62));
      };
    }).toArray();
    long[] roots = call(ElementType.I64, "integer_root(x)", numbers).integers();
    for (int i = 0; i < numbers.length; i++) {
      assertEquals(BigInteger.valueOf(numbers[i]).sqrt().longValueExact(), roots[i], "root of " + numbers[i]);
    }
  }

  @Test
  void rescalingRoundsToTheNearest() {
    long[] numbers = LongStream.rangeClosed(-1000, 1000).toArray();
    long[] rescaled = call(ElementType.I32, "rescale(x, 3, 3)", numbers).integers();
    for (int i = 0; i < numbers.length; i++) {
      assertEquals((long) Math.floor(numbers[i] * 3 / 8.0 + 0.5), rescaled[i], "3/8 of " + numbers[i]);
    }
    long[] ends = {Integer.MIN_VALUE, Integer.MAX_VALUE};
    long[] halves = call(ElementType.I32, "rescale(x, 1073741824, 31)", ends).integers();
    assertEquals(List.of(-1073741824L, 1073741824L), List.of(halves[0], halves[1]));
  }

  /// I-ViT's exponential of numbers up to 0: in units of 1 / 256, of 2^-bits / 256.
  private static long shiftExp(long x, int bits) {
    long power = x + Math.floorDiv(x, 2) - Math.floorDiv(x, 16);
    long whole = Math.floorDiv(-power, 256);
    long line = 256 + Math.floorDiv(power + 256 * whole, 2);
    return whole < bits ? line << bits - whole : 0;
  }

  /// I-BERT's, in units of 0.3585 / 65536: ln 2 is 177 units, and the parabola is (p + 1.353)^2 + 0.95955.
  private static long parabola(long x) {
    long halvings = Math.min(-x / 177, 30);
    long p = x + 177 * halvings + 346;
    return p * p + 62884 >> halvings;
  }

  /// Both are the integers that the papers' formulas give. The line is off by up to 6 % between two powers of two, and the logarithm of e by 0.4 % of what is to be raised;
  /// the parabola by 0.3 %, and ln 2 by as much.
  @Test
  void exponentials() {
    long[] numbers = LongStream.rangeClosed(-2048, 0).toArray();
    long[] shifted = call(ElementType.I32, "shift_exp(x, 256, 14)", numbers).integers();
    long[] parabola = call(ElementType.I32, "integer_exp(x, 256)", numbers).integers();
    for (int i = 0; i < numbers.length; i++) {
      double x = numbers[i] / 256.0;
      double expected = Math.exp(x);
      assertEquals(shiftExp(numbers[i], 14), shifted[i], "e to the power of " + numbers[i]);
      assertEquals(parabola(numbers[i]), parabola[i], "e to the power of " + numbers[i]);
      assertEquals(expected, shifted[i] / 256.0 / (1 << 14), (0.07 - 0.005 * x) * expected, "e to the power of " + numbers[i]);
      assertEquals(expected, parabola[i] * 0.3585 / 65536, (0.005 - 0.003 * x) * expected + 6e-6, "e to the power of " + numbers[i]);
    }
  }

  @Test
  void softmax() {
    SplittableRandom random = new SplittableRandom(5);
    long[] scores = random.longs(64, -1024, 1024).toArray();
    long most = LongStream.of(scores).max().orElseThrow();
    double sum = LongStream.of(scores).mapToDouble(score -> Math.exp(score / 256.0)).sum();
    long ofShifts = LongStream.of(scores).map(score -> shiftExp(score - most, 12)).sum();
    long ofParabolas = LongStream.of(scores).map(score -> parabola(score - most)).sum();
    long[] shifted = call(ElementType.I32, "shiftmax(x, 256, 12, 15)", scores).integers();
    long[] parabola = call(ElementType.I32, "integer_softmax(x, 256, 15)", scores).integers();
    for (int i = 0; i < scores.length; i++) {
      double expected = Math.exp(scores[i] / 256.0) / sum;
      assertEquals((1L << 31) / ofShifts * shiftExp(scores[i] - most, 12) >> 16, shifted[i], "of " + scores[i]);
      assertEquals((parabola(scores[i] - most) << 15) / ofParabolas, parabola[i], "of " + scores[i]);
      assertEquals(expected, shifted[i] / 32768.0, 0.08 * expected + 1 / 32768.0, "of " + scores[i]);
      assertEquals(expected, parabola[i] / 32768.0, 0.02 * expected + 1 / 32768.0, "of " + scores[i]);
    }
  }

  /// The sigmoid of 1.6875 x, by exponentials of numbers up to 0.
  @Test
  void gelu() {
    long[] numbers = LongStream.rangeClosed(-2048, 2048).toArray();
    long[] gelu = call(ElementType.I32, "shift_gelu(x, 256)", numbers).integers();
    for (int i = 0; i < numbers.length; i++) {
      double x = numbers[i] / 256.0;
      long power = numbers[i] + Math.floorDiv(numbers[i], 2) + Math.floorDiv(numbers[i], 8) + Math.floorDiv(numbers[i], 16);
      long above = shiftExp(Math.min(power, 0), 14);
      long below = shiftExp(-Math.max(power, 0), 14);
      assertEquals(Math.floorDiv(numbers[i] * above, above + below), gelu[i], "of " + x);
      double expected = 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      assertEquals(expected, gelu[i] / 256.0, 0.035, "of " + x);
    }
  }

  /// Rows of usual numbers, of equal ones, of ones that are nearly equal, and of some beyond 2^20.
  @Test
  void layerNorm() {
    SplittableRandom random = new SplittableRandom(8);
    int width = 24;
    long[] x = IntStream.range(0, 5 * width).mapToLong(i -> switch (i / width) {
      case 0 -> random.nextLong(-5000, 9000);
      case 1 -> -77;
      case 2 -> 1000 + i % 2;
      case 3 -> random.nextLong(-(1L << 31), 1L << 31);
      default -> (long) (random.nextGaussian() * 300000);
    }).toArray();
    long[] gamma = random.longs(width, -500, 500).toArray();
    long[] beta = random.longs(width, -900, 900).toArray();
    String text = """
        import std.integer
        def main(x: i32[5, 24], gamma: i32[24], beta: i32[24]) -> i32[5, 24] {
          return integer_layer_norm(x, gamma, beta, 8)
        }
        """;
    List<Array> inputs = List.of(Array.of(ElementType.I32, x, 5, width), Array.of(ElementType.I32, gamma, width), Array.of(ElementType.I32, beta, width));
    long[] normed = JvmRun.outputs(text, inputs, JvmRun.options(1, 0)).getFirst().integers();
    for (int row = 0; row < 5; row++) {
      long[] numbers = LongStream.of(x).skip((long) row * width).limit(width).map(number -> Math.clamp(number, -1 << 20, 1 << 20)).toArray();
      long mean = Math.floorDiv(2 * LongStream.of(numbers).sum() + width, 2 * width);
      BigInteger variance = BigInteger.valueOf(LongStream.of(numbers).map(number -> (number - mean) * (number - mean)).sum() * 256 / width);
      long deviation = Math.max(1, variance.sqrt().longValueExact());
      double exact = Math.sqrt(LongStream.of(numbers).mapToDouble(number -> Math.pow(number - LongStream.of(numbers).sum() / (double) width, 2)).sum() / width);
      for (int d = 0; d < width; d++) {
        // In units of 1 / 256, of which the deviation has 1 / 16.
        long share = Math.floorDiv(4096 * (numbers[d] - mean), deviation);
        assertEquals(Math.floorDiv(share * gamma[d] + 128, 256) + beta[d], normed[row * width + d], "row " + row + ", number " + d);
        if (exact > 100) {
          double expected = (numbers[d] - LongStream.of(numbers).sum() / (double) width) / exact * gamma[d] + beta[d];
          assertEquals(expected, normed[row * width + d], 5, "row " + row + ", number " + d);
        }
      }
    }
  }
}
