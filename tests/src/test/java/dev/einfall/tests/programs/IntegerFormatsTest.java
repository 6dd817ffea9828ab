package dev.einfall.tests.programs;

import static dev.einfall.tests.programs.FormatCall.SCALES;
import static dev.einfall.tests.programs.FormatCall.bytes;
import static dev.einfall.tests.programs.FormatCall.call;
import static dev.einfall.tests.programs.FormatCall.counted;
import static dev.einfall.tests.programs.FormatCall.decoded;
import static dev.einfall.tests.programs.FormatCall.floats;
import static dev.einfall.tests.programs.FormatCall.packed;
import static dev.einfall.tests.programs.FormatCall.requireNumbers;
import static dev.einfall.tests.programs.FormatCall.scales;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.ElementType;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Integers times scales, against their definitions: every code, with every number for 0 and with odd scales, from what is stored; and what numbers become.
@Execution(ExecutionMode.CONCURRENT)
class IntegerFormatsTest {
  private static final int GROUP = 16;

  private static int[] rows(int width) {
    return new int[] {SCALES.length, width};
  }

  @Test
  void everyCodeOfBytes() {
    int rows = SCALES.length;
    Array codes = Array.of(ElementType.I8, IntStream.range(0, 256 * rows).mapToLong(i -> (byte) i).toArray(), rows, 256);
    requireNumbers(i -> (byte) i * SCALES[i / 256], decoded("integers", "int8", ", 256", rows(256), scales(), codes), "int8");
  }

