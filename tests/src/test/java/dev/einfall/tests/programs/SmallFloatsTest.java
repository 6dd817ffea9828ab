package dev.einfall.tests.programs;

import static dev.einfall.tests.programs.FormatCall.call;
import static dev.einfall.tests.programs.FormatCall.codes;
import static dev.einfall.tests.programs.FormatCall.counted;
import static dev.einfall.tests.programs.FormatCall.decoded;
import static dev.einfall.tests.programs.FormatCall.floats;
import static dev.einfall.tests.programs.FormatCall.packed;
import static dev.einfall.tests.programs.FormatCall.requireNumbers;
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
  /// What a code stands for; none is special.
  static double value(int code, int exponentBits, int mantissaBits, int bias) {
    int power = code >> mantissaBits & (1 << exponentBits) - 1;
    int fraction = code & (1 << mantissaBits) - 1;
    double size = power == 0 ? Math.scalb(fraction, 1 - bias - mantissaBits) : Math.scalb(fraction + (1 << mantissaBits), power - bias - mantissaBits);
    return (code >> exponentBits + mantissaBits & 1) == 1 ? -size : size;
  }

  @Test
  void everyCodeOfFp8E4m3() {
    Array decoded = call("minifloats", "f32[256]", "decode_fp8_e4m3", List.of(codes()), "").getFirst();
    for (int code = 0; code < 256; code++) {
      assertEquals(e4m3(code), decoded.numbers()[code], "code " + code);
    }
    roundTrip("fp8_e4m3", decoded);
  }

  static double e4m3(int code) {
    return (code & 127) == 127 ? Double.NaN : value(code, 4, 3, 7);
  }

  /// E5M2 is the upper half of an `f16`.
  @Test
  void everyCodeOfFp8E5m2() {
    Array decoded = call("minifloats", "f32[256]", "decode_fp8_e5m2", List.of(codes()), "").getFirst();
    for (int code = 0; code < 256; code++) {
      assertEquals(Float.float16ToFloat((short) (code << 8)), decoded.numbers()[code], "code " + code);
    }
    roundTrip("fp8_e5m2", decoded);
  }

  /// All codes but those of NaN come back.
  private static void roundTrip(String format, Array decoded) {
    Array encoded = call("minifloats", "u8[256]", "encode_" + format, List.of(decoded), "").getFirst();
    for (int code = 0; code < 256; code++) {
      if (!Double.isNaN(decoded.numbers()[code])) {
        assertEquals(code, encoded.integers()[code], format + " of " + decoded.numbers()[code]);
      }
    }
  }

  @Test
  void numbersAreRoundedToTheNearestOfEvenCode() {
    SplittableRandom random = new SplittableRandom(5);
    double[] numbers = new double[2000];
    for (int i = 0; i < numbers.length; i++) {
      int code = random.nextInt(126);
      numbers[i] = (float) switch (i % 3) {
        case 0 -> random.nextGaussian() * 100;
        case 1 -> (e4m3(code) + e4m3(code + 1)) / 2;
        default -> Math.scalb(random.nextDouble(-1, 1), random.nextInt(-12, 12));
      };
    }
    Array encoded = call("minifloats", "u8[2000]", "encode_fp8_e4m3", List.of(floats(numbers)), "").getFirst();
    for (int i = 0; i < numbers.length; i++) {
      assertEquals(nearest(numbers[i], 126), encoded.integers()[i], "code of " + numbers[i]);
    }
  }

  static long nearest(double number, int last) {
    int best = 0;
    for (int code = 1; code <= last; code++) {
      double closer = Math.abs(Math.abs(number) - e4m3(best)) - Math.abs(Math.abs(number) - e4m3(code));
      best = closer > 0 || closer == 0 && code % 2 == 0 ? code : best;
    }
    return best + (number < 0 ? 128 : 0);
  }

  @Test
  void infinitiesAndNaNsOfFp8() {
    Array special = floats(Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Double.NaN, 1e9, -0.0);
    assertArrayEquals(new long[] {126, 254, 127, 126, 128}, call("minifloats", "u8[5]", "encode_fp8_e4m3", List.of(special), "").getFirst().integers());
    assertArrayEquals(new long[] {124, 252, 127, 123, 128}, call("minifloats", "u8[5]", "encode_fp8_e5m2", List.of(special), "").getFirst().integers());
  }

  /// Every byte of two.
  @Test
  void everyCodeOfFp4() {
    requireNumbers(i -> value(i / 2 >> i % 2 * 4 & 15, 2, 1, 1), decoded("minifloats", "fp4_e2m1", "", new int[] {512}, codes()), "fp4_e2m1");
    double[] numbers = IntStream.range(0, 16).mapToDouble(code -> value(code, 2, 1, 1)).toArray();
    Array stored = call("minifloats", "u8[8]", "encode_fp4_e2m1", List.of(floats(numbers)), "").getFirst();
    assertArrayEquals(IntStream.range(0, 8).mapToLong(i -> 2 * i | (2 * i + 1) << 4).toArray(), stored.integers());
  }

  @Test
  void everyCodeOfFp6() {
    sixBits("fp6_e2m3", 2, 3, 1);
    sixBits("fp6_e3m2", 3, 2, 3);
  }

  private static void sixBits(String format, int exponent, int mantissa, int bias) {
    Array codes = packed(counted(64, 1), 6, 0);
    double[] numbers = decoded("minifloats", format, "", new int[] {64}, codes);
    requireNumbers(code -> value(code, exponent, mantissa, bias), numbers, format);
    assertArrayEquals(codes.integers(), call("minifloats", "u8[8, 6]", "encode_" + format, List.of(floats(numbers)), "").getFirst().integers());
    Array odd = floats(Double.POSITIVE_INFINITY, -1e9, Double.NaN, -0.0, (numbers[1] + numbers[2]) / 2, numbers[1] / 2, 0, 0);
    Array stored = call("minifloats", "u8[1, 6]", "encode_" + format, List.of(odd), "").getFirst();
    assertArrayEquals(packed(new int[] {31, 63, 0, 32, 2, 0, 0, 0}, 6, 0).integers(), stored.integers());
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
}
