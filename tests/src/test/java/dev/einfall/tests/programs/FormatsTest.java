package dev.einfall.tests.programs;

import static dev.einfall.tests.programs.FormatCall.call;
import static dev.einfall.tests.programs.FormatCall.codes;
import static dev.einfall.tests.programs.FormatCall.floats;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.ElementType;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// The formats of the library against their published definitions: every code, and what numbers are rounded to.
class FormatsTest {
  /// The numbers of E2M1, by their codes without the sign.
  private static final double[] E2M1 = {0, 0.5, 1, 1.5, 2, 3, 4, 6};

  @Test
  void everyCodeOfFp8E4m3() {
    Array decoded = call("minifloats", "f32[256]", "decode_fp8_e4m3", List.of(codes()), "").getFirst();
    for (int code = 0; code < 256; code++) {
      assertEquals(e4m3(code), decoded.numbers()[code], "code " + code);
    }
    roundTrip("fp8_e4m3", decoded);
  }

  private static double e4m3(int code) {
    int exponent = code >> 3 & 15;
    int mantissa = code & 7;
    double size = exponent == 0 ? mantissa * 0x1p-9 : (8 + mantissa) * Math.scalb(1.0, exponent - 10);
    return (code & 127) == 127 ? Double.NaN : code < 128 ? size : -size;
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

  private static long nearest(double number, int last) {
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

  @Test
  void blocksOfMxfp4() {
    double[] numbers = new double[4 * 32];
    IntStream.range(0, 32).forEach(i -> {
      numbers[i] = (i % 2 == 0 ? 1 : -1) * E2M1[i / 2 % 8];
      numbers[32 + i] = numbers[i] * 0x1p-20;
      numbers[96 + i] = Math.scalb(1.0, -140);
    });
    List<Array> stored = call("microscaling", "(u8[4], u8[64])", "encode_mxfp4", List.of(floats(numbers)), "");
    assertArrayEquals(new long[] {127, 107, 0, 0}, stored.getFirst().integers());
    Array decoded = call("microscaling", "f32[128]", "decode_mxfp4", stored, "").getFirst();
    for (int i = 0; i < 96; i++) {
      assertEquals(numbers[i], decoded.numbers()[i] + 0.0, 0, "element " + i);
    }
  }

  /// llama.cpp's `quantize_row_q4_0_ref`.
  @Test
  void blocksOfQ4() {
    double[] numbers = numbers();
    List<Array> stored = call("ggml", "(f16[4], u8[4, 16])", "encode_q4_0", List.of(floats(numbers)), "");
    Array decoded = call("ggml", "f32[128]", "decode_q4_0", stored, "").getFirst();
    for (int block = 0; block < 4; block++) {
      float max = 0;
      for (int i = 0; i < 32; i++) {
        float x = (float) numbers[block * 32 + i];
        max = Math.abs(x) > Math.abs(max) ? x : max;
      }
      float d = max / -8;
      float scale = d == 0 ? 0 : 1 / d;
      double stored16 = Float.float16ToFloat(Float.floatToFloat16(d));
      assertEquals(stored16, stored.getFirst().numbers()[block]);
      for (int i = 0; i < 16; i++) {
        int low = Math.min(15, (int) ((float) numbers[block * 32 + i] * scale + 8.5f));
        int high = Math.min(15, (int) ((float) numbers[block * 32 + 16 + i] * scale + 8.5f));
        assertEquals(low | high << 4, stored.get(1).integers()[block * 16 + i], "byte " + i + " of block " + block);
        assertEquals((float) ((low - 8) * stored16), decoded.numbers()[block * 32 + i]);
        assertEquals((float) ((high - 8) * stored16), decoded.numbers()[block * 32 + 16 + i]);
      }
    }
  }

  /// llama.cpp's `quantize_row_q8_0_ref`, whose `roundf` goes away from 0.
  @Test
  void blocksOfQ8() {
    double[] numbers = numbers();
    List<Array> stored = call("ggml", "(f16[4], i8[4, 32])", "encode_q8_0", List.of(floats(numbers)), "");
    for (int block = 0; block < 4; block++) {
      float max = 0;
      for (int i = 0; i < 32; i++) {
        max = Math.max(max, Math.abs((float) numbers[block * 32 + i]));
      }
      float d = max / 127;
      float scale = d == 0 ? 0 : 1 / d;
      for (int i = 0; i < 32; i++) {
        float x = (float) numbers[block * 32 + i] * scale;
        assertEquals((long) (Math.signum(x) * Math.floor(Math.abs(x) + 0.5f)), stored.get(1).integers()[block * 32 + i]);
      }
    }
  }

  /// Some blocks of random numbers, and one of zeros.
  private static double[] numbers() {
    SplittableRandom random = new SplittableRandom(9);
    return IntStream.range(0, 128).mapToDouble(i -> i / 32 == 2 ? 0 : (float) random.nextGaussian()).toArray();
  }

  @Test
  void groupsOfIntegers() {
    double[] numbers = numbers();
    groups("int8", "i8[128]", 127, numbers);
    groups("int4", "u8[64]", 7, numbers);
  }

  /// Numbers that the scales given cannot say become the nearest that they can: here twice as large ones their largest.
  @Test
  void codesForScalesThatAreGiven() {
    double[] numbers = numbers();
    Array twice = floats(Arrays.stream(numbers).map(number -> 2 * number).toArray());
    saturates("integers", "int8", "i8[128]", numbers, twice, ", 16", "f32[8]");
    saturates("integers", "int4", "u8[64]", numbers, twice, ", 16", "f32[8]");
    saturates("integers", "symmetric", "u8[16, 3]", numbers, twice, ", 3, 16", "f32[8]");
    saturates("integers", "ternary", "u8[16, 2]", numbers, twice, ", 16", "f32[8]");
    saturates("codebooks", "nf4", "u8[64]", numbers, twice, ", 16", "f32[8]");
    saturates("microscaling", "mxfp4", "u8[64]", numbers, twice, "", "u8[4]");
  }

  private static void saturates(String file, String format, String code, double[] numbers, Array twice, String sizes, String scale) {
    List<Array> stored = call(file, "(" + scale + ", " + code + ")", "encode_" + format, List.of(floats(numbers)), sizes);
    Array codes = call(file, code, "code_" + format, List.of(twice, stored.getFirst()), sizes).getFirst();
    Array decoded = call(file, "f32[128]", "decode_" + format, stored, sizes).getFirst();
    Array doubled = call(file, "f32[128]", "decode_" + format, List.of(stored.getFirst(), codes), sizes).getFirst();
    double most = Arrays.stream(decoded.numbers()).map(Math::abs).max().orElseThrow();
    for (int i = 0; i < 128; i++) {
      double size = Math.abs(doubled.numbers()[i]);
      assertTrue(size >= Math.abs(decoded.numbers()[i]) && size <= 2 * most, format + " " + i);
    }
  }

  /// No number is off by more than half a step of its group, and what was decoded is encoded as it was.
  private static void groups(String format, String code, int largest, double[] numbers) {
    String results = "(f32[8], " + code + ")";
    List<Array> stored = call("integers", results, "encode_" + format, List.of(floats(numbers)), ", 16");
    Array decoded = call("integers", "f32[128]", "decode_" + format, stored, ", 16").getFirst();
    for (int group = 0; group < 8; group++) {
      int first = group * 16;
      double most = IntStream.range(first, first + 16).mapToDouble(i -> Math.abs(numbers[i])).max().orElseThrow();
      DoubleUnaryOperator error = i -> Math.abs(numbers[(int) i] - decoded.numbers()[(int) i]);
      for (int i = first; i < first + 16; i++) {
        assertEquals(0, Math.max(0, error.applyAsDouble(i) - most / largest * 0.5001), format + " " + i);
      }
    }
    List<Array> again = call("integers", results, "encode_" + format, List.of(decoded), ", 16");
    assertArrayEquals(stored.get(1).integers(), again.get(1).integers());
  }

  /// Every code of E2M3 and E3M2, in blocks whose scale is 1, since each has the largest number.
  @Test
  void everyCodeOfMxfp6() {
    sixBits("mxfp6_e2m3", 3, 1);
    sixBits("mxfp6_e3m2", 2, 3);
  }

  private static void sixBits(String format, int mantissa, int bias) {
    double[] numbers = new double[64];
    for (int code = 0; code < 64; code++) {
      int power = (code & 31) >> mantissa;
      int fraction = code & (1 << mantissa) - 1;
      double size = power == 0 ? Math.scalb(fraction, 1 - bias - mantissa) : Math.scalb(fraction + (1 << mantissa), power - bias - mantissa);
      numbers[code] = code < 32 ? size : -size;
    }
    List<Array> stored = call("microscaling", "(u8[2], u8[8, 6])", "encode_" + format, List.of(floats(numbers)), "");
    assertArrayEquals(new long[] {127, 127}, stored.getFirst().integers());
    assertArrayEquals(packed(IntStream.range(0, 64).toArray(), 6), stored.get(1).integers());
    assertArrayEquals(numbers, call("microscaling", "f32[64]", "decode_" + format, stored, "").getFirst().numbers());
  }

  /// The bits of `codes` one after the other, the lowest first.
  private static long[] packed(int[] codes, int bits) {
    long[] bytes = new long[codes.length * bits / 8];
    for (int i = 0; i < codes.length * bits; i++) {
      bytes[i / 8] |= (long) (codes[i / bits] >> i % bits & 1) << i % 8;
    }
    return bytes;
  }

  @Test
  void packsAnyCountOfBits() {
    SplittableRandom random = new SplittableRandom(4);
    for (int bits = 1; bits <= 8; bits++) {
      int most = 1 << bits;
      int[] codes = random.ints(48, 0, most).toArray();
      Array given = Array.of(ElementType.I32, IntStream.of(codes).asLongStream().toArray(), 48);
      Array bytes = call("packing", "u8[6, " + bits + "]", "pack", List.of(given), ", " + bits).getFirst();
      assertArrayEquals(packed(codes, bits), bytes.integers(), bits + " bits");
      assertArrayEquals(given.integers(), call("packing", "i32[48]", "unpack", List.of(bytes), ", " + bits).getFirst().integers(), bits + " bits");
    }
  }

  /// No number is off by more than half a step.
  @Test
  void symmetricAndAsymmetricIntegers() {
    double[] numbers = numbers();
    for (int bits = 2; bits <= 8; bits++) {
      String sizes = ", " + bits + ", 32";
      List<Array> stored = call("integers", "(f32[4], u8[16, " + bits + "])", "encode_symmetric", List.of(floats(numbers)), sizes);
      requireHalfSteps(numbers, call("integers", "f32[128]", "decode_symmetric", stored, sizes).getFirst(), stored.getFirst(), 0.5001);
    }
    for (int bits = 1; bits <= 8; bits++) {
      String sizes = ", " + bits + ", 32";
      List<Array> stored = call("integers", "(f32[4], u8[4], u8[16, " + bits + "])", "encode_asymmetric", List.of(floats(numbers)), sizes);
      // The integer of 0 is rounded too, so that numbers at an end may be a step away from what there is.
      requireHalfSteps(numbers, call("integers", "f32[128]", "decode_asymmetric", stored, sizes).getFirst(), stored.getFirst(), 1.0001);
    }
  }

  private static void requireHalfSteps(double[] numbers, Array decoded, Array scale, double steps) {
    for (int i = 0; i < numbers.length; i++) {
      double most = scale.numbers()[i / 32] * steps;
      assertEquals(0, Math.max(0, Math.abs(numbers[i] - decoded.numbers()[i]) - most), "element " + i);
    }
  }

  @Test
  void signsAndTernaryNumbers() {
    double[] numbers = numbers();
    List<Array> signs = call("integers", "(f32[4], u8[16, 1])", "encode_binary", List.of(floats(numbers)), ", 32");
    List<Array> ternary = call("integers", "(f32[4], u8[16, 2])", "encode_ternary", List.of(floats(numbers)), ", 32");
    Array plusMinus = call("integers", "f32[128]", "decode_binary", signs, ", 32").getFirst();
    Array threes = call("integers", "f32[128]", "decode_ternary", ternary, ", 32").getFirst();
    for (int i = 0; i < 128; i++) {
      double mean = IntStream.range(i / 32 * 32, i / 32 * 32 + 32).mapToDouble(j -> Math.abs(numbers[j])).sum() / 32;
      double scale = signs.getFirst().numbers()[i / 32];
      assertEquals(mean, scale, 1e-6);
      assertEquals(numbers[i] >= 0 ? scale : -scale, plusMinus.numbers()[i]);
      double expected = Math.abs(numbers[i]) > scale / 2 ? Math.signum(numbers[i]) * scale : 0;
      assertEquals(expected + 0.0, threes.numbers()[i] + 0.0, "element " + i);
    }
  }

  /// The table is that of bitsandbytes, in the order of its codes; numbers between two of it become the nearer one.
  @Test
  void everyCodeOfNf4() {
    double[] table = {-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
        -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224, 0.44070982933044434,
        0.5626170039176941, 0.7229568362236023, 1.0};
    double[] numbers = IntStream.range(0, 64).mapToDouble(i -> (float) (3 * ((float) table[i % 16] + (i / 16 - 1) * (i % 16 % 15 == 0 ? 0 : 0.015)))).toArray();
    List<Array> stored = call("codebooks", "(f32[1], u8[32])", "encode_nf4", List.of(floats(numbers)), ", 64");
    assertEquals(3, stored.getFirst().numbers()[0]);
    Array decoded = call("codebooks", "f32[64]", "decode_nf4", stored, ", 64").getFirst();
    for (int i = 0; i < 64; i++) {
      assertEquals((float) table[i % 16] * 3f, decoded.numbers()[i], 1e-6, "element " + i);
    }
  }

  @Test
  void blocksOfMxint8() {
    double[] numbers = IntStream.range(0, 256).mapToDouble(i -> (i % 32 == 0 ? 64 : i - 128) / 64.0).toArray();
    List<Array> stored = call("microscaling", "(u8[8], i8[256])", "encode_mxint8", List.of(floats(numbers)), "");
    Array decoded = call("microscaling", "f32[256]", "decode_mxint8", stored, "").getFirst();
    for (int i = 0; i < 256; i++) {
      assertEquals(numbers[i], decoded.numbers()[i], stored.getFirst().integers()[i / 32] == 127 ? 0 : 1 / 64.0, "element " + i);
    }
  }

  @Test
  void blocksOfMxfp8() {
    double[] numbers = IntStream.range(0, 126).mapToDouble(FormatsTest::e4m3).toArray();
    double[] blocks = Arrays.copyOf(numbers, 128);
    for (int block = 0; block < 4; block++) {
      blocks[block * 32 + 31] = 448;
    }
    List<Array> stored = call("microscaling", "(u8[4], u8[128])", "encode_mxfp8_e4m3", List.of(floats(blocks)), "");
    assertArrayEquals(new long[] {127, 127, 127, 127}, stored.getFirst().integers());
    assertArrayEquals(blocks, call("microscaling", "f32[128]", "decode_mxfp8_e4m3", stored, "").getFirst().numbers());
    List<Array> other = call("microscaling", "(u8[4], u8[128])", "encode_mxfp8_e5m2", List.of(floats(numbers())), "");
    Array decoded = call("microscaling", "f32[128]", "decode_mxfp8_e5m2", other, "").getFirst();
    for (int i = 0; i < 128; i++) {
      assertEquals(numbers()[i], decoded.numbers()[i], Math.abs(numbers()[i]) / 8 + 1e-4, "element " + i);
    }
  }

  @Test
  void blocksOfNvfp4() {
    double[] numbers = numbers();
    List<Array> stored = call("microscaling", "(f32[], u8[8], u8[64])", "encode_nvfp4", List.of(floats(numbers)), "");
    Array decoded = call("microscaling", "f32[128]", "decode_nvfp4", stored, "").getFirst();
    float[] most = new float[8];
    for (int i = 0; i < 128; i++) {
      most[i / 16] = Math.max(most[i / 16], (float) Math.abs(numbers[i]) / 6);
    }
    float rows = 0;
    for (float block : most) {
      rows = Math.max(rows, block);
    }
    rows /= 448;
    assertEquals(rows, stored.getFirst().numbers()[0]);
    for (int i = 0; i < 128; i++) {
      long code = nearest(most[i / 16] / rows, 126);
      assertEquals(code, stored.get(1).integers()[i / 16], "the scale of block " + i / 16);
      double scale = e4m3((int) code) * rows;
      double y = scale > 0 ? numbers[i] / scale : 0;
      double nearest = 0;
      for (double value : E2M1) {
        nearest = Math.abs(Math.abs(y) - value) < Math.abs(Math.abs(y) - nearest) ? value : nearest;
      }
      assertEquals(Math.signum(y) * nearest * scale, decoded.numbers()[i], 1e-6, "element " + i);
    }
  }
}
