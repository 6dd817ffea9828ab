package dev.einfall.tests.programs;

import static dev.einfall.tests.programs.FormatCall.bytes;
import static dev.einfall.tests.programs.FormatCall.call;
import static dev.einfall.tests.programs.FormatCall.counted;
import static dev.einfall.tests.programs.FormatCall.decoded;
import static dev.einfall.tests.programs.FormatCall.floats;
import static dev.einfall.tests.programs.FormatCall.packed;
import static dev.einfall.tests.programs.FormatCall.requireNumbers;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.ElementType;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Numbers with shared exponents, and fixed point, against their definitions in doubles.
class BlockFloatsTest {
  private static double[] numbers(int count) {
    SplittableRandom random = new SplittableRandom(count);
    return IntStream.range(0, count).mapToDouble(i -> (float) Math.scalb(random.nextGaussian(), i / 32 % 7 * 9 - 27)).toArray();
  }

  private static int exponent(double[] numbers, int from, int to) {
    double largest = IntStream.range(from, to).mapToDouble(i -> Math.abs(numbers[i])).max().orElseThrow();
    return largest < 0x1p-126 ? 0 : Math.min(Math.getExponent(largest) + 127, 254);
  }

  @Test
  void blockFloatsOfAllBits() {
    double[] numbers = numbers(256);
    for (int bits = 2; bits <= 8; bits++) {
      String sizes = ", " + bits + ", 32";
      List<Array> stored = call("block_floats", "(u8[8], u8[32, " + bits + "])", "encode_block_float", List.of(floats(numbers)), sizes);
      Array decoded = call("block_floats", "f32[256]", "decode_block_float", stored, sizes).getFirst();
      int largest = (1 << bits - 1) - 1;
      for (int i = 0; i < 256; i++) {
        int shared = exponent(numbers, i / 32 * 32, i / 32 * 32 + 32);
        assertEquals(shared, stored.getFirst().integers()[i / 32], "exponent " + i / 32);
        double unit = Math.scalb(1.0, shared - 127 - (bits - 2));
        assertEquals(Math.clamp(Math.rint(numbers[i] / unit), -largest, largest) * unit, decoded.numbers()[i], 0, bits + " bits, element " + i);
      }
    }
  }

  /// Every mantissa with every exponent, also where numbers are below the least normal one.
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 6, 7, 8})
  void everyCodeOfBlockFloats(int bits) {
    int width = Math.max(8, 1 << bits);
    Array exponents = bytes(counted(256, 1), 256, 1);
    double[] decoded = decoded("block_floats", "block_float", ", " + bits + ", " + width, new int[] {256, width}, exponents, packed(counted(width, 256), bits, 256));
    IntToDoubleFunction expected = i -> i / width == 255 ? Double.NaN : Math.scalb((double) (i % width % (1 << bits) - (1 << bits - 1)), i / width - 125 - bits);
    requireNumbers(expected, decoded, bits + " bits");
  }

  @Test
  void oddBlocks() {
    double[] numbers = new double[128];
    numbers[32] = Double.POSITIVE_INFINITY;
    numbers[33] = -1e38f;
    numbers[64] = Double.NaN;
    numbers[96] = -0.0;
    numbers[97] = Math.scalb(1.0, -140);
    List<Array> stored = call("block_floats", "(u8[4], u8[16, 8])", "encode_block_float", List.of(floats(numbers)), ", 8, 32");
    assertArrayEquals(new long[] {0, 254, 255, 0}, stored.getFirst().integers());
    double[] decoded = call("block_floats", "f32[128]", "decode_block_float", stored, ", 8, 32").getFirst().numbers();
    assertEquals(Math.scalb(127.0, 121), decoded[32]);
    assertTrue(Double.isNaN(decoded[64]) && Double.isNaN(decoded[95]));
    assertEquals(0, decoded[96] + decoded[97]);
    assertEquals(0, decoded[0]);
  }

  @Test
  void fixedPoint() {
    double[] numbers = {0, -0.0, 1, 0.03125, 0.046875, -0.046875, 127.99, 128, -128, -129, 1e30, Double.NEGATIVE_INFINITY, Double.NaN};
    Array stored = call("block_floats", "i16[13]", "encode_fixed", List.of(floats(numbers)), ", 12, 4").getFirst();
    assertArrayEquals(new long[] {0, 0, 16, 0, 1, -1, 2047, 2047, -2048, -2048, 2047, -2048, 0}, stored.integers());
  }

  private static Array everyShort(int... shape) {
    return Array.of(ElementType.I16, IntStream.range(0, 65536).mapToLong(i -> (short) i).toArray(), shape);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 9, 15, 30})
  void everyCodeOfFixedPoint(int fraction) {
    double[] decoded = decoded("block_floats", "fixed", ", 16, " + fraction, new int[] {65536}, everyShort(65536));
    requireNumbers(i -> Math.scalb((double) (short) i, -fraction), decoded, "fraction of " + fraction + " bits");
  }

  /// Every code with the least, the largest and usual exponents, and every exponent with some codes.
  @Test
  void everyCodeOfDynamicFixedPoint() {
    for (int exponent : new int[] {0, 1, 13, 14, 15, 127, 128, 254, 255}) {
      double[] decoded = decoded("block_floats", "dynamic_fixed", "", new int[] {1, 65536}, bytes(new int[] {exponent}, 1), everyShort(1, 65536));
      requireNumbers(i -> dynamic(exponent, (short) i), decoded, "exponent " + exponent);
    }
    short[] codes = {Short.MIN_VALUE, -32767, -4097, -1, 0, 1, 12345, Short.MAX_VALUE};
    Array some = Array.of(ElementType.I16, IntStream.range(0, 2048).mapToLong(i -> codes[i % 8]).toArray(), 256, 8);
    requireNumbers(i -> dynamic(i / 8, codes[i % 8]), decoded("block_floats", "dynamic_fixed", "", new int[] {256, 8}, bytes(counted(256, 1), 256), some), "codes");
  }

  private static double dynamic(int exponent, short code) {
    return exponent == 255 ? Double.NaN : Math.scalb((double) code, exponent - 141);
  }

  @Test
  void dynamicFixedPoint() {
    double[] numbers = numbers(256);
    Array rows = Array.of(ElementType.F32, numbers, 4, 64);
    List<Array> stored = call("block_floats", "(u8[4], i16[4, 64])", "encode_dynamic_fixed", List.of(rows), "");
    double[] decoded = call("block_floats", "f32[4, 64]", "decode_dynamic_fixed", stored, "").getFirst().numbers();
    for (int i = 0; i < 256; i++) {
      double unit = Math.scalb(1.0, exponent(numbers, i / 64 * 64, i / 64 * 64 + 64) - 141);
      double code = Math.clamp(Math.rint(numbers[i] / unit), -32767, 32767);
      assertEquals((long) code, stored.get(1).integers()[i]);
      assertEquals(code * unit, decoded[i], 0, "element " + i);
    }
  }
}