  @Test
  void everyByteOfTwoIntegers() {
    Array bytes = bytes(counted(256, SCALES.length), SCALES.length, 256);
    double[] numbers = decoded("integers", "int4", ", 512", rows(512), scales(), bytes);
    requireNumbers(i -> ((i % 512 / 2 >> i % 2 * 4 & 15) - 8) * SCALES[i / 512], numbers, "int4");
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 6, 7, 8})
  void everyCodeOfSymmetricIntegers(int bits) {
    int width = Math.max(8, 1 << bits);
    Array codes = packed(counted(width, SCALES.length), bits, SCALES.length);
    double[] numbers = decoded("integers", "symmetric", ", " + bits + ", " + width, rows(width), scales(), codes);
    requireNumbers(i -> (i % width % (1 << bits) - (1 << bits - 1)) * SCALES[i / width], numbers, bits + " bits");
  }

  /// Every code with every byte as the number for 0, and with each scale some of them.
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void everyCodeAndZeroOfAsymmetricIntegers(int bits) {
    int width = Math.max(8, 1 << bits);
    Array scale = FormatCall.column(IntStream.range(0, 256).mapToDouble(i -> SCALES[i % SCALES.length]).toArray());
    Array zero = bytes(counted(256, 1), 256, 1);
    Array codes = packed(counted(width, 256), bits, 256);
    double[] numbers = decoded("integers", "asymmetric", ", " + bits + ", " + width, new int[] {256, width}, scale, zero, codes);
    requireNumbers(i -> (i % width % (1 << bits) - i / width) * SCALES[i / width % SCALES.length], numbers, bits + " bits");
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 6, 7, 8})
  void everyCodeWithOneScale(int bits) {
    int width = Math.max(8, 1 << bits);
    for (float scale : SCALES) {
      double[] numbers = decoded("integers", "symmetric_tensor", ", " + bits, new int[] {2, width}, Array.of(ElementType.F32, new double[] {scale}), packed(counted(width, 2), bits, 2));
      requireNumbers(i -> (i % width % (1 << bits) - (1 << bits - 1)) * scale, numbers, bits + " bits");
    }
  }

  /// The sum of -1 or 1 for each bit, times its power of two.
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void everyCodeOfBipolarIntegers(int bits) {
    int width = Math.max(8, 1 << bits);
    double[] numbers = decoded("integers", "bipolar", ", " + bits + ", " + width, rows(width), scales(), packed(counted(width, SCALES.length), bits, SCALES.length));
    requireNumbers(i -> IntStream.range(0, bits).map(bit -> (i % width >> bit & 1) == 1 ? 1 << bit : -1 << bit).sum() * SCALES[i / width], numbers, bits + " bits");
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 4, 5, 6, 7, 8})
  void everyCodeOfIntegersWithHalves(int bits) {
    int width = 1 << bits;
    double[] numbers = decoded("integers", "dint", ", " + bits + ", " + width, rows(width), scales(), packed(counted(width, SCALES.length), bits, SCALES.length));
    requireNumbers(i -> half(i % width, bits) * SCALES[i / width], numbers, bits + " bits");
  }

  private static float half(int code, int bits) {
    return code == 1 ? -0.5f : code == (1 << bits) - 1 ? 0.5f : code - (1 << bits - 1);
  }

  /// Code 3, which no number becomes, is the integer that follows.
  @Test
  void everyCodeOfTernaryNumbersAndSigns() {
    double[] numbers = decoded("integers", "ternary", ", 8", rows(8), scales(), packed(counted(8, SCALES.length), 2, SCALES.length));
    requireNumbers(i -> (i % 4 - 1) * SCALES[i / 8], numbers, "ternary");
    double[] signs = decoded("integers", "binary", ", 8", rows(8), scales(), packed(counted(8, SCALES.length), 1, SCALES.length));
    requireNumbers(i -> (i % 2 * 2 - 1) * SCALES[i / 8], signs, "binary");
  }

  @Test
  void packsAnyCountOfBits() {
    SplittableRandom random = new SplittableRandom(4);
    for (int bits = 1; bits <= 8; bits++) {
      int[] codes = random.ints(48, 0, 1 << bits).toArray();
      Array given = Array.of(ElementType.I32, IntStream.of(codes).asLongStream().toArray(), 48);
      Array bytes = call("packing", "u8[6, " + bits + "]", "pack", List.of(given), ", " + bits).getFirst();
      assertArrayEquals(packed(codes, bits, 0).integers(), bytes.integers(), bits + " bits");
      assertArrayEquals(given.integers(), call("packing", "i32[48]", "unpack", List.of(bytes), ", " + bits).getFirst().integers(), bits + " bits");
    }
  }

  /// Some groups of random numbers, one of zeros, and one whose numbers are at and beside the middles of steps.
  private static float[] numbers(int largest) {
    SplittableRandom random = new SplittableRandom(9);
    float[] numbers = new float[8 * GROUP];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = i / GROUP == 2 ? 0 : (float) random.nextGaussian();
    }
    for (int i = 0; i < GROUP; i++) {
      float middle = i % 7 - 3 + 0.5f;
      numbers[i] = i == 0 ? largest : i % 2 == 0 ? middle : Math.nextUp(middle);
    }
    return numbers;
  }

  private static Array given(float... numbers) {
    return floats(IntStream.range(0, numbers.length).mapToDouble(i -> numbers[i]).toArray());
  }

  private static float scale(float[] numbers, int group, int largest) {
    float most = 0;
    for (int i = group * GROUP; i < (group + 1) * GROUP; i++) {
      most = Math.max(most, Math.abs(numbers[i]));
    }
    return most / largest;
  }

  /// The nearest integer, of two equally near ones the even one.
  private static int integer(float number, float scale, int largest) {
    return scale > 0 ? (int) Math.clamp(Math.rint(number / scale), -largest, largest) : 0;
  }

  /// What numbers become: with scales of their own, and, twice as large, with these scales, which cannot say all of them.
  private static void requireIntegers(String format, String sizes, String code, int largest, int offset, int bits) {
    float[] numbers = numbers(largest);
    float[] twice = numbers(largest);
    for (int i = 0; i < twice.length; i++) {
      twice[i] *= 2;
    }
    List<Array> stored = call("integers", "(f32[8], " + code + ")", "encode_" + format, List.of(given(numbers)), sizes);
    requireNumbers(group -> scale(numbers, group, largest), stored.getFirst().numbers(), format + ", scales");
    Array again = call("integers", code, "code_" + format, List.of(given(twice), stored.getFirst()), sizes).getFirst();
    for (int i = 0; i < numbers.length; i++) {
      float scale = scale(numbers, i / GROUP, largest);
      assertEquals(integer(numbers[i], scale, largest) + offset, bits(stored.get(1), i, bits), format + sizes + ", element " + i);
      assertEquals(integer(twice[i], scale, largest) + offset, bits(again, i, bits), format + sizes + ", twice element " + i);
    }
  }

  /// Code i of those that lie one after the other.
  private static long bits(Array stored, int i, int bits) {
    if (stored.type() == ElementType.I8) {
      return stored.integers()[i];
    }
    long code = 0;
    for (int bit = 0; bit < bits; bit++) {
      int at = i * bits + bit;
      code |= (stored.integers()[at / 8] >> at % 8 & 1) << bit;
    }
    return code;
  }

  @Test
  void numbersBecomeTheNearestIntegers() {
    requireIntegers("int8", ", 16", "i8[128]", 127, 0, 8);
    requireIntegers("int4", ", 16", "u8[64]", 7, 8, 4);
    for (int bits = 2; bits <= 8; bits++) {
      requireIntegers("symmetric", ", " + bits + ", 16", "u8[16, " + bits + "]", (1 << bits - 1) - 1, 1 << bits - 1, bits);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void numbersBecomeAsymmetricIntegers(int bits) {
    float[] numbers = numbers(1);
    int largest = (1 << bits) - 1;
    List<Array> stored = call("integers", "(f32[8], u8[8], u8[16, " + bits + "])", "encode_asymmetric", List.of(given(numbers)), ", " + bits + ", 16");
    for (int group = 0; group < 8; group++) {
      float low = 0;
      float high = 0;
      for (int i = group * GROUP; i < (group + 1) * GROUP; i++) {
        low = Math.min(low, numbers[i]);
        high = Math.max(high, numbers[i]);
      }
      float scale = high / largest - low / largest;
      int zero = scale > 0 ? (int) Math.rint(-low / scale) : 0;
      assertEquals(scale, stored.get(0).numbers()[group], "scale " + group);
      assertEquals(zero, stored.get(1).integers()[group], "zero " + group);
      for (int i = group * GROUP; i < (group + 1) * GROUP; i++) {
        int steps = scale > 0 ? (int) Math.rint(numbers[i] / scale) : 0;
        assertEquals(Math.clamp(steps + zero, 0, largest), bits(stored.get(2), i, bits), "element " + i);
      }
    }
  }

  @Test
  void numbersBecomeSignsAndTernaryNumbers() {
    float[] numbers = numbers(1);
    List<Array> signs = call("integers", "(f32[8], u8[16, 1])", "encode_binary", List.of(given(numbers)), ", 16");
    List<Array> ternary = call("integers", "(f32[8], u8[16, 2])", "encode_ternary", List.of(given(numbers)), ", 16");
    for (int i = 0; i < numbers.length; i++) {
      double mean = IntStream.range(i / GROUP * GROUP, (i / GROUP + 1) * GROUP).mapToDouble(j -> Math.abs(numbers[j])).sum() / GROUP;
      float scale = (float) signs.getFirst().numbers()[i / GROUP];
      assertEquals(mean, scale, 1e-6 * mean);
      assertEquals(scale, ternary.getFirst().numbers()[i / GROUP]);
      assertEquals(numbers[i] >= 0 ? 1 : 0, bits(signs.get(1), i, 1), "element " + i);
      assertEquals(integer(numbers[i], scale, 1) + 1, bits(ternary.get(1), i, 2), "element " + i);
    }
    Array smaller = call("integers", "u8[16, 2]", "code_ternary", List.of(given(numbers), floats(0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1)), ", 16").getFirst();
    for (int i = 0; i < numbers.length; i++) {
      assertEquals(integer(numbers[i], 0.1f, 1) + 1, bits(smaller, i, 2), "element " + i);
    }
  }

  /// No number that a code stands for is nearer, but for those that only the codes no number becomes stand for.
  @ParameterizedTest
  @ValueSource(ints = {3, 4, 5, 6, 7, 8})
  void numbersBecomeTheNearestOfOddIntegersAndHalves(int bits) {
    float[] numbers = numbers(1);
    int last = (1 << bits) - 1;
    int largest = (1 << bits - 1) - 2;
    List<Array> odd = call("integers", "(f32[8], u8[16, " + bits + "])", "encode_bipolar", List.of(given(numbers)), ", " + bits + ", 16");
    List<Array> halves = call("integers", "(f32[8], u8[16, " + bits + "])", "encode_dint", List.of(given(numbers)), ", " + bits + ", 16");
    for (int i = 0; i < numbers.length; i++) {
      requireNearest(numbers[i], scale(numbers, i / GROUP, last), IntStream.rangeClosed(0, last).mapToDouble(code -> 2 * code - last).toArray(),
          2 * bits(odd.get(1), i, bits) - last);
      requireNearest(numbers[i], scale(numbers, i / GROUP, largest), IntStream.rangeClosed(1, last).mapToDouble(code -> half(code, bits)).toArray(),
          half((int) bits(halves.get(1), i, bits), bits));
    }
    requireNumbers(group -> scale(numbers, group, last), odd.getFirst().numbers(), "scales");
    requireNumbers(group -> scale(numbers, group, largest), halves.getFirst().numbers(), "scales");
  }

  private static void requireNearest(float number, float scale, double[] all, double taken) {
    double y = scale > 0 ? number / scale : 0;
    double nearest = IntStream.range(0, all.length).mapToDouble(i -> Math.abs(y - all[i])).min().orElseThrow();
    assertEquals(nearest, Math.abs(y - taken), 1e-6 * Math.abs(y), number + " in units of " + scale);
  }

  @Test
  void oneScaleOfAll() {
    float[] numbers = numbers(1);
    float largest = IntStream.range(0, numbers.length).mapToObj(i -> Math.abs(numbers[i])).max(Float::compare).orElseThrow();
    Array rows = Array.of(ElementType.F32, IntStream.range(0, 128).mapToDouble(i -> numbers[i]).toArray(), 2, 4, 16);
    List<Array> stored = call("integers", "(f32[], u8[2, 4, 2, 5])", "encode_symmetric_tensor", List.of(rows), ", 5");
    assertEquals(largest / 15, stored.getFirst().numbers()[0]);
    for (int i = 0; i < numbers.length; i++) {
      assertEquals(integer(numbers[i], largest / 15, 15) + 16, bits(stored.get(1), i, 5), "element " + i);
    }
  }
}
