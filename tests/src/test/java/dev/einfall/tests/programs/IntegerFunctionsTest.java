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

  /// The line is off by up to 6 % between two powers of two, and the logarithm of e by 0.4 % of what is to be raised; the parabola by 0.3 %.
  @Test
  void exponentialsAreNear() {
    long[] numbers = LongStream.rangeClosed(-2048, 0).toArray();
    long[] shifted = call(ElementType.I32, "shift_exp(x, 256, 14)", numbers).integers();
    long[] parabola = call(ElementType.I32, "integer_exp(x, 256)", numbers).integers();
    for (int i = 0; i < numbers.length; i++) {
      double expected = Math.exp(numbers[i] / 256.0);
      assertEquals(expected, shifted[i] / 256.0 / (1 << 14), 0.04 * expected + 0.04, "e to the power of " + numbers[i]);
      assertEquals(expected, parabola[i] * 0.3585 / 65536, 0.005, "e to the power of " + numbers[i]);
    }
  }

  @Test
  void softmaxIsNear() {
    SplittableRandom random = new SplittableRandom(5);
    long[] scores = random.longs(64, -1024, 1024).toArray();
    double sum = LongStream.of(scores).mapToDouble(score -> Math.exp(score / 256.0)).sum();
    long[] shifted = call(ElementType.I32, "shiftmax(x, 256, 12, 15)", scores).integers();
    long[] parabola = call(ElementType.I32, "integer_softmax(x, 256, 15)", scores).integers();
    for (int i = 0; i < scores.length; i++) {
      double expected = Math.exp(scores[i] / 256.0) / sum;
      assertEquals(expected, shifted[i] / 32768.0, 0.1 * expected + 0.001);
      assertEquals(expected, parabola[i] / 32768.0, 0.02 * expected + 0.0005);
    }
  }

  @Test
  void geluIsNear() {
    long[] numbers = LongStream.rangeClosed(-2048, 2048).toArray();
    long[] gelu = call(ElementType.I32, "shift_gelu(x, 256)", numbers).integers();
    for (int i = 0; i < numbers.length; i++) {
      double x = numbers[i] / 256.0;
      double expected = 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      assertEquals(expected, gelu[i] / 256.0, 0.04, "of " + x);
    }
  }
}
