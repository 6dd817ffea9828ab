package dev.einfall.tests.programs;

import static dev.einfall.tests.programs.FormatCall.bytes;
import static dev.einfall.tests.programs.FormatCall.call;
import static dev.einfall.tests.programs.FormatCall.floats;
import static dev.einfall.tests.programs.FormatCall.requireNumbers;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.reference.Array;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// The blocks of GGUF files against the definitions of ggml-common.h, written down here a second time.
class GgufFormatsTest {

  @Test
  void everyHalfFromItsBytes() {
    int[] bytes = IntStream.range(0, 1 << 17).map(i -> i % 2 == 0 ? i / 2 & 255 : i / 2 >> 8).toArray();
    Array decoded = call("gguf", "f32[65536]", "from_half_bytes", List.of(bytes(bytes, 65536, 2)), "").getFirst();
    for (int code = 0; code < 65536; code++) {
      assertEquals(Float.float16ToFloat((short) code), decoded.numbers()[code], "code " + code);
    }
  }

  @Test
  void theBytesOfHalves() {
    SplittableRandom random = new SplittableRandom(3);
    double[] numbers = IntStream.range(0, 4096).mapToDouble(i -> switch (i % 4) {
      case 0 -> Float.float16ToFloat((short) random.nextInt(65536));
      case 1 -> (float) Math.scalb(random.nextDouble(-1, 1), random.nextInt(-26, 18));
      case 2 -> (Float.float16ToFloat((short) (i * 7)) + (double) Float.float16ToFloat((short) (i * 7 + 1))) / 2;
      default -> List.of(0.0, -0.0, Double.NaN, 1e9, -1e9, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 65519.0).get(i / 4 % 8);
    }).toArray();
    Array encoded = call("gguf", "u8[4096, 2]", "to_half_bytes", List.of(floats(numbers)), "").getFirst();
    for (int i = 0; i < numbers.length; i++) {
      int code = (int) (encoded.integers()[2 * i] | encoded.integers()[2 * i + 1] << 8);
      int expected = Double.isNaN(numbers[i]) ? 32256 : Float.floatToFloat16((float) numbers[i]) & 0xFFFF;
      assertEquals(expected, code, "bits of " + numbers[i]);
    }
  }

  /// Blocks of random bytes whose numbers of 16 bits, at `halves`, are finite.
  private static int[] blocks(int count, int size, int... halves) {
    SplittableRandom random = new SplittableRandom(size);
    int[] bytes = random.ints((long) count * size, 0, 256).toArray();
    for (int block = 0; block < count; block++) {
      for (int half : halves) {
        int code = Float.floatToFloat16((float) Math.scalb(random.nextDouble(-1, 1), random.nextInt(-20, 6))) & 0xFFFF;
        bytes[block * size + half] = code & 255;
        bytes[block * size + half + 1] = code >> 8;
      }
    }
    return bytes;
  }

  private static float half(int[] bytes, int at) {
    return Float.float16ToFloat((short) (bytes[at] | bytes[at + 1] << 8));
  }

  private static double[] decode(String format, int[] bytes, int size, int elements) {
    int count = bytes.length / size;
    return call("gguf", "f32[" + count * elements + "]", "decode_" + format, List.of(bytes(bytes, count, size)), "").getFirst().numbers();
  }

  @Test
  void q4OfEveryByte() {
    int[] bytes = blocks(64, 18, 0);
    IntStream.range(0, 1024).forEach(i -> bytes[i / 16 * 18 + 2 + i % 16] = i & 255);
    double[] decoded = decode("gguf_q4_0", bytes, 18, 32);
    for (int i = 0; i < decoded.length; i++) {
      int at = i / 32 * 18;
      int code = bytes[at + 2 + i % 16];
      assertEquals(half(bytes, at) * ((i % 32 < 16 ? code & 15 : code >> 4) - 8), (float) decoded[i], "element " + i);
    }
  }

  /// Scales that are none, infinite, 0 and below the least normal one.
  @Test
  void oddScales() {
    int[] halves = {0x7E00, 0xFC00, 0x7C00, 0x8000, 0x0000, 0x0001, 0x83FF, 0x7BFF};
    int[] fours = blocks(halves.length, 18);
    int[] eights = blocks(halves.length, 34);
    for (int block = 0; block < halves.length; block++) {
      fours[block * 18] = eights[block * 34] = halves[block] & 255;
      fours[block * 18 + 1] = eights[block * 34 + 1] = halves[block] >> 8;
    }
    requireNumbers(i -> half(fours, i / 32 * 18) * ((fours[i / 32 * 18 + 2 + i % 16] >> i % 32 / 16 * 4 & 15) - 8), decode("gguf_q4_0", fours, 18, 32), "gguf_q4_0");
    requireNumbers(i -> half(eights, i / 32 * 34) * (byte) eights[i / 32 * 34 + 2 + i % 32], decode("gguf_q8_0", eights, 34, 32), "gguf_q8_0");
  }

  @Test
  void q8OfEveryByte() {
    int[] bytes = blocks(64, 34, 0);
    IntStream.range(0, 2048).forEach(i -> bytes[i / 32 * 34 + 2 + i % 32] = i & 255);
    double[] decoded = decode("gguf_q8_0", bytes, 34, 32);
    for (int i = 0; i < decoded.length; i++) {
      assertEquals(half(bytes, i / 32 * 34) * (byte) bytes[i / 32 * 34 + 2 + i % 32], (float) decoded[i], "element " + i);
    }
  }

