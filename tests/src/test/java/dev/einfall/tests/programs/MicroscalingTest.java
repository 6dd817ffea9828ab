package dev.einfall.tests.programs;

import static dev.einfall.tests.programs.FormatCall.SCALES;
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
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Blocks of small numbers, against OCP Microscaling Formats 1.0 and NVFP4: every code of an element with every code of a scale, from what is stored; and what numbers become.
@Execution(ExecutionMode.CONCURRENT)
class MicroscalingTest {
  /// The numbers of E2M1, by their codes without the sign.
  private static final double[] E2M1 = {0, 0.5, 1, 1.5, 2, 3, 4, 6};

  private static double e5m2(int code) {
    return Float.float16ToFloat((short) (code << 8));
  }

  /// What a format's element of a code is, in blocks whose scale is 1.
  private static double element(String format, int code) {
    return switch (format) {
      case "mxfp4" -> SmallFloatsTest.value(code, 2, 1, 1);
      case "mxfp6_e2m3" -> SmallFloatsTest.value(code, 2, 3, 1);
      case "mxfp6_e3m2" -> SmallFloatsTest.value(code, 3, 2, 3);
      case "mxfp8_e4m3" -> SmallFloatsTest.e4m3(code);
      case "mxfp8_e5m2" -> e5m2(code);
      case "mxint8" -> (byte) code / 64.0;
      default -> throw new IllegalArgumentException(format);
    };
  }

  /// The bytes of rows of all codes of as many bits.
  private static Array codes(String format, int bits, int rows) {
    return switch (format) {
      case "mxfp4" -> bytes(IntStream.range(0, 16 * rows).map(i -> i % 8 * 2 | (i % 8 * 2 + 1) << 4).toArray(), rows, 16);
      case "mxint8" -> Array.of(ElementType.I8, IntStream.range(0, 256 * rows).mapToLong(i -> (byte) i).toArray(), rows, 256);
      default -> bits == 8 ? bytes(counted(256, rows), rows, 256) : packed(counted(1 << bits, rows), bits, rows);
    };
  }

  /// A row for each scale, with all codes.
  @ParameterizedTest
  @CsvSource({"mxfp4, 4", "mxfp6_e2m3, 6", "mxfp6_e3m2, 6", "mxfp8_e4m3, 8", "mxfp8_e5m2, 8", "mxint8, 8"})
  void everyCodeWithEveryScale(String format, int bits) {
    int width = Math.max(32, 1 << bits);
    Array scale = bytes(IntStream.range(0, 256 * width / 32).map(i -> i / (width / 32)).toArray(), 256, width / 32);
    double[] numbers = decoded("microscaling", format, "", new int[] {256, width}, scale, codes(format, bits, 256));
    IntToDoubleFunction expected = i -> i / width == 255 ? Double.NaN : element(format, i % width % (1 << bits)) * Math.scalb(1.0, i / width - 127);
    requireNumbers(expected, numbers, format);
  }

  /// Numbers of blocks with the largest one, whose scale is 1, come back as their codes, but for the sign of 0 of integers and what is none.
  @ParameterizedTest
  @CsvSource({"mxfp4, 4, 6", "mxfp6_e2m3, 6, 7.5", "mxfp6_e3m2, 6, 28", "mxfp8_e4m3, 8, 448", "mxfp8_e5m2, 8, 57344", "mxint8, 8, 1.984375"})
  void whatWasDecodedIsEncodedAsTheSame(String format, int bits, double largest) {
    double[] all = IntStream.range(0, 1 << bits).mapToDouble(code -> element(format, code)).filter(number -> Math.abs(number) <= largest).toArray();
    int blocks = (all.length + 30) / 31;
    double[] numbers = new double[32 * blocks];
    for (int i = 0; i < numbers.length; i++) {
      int at = i / 32 * 31 + i % 32;
      numbers[i] = i % 32 == 31 ? largest : all[Math.min(at, all.length - 1)];
    }
    String code = bits == 4 ? "u8[" + 16 * blocks + "]" : bits == 6 ? "u8[" + 4 * blocks + ", 6]" : (format.equals("mxint8") ? "i8[" : "u8[") + 32 * blocks + "]";
    for (int power : new int[] {0, -20, 40}) {
      double[] scaled = Arrays.stream(numbers).map(number -> Math.scalb(number, power)).toArray();
      List<Array> stored = call("microscaling", "(u8[" + blocks + "], " + code + ")", "encode_" + format, List.of(floats(scaled)), "");
      assertTrue(Arrays.stream(stored.getFirst().integers()).allMatch(scale -> scale == 127 + power), () -> Arrays.toString(stored.getFirst().integers()));
      requireNumbers(i -> scaled[i], decoded("microscaling", format, "", new int[] {scaled.length}, stored.get(0), stored.get(1)), format + " times 2^" + power);
    }
  }

