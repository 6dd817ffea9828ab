package dev.einfall.tests.programs;

import static dev.einfall.tests.programs.FormatCall.call;
import static dev.einfall.tests.programs.FormatCall.codes;
import static dev.einfall.tests.programs.FormatCall.floats;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.reference.Array;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Floats of 4, 6 and 8 bits by themselves.
class SmallFloatsTest {
  private static double value(int code, int exponentBits, int mantissaBits, int bias) {
    int power = code >> mantissaBits & (1 << exponentBits) - 1;
    int fraction = code & (1 << mantissaBits) - 1;
    double size = power == 0 ? Math.scalb(fraction, 1 - bias - mantissaBits) : Math.scalb(fraction + (1 << mantissaBits), power - bias - mantissaBits);
    return (code >> exponentBits + mantissaBits & 1) == 1 ? -size : size;
  }

  @Test
  void everyCodeOfFp4() {
    double[] numbers = IntStream.range(0, 16).mapToDouble(code -> value(code, 2, 1, 1)).toArray();
    Array stored = call("minifloats", "u8[8]", "encode_fp4_e2m1", List.of(floats(numbers)), "").getFirst();
    assertArrayEquals(IntStream.range(0, 8).mapToLong(i -> 2 * i | (2 * i + 1) << 4).toArray(), stored.integers());
    assertArrayEquals(numbers, call("minifloats", "f32[16]", "decode_fp4_e2m1", List.of(stored), "").getFirst().numbers());
  }

  @Test
  void everyCodeOfFp6() {
    sixBits("fp6_e2m3", 2, 3, 1);
    sixBits("fp6_e3m2", 3, 2, 3);
  }

  private static void sixBits(String format, int exponent, int mantissa, int bias) {
    double[] numbers = IntStream.range(0, 64).mapToDouble(code -> value(code, exponent, mantissa, bias)).toArray();
    Array stored = call("minifloats", "u8[8, 6]", "encode_" + format, List.of(floats(numbers)), "").getFirst();
    assertArrayEquals(IntStream.range(0, 64).asLongStream().toArray(), call("packing", "i32[64]", "unpack", List.of(stored), ", 6").getFirst().integers());
    assertArrayEquals(numbers, call("minifloats", "f32[64]", "decode_" + format, List.of(stored), "").getFirst().numbers());
    Array odd = floats(Double.POSITIVE_INFINITY, -1e9, Double.NaN, -0.0, (numbers[1] + numbers[2]) / 2, numbers[1] / 2, 0, 0);
    Array codes = call("minifloats", "u8[1, 6]", "encode_" + format, List.of(odd), "").getFirst();
    assertArrayEquals(new long[] {31, 63, 0, 32, 2, 0, 0, 0}, call("packing", "i32[8]", "unpack", List.of(codes), ", 6").getFirst().integers());
  }

  @Test
  void everyCodeOfUe5m3() {
    double[] decoded = call("minifloats", "f32[256]", "decode_ue5m3", List.of(codes()), "").getFirst().numbers();
    for (int code = 0; code < 255; code++) {
      assertEquals(value(code, 5, 3, 15), decoded[code], "code " + code);
    }
    assertTrue(Double.isNaN(decoded[255]));
    assertArrayEquals(codes().integers(), call("minifloats", "u8[256]", "encode_ue5m3", List.of(floats(decoded)), "").getFirst().integers());
    Array odd = floats(Double.POSITIVE_INFINITY, 1e9, -1, Double.NEGATIVE_INFINITY, -0.0);
    assertArrayEquals(new long[] {254, 254, 0, 0, 0}, call("minifloats", "u8[5]", "encode_ue5m3", List.of(odd), "").getFirst().integers());
  }

  @Test
  void blocksWithScalesOfUe5m3() {
    SplittableRandom random = new SplittableRandom(6);
    double[] numbers = IntStream.range(0, 96).mapToDouble(i -> i / 16 == 3 ? 0 : (float) Math.scalb(random.nextGaussian(), i / 16 * 5 - 12)).toArray();
    numbers[64] = Double.POSITIVE_INFINITY;
    numbers[80] = Double.NaN;
    List<Array> stored = call("microscaling", "(u8[6], u8[48])", "encode_fp4_ue5m3", List.of(floats(numbers)), "");
    double[] decoded = call("microscaling", "f32[96]", "decode_fp4_ue5m3", stored, "").getFirst().numbers();
    for (int i = 0; i < 64; i++) {
      double scale = value((int) stored.getFirst().integers()[i / 16], 5, 3, 15);
      double nearest = 0;
      for (int code = 1; code < 8 && scale > 0; code++) {
        nearest = Math.abs(Math.abs(numbers[i]) - value(code, 2, 1, 1) * scale) < Math.abs(Math.abs(numbers[i]) - nearest) ? value(code, 2, 1, 1) * scale : nearest;
      }
      assertEquals(nearest, Math.abs(decoded[i]), nearest * 1e-6, "element " + i);
    }
    assertEquals(254, stored.getFirst().integers()[4]);
    assertEquals(6 * 114688, decoded[64]);
    assertTrue(Double.isNaN(decoded[80]) && Double.isNaN(decoded[95]));
  }
}