  /// Each of the scales and offsets of 6 bits takes all of its 64 values.
  @Test
  void q4kOfEveryScaleAndOffset() {
    int[] bytes = blocks(64, 144, 0, 2);
    int[][] scales = new int[64][8];
    int[][] offsets = new int[64][8];
    for (int block = 0; block < 64; block++) {
      long[] six = new long[12];
      for (int s = 0; s < 8; s++) {
        scales[block][s] = (block + 11 * s) % 64;
        offsets[block][s] = (block * 5 + 3 * s) % 64;
        // The lower six bits of the first eight bytes are the first four of each; of the last four pairs, the lower four bits are in the last bytes, and
        // the upper two in those that the first eight leave.
        six[s < 4 ? s : s + 4] |= s < 4 ? scales[block][s] : scales[block][s] & 15;
        six[s + 4] |= s < 4 ? offsets[block][s] : (offsets[block][s] & 15) << 4;
        if (s >= 4) {
          six[s - 4] |= scales[block][s] >> 4 << 6;
          six[s] |= offsets[block][s] >> 4 << 6;
        }
      }
      for (int i = 0; i < 12; i++) {
        bytes[block * 144 + 4 + i] = (int) six[i];
      }
    }
    double[] decoded = decode("gguf_q4_k", bytes, 144, 256);
    for (int i = 0; i < decoded.length; i++) {
      int at = i / 256 * 144;
      int s = i % 256 / 32;
      int pair = bytes[at + 16 + s / 2 * 32 + i % 32];
      int code = s % 2 == 0 ? pair & 15 : pair >> 4;
      float scale = half(bytes, at) * scales[i / 256][s];
      float offset = half(bytes, at + 2) * offsets[i / 256][s];
      assertEquals(scale * code - offset, (float) decoded[i], "element " + i);
    }
  }

  /// Each scale takes all of its 256 values.
  @Test
  void q6kOfEveryScale() {
    int[] bytes = blocks(256, 210, 208);
    for (int block = 0; block < 256; block++) {
      for (int s = 0; s < 16; s++) {
        bytes[block * 210 + 192 + s] = block + 17 * s & 255;
      }
    }
    double[] decoded = decode("gguf_q6_k", bytes, 210, 256);
    for (int i = 0; i < decoded.length; i++) {
      int at = i / 256 * 210;
      int half = i % 256 / 128;
      int quarter = i % 128 / 32;
      int lower = bytes[at + half * 64 + quarter % 2 * 32 + i % 32] >> (quarter < 2 ? 0 : 4) & 15;
      int upper = bytes[at + 128 + half * 32 + i % 32] >> 2 * quarter & 3;
      float scale = half(bytes, at + 208) * (byte) bytes[at + 192 + i % 256 / 16];
      assertEquals(scale * ((lower | upper << 4) - 32), (float) decoded[i], "element " + i);
    }
  }

  private static double[] numbers(int count) {
    SplittableRandom random = new SplittableRandom(8);
    return IntStream.range(0, count).mapToDouble(i -> (float) (random.nextGaussian() * (1 + i % 512 / 100.0) + (i / 512 % 2) * 0.5)).toArray();
  }

  private static long[] encode(String format, int size, int elements, double... numbers) {
    return call("gguf", "u8[" + numbers.length / elements + ", " + size + "]", "encode_" + format, List.of(floats(numbers)), "").getFirst().integers();
  }

  private static double error(String format, int size, int elements, double... numbers) {
    double[] decoded = roundTripped(format, size, elements, numbers);
    return Math.sqrt(IntStream.range(0, numbers.length).mapToDouble(i -> Math.pow(decoded[i] - numbers[i], 2)).sum()
        / IntStream.range(0, numbers.length).mapToDouble(i -> numbers[i] * numbers[i]).sum());
  }

  /// Bits bound the error: a step of a block is the range of its numbers over the number of codes.
  @Test
  void encodingStaysNear() {
    assertTrue(error("gguf_q4_0", 18, 32, numbers(2048)) < 0.1);
    assertTrue(error("gguf_q8_0", 34, 32, numbers(2048)) < 0.006);
    assertTrue(error("gguf_q4_k", 144, 256, numbers(2048)) < 0.09);
    assertTrue(error("gguf_q6_k", 210, 256, numbers(2048)) < 0.025);
  }

  @Test
  void zerosStayZeros() {
    assertZeros(roundTripped("gguf_q4_0", 18, 32, new double[32]));
    assertZeros(roundTripped("gguf_q8_0", 34, 32, new double[32]));
    assertZeros(roundTripped("gguf_q4_k", 144, 256, new double[256]));
    assertZeros(roundTripped("gguf_q6_k", 210, 256, new double[256]));
  }

  private static void assertZeros(double... numbers) {
    for (double number : numbers) {
      assertEquals(0, Math.abs(number));
    }
  }

  @Test
  void oddNumbersOfQ4k() {
    oddNumbers("gguf_q4_k", 144);
  }

  @Test
  void oddNumbersOfQ6k() {
    oddNumbers("gguf_q6_k", 210);
  }

  /// What is too large becomes the largest that there is, and a block with a NaN, and no other, has nothing else.
  private static void oddNumbers(String format, int size) {
    double[] numbers = numbers(4 * 256);
    numbers[3] = Double.POSITIVE_INFINITY;
    numbers[300] = 1e30f;
    numbers[600] = Double.NaN;
    double[] decoded = roundTripped(format, size, 256, numbers);
    for (int i = 0; i < decoded.length; i++) {
      assertEquals(i / 256 != 2, Double.isFinite(decoded[i]), format + " " + i + ": " + decoded[i]);
    }
    assertTrue(decoded[3] > 1e6 && decoded[300] > 1e6, decoded[3] + " and " + decoded[300]);
  }

  private static double[] roundTripped(String format, int size, int elements, double... numbers) {
    return decode(format, Arrays.stream(encode(format, size, elements, numbers)).mapToInt(b -> (int) b).toArray(), size, elements);
  }
}
