package dev.einfall.tests.programs;

import static dev.einfall.tests.programs.FormatCall.bytes;
import static dev.einfall.tests.programs.FormatCall.call;
import static dev.einfall.tests.programs.FormatCall.decoded;
import static dev.einfall.tests.programs.FormatCall.floats;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

/// Blocks of GGUF files whose numbers use the ends of what their scales say are encoded as the bytes that they were decoded from.
class GgufBytesTest {
  private static final int BLOCKS = 300;

  /// @param fill makes a block, of random bytes, one on its own grid
  private static void requireSameBytes(String format, int size, int elements, BiConsumer<int[], SplittableRandom> fill) {
    SplittableRandom random = new SplittableRandom(size);
    int[] stored = new int[BLOCKS * size];
    for (int i = 0; i < BLOCKS; i++) {
      int[] block = random.ints(size, 0, 256).toArray();
      fill.accept(block, random);
      System.arraycopy(block, 0, stored, i * size, size);
    }
    double[] numbers = decoded("gguf", format, "", new int[] {BLOCKS * elements}, bytes(stored, BLOCKS, size));
    long[] again = call("gguf", "u8[" + BLOCKS + ", " + size + "]", "encode_" + format, List.of(floats(numbers)), "").getFirst().integers();
    for (int i = 0; i < stored.length; i++) {
      assertEquals(stored[i], again[i], format + ", byte " + i % size + " of block " + i / size);
    }
  }

  /// Puts a number above 0 and far from the ends of what 16 bits say.
  private static void putHalf(int[] block, int at, SplittableRandom random) {
    int bits = random.nextInt(0x1000, 0x4000);
    block[at] = bits & 255;
    block[at + 1] = bits >> 8;
  }

  /// One number is -8, the code that the largest one gets.
  @Test
  void q4() {
    requireSameBytes("gguf_q4_0", 18, 32, (block, random) -> {
      putHalf(block, 0, random);
      block[2 + random.nextInt(16)] &= random.nextBoolean() ? 0x0F : 0xF0;
    });
  }

  /// One number is 127, and none is -128.
  @Test
  void q8() {
    requireSameBytes("gguf_q8_0", 34, 32, (block, random) -> {
      putHalf(block, 0, random);
      for (int i = 2; i < 34; i++) {
        block[i] = block[i] == 128 ? 129 : block[i];
      }
      block[2 + random.nextInt(32)] = random.nextBoolean() ? 127 : 129;
    });
  }

  /// One scale is 63 and one offset too; 32 numbers have the codes 0 and 15, or, where their scale is 0, no other code than 0.
  @Test
  void q4k() {
    requireSameBytes("gguf_q4_k", 144, 256, (block, random) -> {
      putHalf(block, 0, random);
      putHalf(block, 2, random);
      int[] scales = random.ints(8, 0, 64).toArray();
      int[] offsets = random.ints(8, 0, 64).toArray();
      scales[random.nextInt(8)] = 63;
      offsets[random.nextInt(8)] = 63;
      for (int s = 0; s < 8; s++) {
        putSixBits(block, s, scales[s], offsets[s]);
        int first = 16 + s / 2 * 32;
        int shift = s % 2 * 4;
        for (int i = 0; i < 32; i++) {
          int code = scales[s] == 0 || i == 7 ? 0 : i == 20 ? 15 : random.nextInt(16);
          block[first + i] = block[first + i] & ~(15 << shift) | code << shift;
        }
      }
    });
  }

  /// The upper two bits of the last four scales and offsets are where the first four leave room.
  private static void putSixBits(int[] block, int s, int scale, int offset) {
    if (s < 4) {
      block[4 + s] = block[4 + s] & 0xC0 | scale;
      block[8 + s] = block[8 + s] & 0xC0 | offset;
    } else {
      block[8 + s] = scale & 15 | (offset & 15) << 4;
      block[s] = block[s] & 63 | scale >> 4 << 6;
      block[4 + s] = block[4 + s] & 63 | offset >> 4 << 6;
    }
  }

  /// One scale is -128; 16 numbers have the code 0, or, where their scale is 0, no other code than that of 0.
  @Test
  void q6k() {
    requireSameBytes("gguf_q6_k", 210, 256, (block, random) -> {
      putHalf(block, 208, random);
      block[209] |= random.nextBoolean() ? 0x80 : 0;
      block[192 + random.nextInt(8)] = 128;
      block[200 + random.nextInt(8)] = 0;
      for (int i = 0; i < 256; i++) {
        int code = block[192 + i / 16] == 0 ? 32 : i % 16 == 5 ? 0 : random.nextInt(64);
        int low = i / 128 * 64 + i % 64;
        int high = 128 + i / 128 * 32 + i % 32;
        int lowShift = i % 128 / 64 * 4;
        int highShift = i % 128 / 32 * 2;
        block[low] = block[low] & ~(15 << lowShift) | (code & 15) << lowShift;
        block[high] = block[high] & ~(3 << highShift) | code >> 4 << highShift;
      }
    });
  }
}
