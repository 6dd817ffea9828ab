package dev.einfall.tests.programs;

import static dev.einfall.tests.programs.FormatCall.bytes;
import static dev.einfall.tests.programs.FormatCall.call;
import static dev.einfall.tests.programs.FormatCall.floats;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.ElementType;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Numbers with shared exponents, fixed point, and nested integers, against their definitions in doubles.
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
  @Test
  void everyCodeOfBlockFloats() {
    int[] exponents = IntStream.range(0, 256).toArray();
    int[] mantissas = IntStream.range(0, 256 * 256).map(i -> i & 255).toArray();
    List<Array> stored = List.of(bytes(exponents, 256), bytes(mantissas, 8192, 8));
    double[] decoded = call("block_floats", "f32[65536]", "decode_block_float", stored, ", 8, 256").getFirst().numbers();
    for (int i = 0; i < 65536; i++) {
      double expected = i / 256 == 255 ? Double.NaN : (float) Math.scalb((i & 255) - 128.0, i / 256 - 133);
      assertEquals(expected, decoded[i], 0, "exponent " + i / 256 + ", mantissa " + (i & 255));
    }
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
    Array all = Array.of(ElementType.I16, IntStream.range(0, 65536).mapToLong(i -> i - 32768).toArray(), 65536);
    double[] decoded = call("block_floats", "f32[65536]", "decode_fixed", List.of(all), ", 16, 9").getFirst().numbers();
    for (int i = 0; i < 65536; i++) {
      assertEquals((i - 32768) / 512.0, decoded[i]);
    }
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

  /// The upper halves alone are off by no more than half of their step, and both by no more than half of theirs.
  @Test
  void nestedIntegers() {
    double[] numbers = numbers(256);
    List<Array> stored = call("nested", "(f32[8], u8[128], u8[128])", "encode_nested8", List.of(floats(numbers)), ", 32");
    double[] eight = call("nested", "f32[256]", "decode_nested8", stored, ", 32").getFirst().numbers();
    double[] four = call("nested", "f32[256]", "decode_nested4", stored.subList(0, 2), ", 32").getFirst().numbers();
    List<Array> upper = call("nested", "(f32[8], u8[128])", "encode_nested4", List.of(floats(numbers)), ", 32");
    assertArrayEquals(stored.get(1).integers(), upper.get(1).integers());
    for (int i = 0; i < 256; i++) {
      float scale = (float) stored.getFirst().numbers()[i / 32];
      long code = Math.clamp((long) Math.rint((float) numbers[i] / scale), -119, 119);
      assertEquals(code * scale, (float) eight[i], "element " + i);
      assertEquals(Math.floorDiv(code + 8, 16) * 16 * scale, (float) four[i], "element " + i);
    }
  }

  /// Each pair of halves, as it is read.
  @Test
  void everyCodeOfNestedIntegers() {
    int[] upper = IntStream.range(0, 256).map(i -> i / 16 | i / 16 << 4).toArray();
    int[] lower = IntStream.range(0, 256).map(i -> i % 16 | i % 16 << 4).toArray();
    List<Array> stored = List.of(Array.of(ElementType.F32, new double[] {1}, 1), bytes(upper, 256), bytes(lower, 256));
    double[] decoded = call("nested", "f32[512]", "decode_nested8", stored, ", 512").getFirst().numbers();
    for (int i = 0; i < 512; i++) {
      assertEquals((i / 2 / 16 - 8) * 16 + i / 2 % 16 - 8, decoded[i]);
    }
  }
}