  /// Blocks of zeros, and those whose largest number is below all scales.
  @Test
  void blocksThatAreNearlyZero() {
    double[] numbers = new double[64];
    Arrays.fill(numbers, 32, 64, 0x1p-140);
    List<Array> stored = call("microscaling", "(u8[2], u8[32])", "encode_mxfp4", List.of(floats(numbers)), "");
    assertArrayEquals(new long[] {0, 0}, stored.getFirst().integers());
    assertArrayEquals(new double[64], decoded("microscaling", "mxfp4", "", new int[] {64}, stored.get(0), stored.get(1)));
  }

  /// Of numbers that the scales given cannot say, the nearest that they can: at their middles that of the even code, and beyond 6 this.
  @Test
  void codesForScalesThatAreGiven() {
    double[] numbers = {0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5, 6.1, 7, 1e30, -0.25, -0.26, -0.75, -5, -6, -1e30, Math.nextUp(0.25f), Math.nextDown(0.75f), 0, -0.0};
    long[] codes = {0, 2, 2, 4, 4, 6, 6, 7, 7, 7, 8, 9, 10, 14, 15, 15, 1, 1, 0, 8};
    double[] block = Arrays.stream(Arrays.copyOf(numbers, 32)).map(number -> number * 0x1p-27).toArray();
    long[] bytes = call("microscaling", "u8[16]", "code_mxfp4", List.of(floats(block), bytes(new int[] {100}, 1)), "").getFirst().integers();
    for (int i = 0; i < codes.length; i++) {
      assertEquals(codes[i], bytes[i / 2] >> i % 2 * 4 & 15, numbers[i] + " times 2^-27");
    }
  }

  /// Every code with every scale of a block, and odd scales of rows.
  @Test
  void everyCodeOfNvfp4() {
    int rows = SCALES.length;
    Array row = Array.of(ElementType.F32, IntStream.range(0, rows).mapToDouble(i -> SCALES[i]).toArray(), rows);
    Array codes = bytes(IntStream.range(0, rows * 256 * 8).map(i -> i % 8 * 2 | (i % 8 * 2 + 1) << 4).toArray(), rows, 2048);
    double[] numbers = decoded("microscaling", "nvfp4", "", new int[] {rows, 4096}, row, bytes(counted(256, rows), rows, 256), codes);
    requireNumbers(i -> (float) SmallFloatsTest.value(i % 16, 2, 1, 1) * ((float) SmallFloatsTest.e4m3(i / 16 % 256) * SCALES[i / 4096]), numbers, "nvfp4");
  }

  @Test
  void everyCodeOfFp4WithScalesOfUe5m3() {
    Array codes = bytes(IntStream.range(0, 256 * 8).map(i -> i % 8 * 2 | (i % 8 * 2 + 1) << 4).toArray(), 2048);
    double[] numbers = decoded("microscaling", "fp4_ue5m3", "", new int[] {4096}, FormatCall.codes(), codes);
    requireNumbers(i -> i / 16 == 255 ? Double.NaN : SmallFloatsTest.value(i % 16, 2, 1, 1) * SmallFloatsTest.value(i / 16, 5, 3, 15), numbers, "fp4_ue5m3");
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
      double scale = SmallFloatsTest.value((int) stored.getFirst().integers()[i / 16], 5, 3, 15);
      double nearest = 0;
      for (int code = 1; code < 8 && scale > 0; code++) {
        nearest = Math.abs(Math.abs(numbers[i]) - SmallFloatsTest.value(code, 2, 1, 1) * scale) < Math.abs(Math.abs(numbers[i]) - nearest) ? SmallFloatsTest.value(code, 2, 1, 1) * scale : nearest;
      }
      assertEquals(nearest, Math.abs(decoded[i]), nearest * 1e-6, "element " + i);
    }
    assertEquals(254, stored.getFirst().integers()[4]);
    assertEquals(6 * 114688, decoded[64]);
    assertTrue(Double.isNaN(decoded[80]) && Double.isNaN(decoded[95]));
  }

  /// Some blocks of random numbers, and one of zeros.
  private static double[] numbers() {
    SplittableRandom random = new SplittableRandom(9);
    return IntStream.range(0, 128).mapToDouble(i -> i / 32 == 2 ? 0 : (float) random.nextGaussian()).toArray();
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
      long code = SmallFloatsTest.nearest(most[i / 16] / rows, 126);
      assertEquals(code, stored.get(1).integers()[i / 16], "the scale of block " + i / 16);
      double scale = SmallFloatsTest.e4m3((int) code) * rows;
      double y = scale > 0 ? numbers[i] / scale : 0;
      double nearest = 0;
      for (double value : E2M1) {
        nearest = Math.abs(Math.abs(y) - value) < Math.abs(Math.abs(y) - nearest) ? value : nearest;
      }
      assertEquals(Math.signum(y) * nearest * scale, decoded.numbers()[i], 1e-6, "element " + i);
    }
  }
}
