package dev.einfall.tests.programs;

import static dev.einfall.tests.programs.FormatCall.bytes;
import static dev.einfall.tests.programs.FormatCall.call;
import static dev.einfall.tests.programs.FormatCall.decoded;
import static dev.einfall.tests.programs.FormatCall.floats;
import static dev.einfall.tests.programs.FormatCall.requireNumbers;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.ElementType;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// The blocks of llama.cpp whose scales are tensors of their own: every scale of 16 bits, every code, and what numbers become.
class GgmlFormatsTest {
  /// Among their scales are infinities and what is no number.
  private static final int HALVES = 65536;

  private static Array halves() {
    return Array.of(ElementType.F16, IntStream.range(0, HALVES).mapToDouble(code -> Float.float16ToFloat((short) code)).toArray(), HALVES);
  }

  /// Block i has the bytes from 16 i on, so that each one is met in both halves by many scales.
  @Test
  void everyScaleOfQ4() {
    int[] codes = IntStream.range(0, 16 * HALVES).map(i -> i & 255).toArray();
    double[] numbers = decoded("ggml", "q4_0", "", new int[] {32 * HALVES}, halves(), bytes(codes, HALVES, 16));
    requireNumbers(i -> ((codes[i / 32 * 16 + i % 16] >> i % 32 / 16 * 4 & 15) - 8) * Float.float16ToFloat((short) (i / 32)), numbers, "q4_0");
  }

  @Test
  void everyScaleOfQ8() {
    Array codes = Array.of(ElementType.I8, IntStream.range(0, 32 * HALVES).mapToLong(i -> (byte) i).toArray(), HALVES, 32);
    double[] numbers = decoded("ggml", "q8_0", "", new int[] {32 * HALVES}, halves(), codes);
    requireNumbers(i -> (byte) i * Float.float16ToFloat((short) (i / 32)), numbers, "q8_0");
  }

  /// llama.cpp's `quantize_row_q4_0_ref`.
  @Test
  void blocksOfQ4() {
    double[] numbers = numbers();
    List<Array> stored = call("ggml", "(f16[4], u8[4, 16])", "encode_q4_0", List.of(floats(numbers)), "");
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

  /// Blocks whose largest number has the code that encoding gives it are on their own grid.
  @Test
  void whatWasDecodedIsEncodedAsTheSame() {
    SplittableRandom random = new SplittableRandom(2);
    int blocks = 512;
    Array scale = Array.of(ElementType.F16, IntStream.range(0, blocks).mapToDouble(i -> i == 0 ? 0x1p-24 : Float.float16ToFloat((short) (random.nextInt(1, 0x7c00)))).toArray(), blocks);
    int[] fours = random.ints(16L * blocks, 0, 256).toArray();
    long[] eights = random.longs(32L * blocks, -127, 128).toArray();
    for (int block = 0; block < blocks; block++) {
      fours[block * 16 + block % 16] &= block % 2 == 0 ? 0x0F : 0xF0;
      eights[block * 32 + block % 32] = block % 2 == 0 ? 127 : -127;
    }
    requireSame("q4_0", "u8[" + blocks + ", 16]", scale, bytes(fours, blocks, 16));
    requireSame("q8_0", "i8[" + blocks + ", 32]", scale, Array.of(ElementType.I8, eights, blocks, 32));
  }

  private static void requireSame(String format, String code, Array scale, Array codes) {
    int blocks = scale.shape()[0];
    double[] numbers = decoded("ggml", format, "", new int[] {32 * blocks}, scale, codes);
    List<Array> again = call("ggml", "(f16[" + blocks + "], " + code + ")", "encode_" + format, List.of(floats(numbers)), "");
    assertArrayEquals(scale.numbers(), again.getFirst().numbers(), format);
    assertArrayEquals(codes.integers(), again.get(1).integers(), format);
  }
}
