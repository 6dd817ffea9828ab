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
import dev.einfall.ir.Source;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.tests.JvmRun;
import dev.einfall.tests.MadeWeights;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Integers within integers, against their definitions.
class NestedTest {
  private static double[] numbers(int count) {
    SplittableRandom random = new SplittableRandom(count);
    return IntStream.range(0, count).mapToDouble(i -> (float) Math.scalb(random.nextGaussian(), i / 32 % 7 * 9 - 27)).toArray();
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

  /// Every byte of two upper halves with every byte of two lower ones.
  @Test
  void everyPairOfBytes() {
    byte[] upper = new byte[65536];
    byte[] lower = new byte[65536];
    for (int i = 0; i < 65536; i++) {
      upper[i] = (byte) (i / 256);
      lower[i] = (byte) i;
    }
    Array scale = Array.of(ElementType.F32, IntStream.range(0, 256).mapToDouble(i -> SCALES[i % SCALES.length]).toArray(), 256);
    double[] eight = decoded("nested", "nested8", ", 512", new int[] {131072}, scale, stored(upper), stored(lower));
    double[] four = decoded("nested", "nested4", ", 512", new int[] {131072}, scale, stored(upper));
    requireNumbers(i -> (16 * half(upper, i) + half(lower, i)) * SCALES[i / 512 % SCALES.length], eight, "8 bits");
    requireNumbers(i -> 16 * half(upper, i) * SCALES[i / 512 % SCALES.length], four, "4 bits");
  }

  private static Array stored(byte... bytes) {
    return Array.of(ElementType.U8, IntStream.range(0, bytes.length).mapToLong(i -> bytes[i] & 255).toArray(), bytes.length);
  }

  private static int half(byte[] bytes, int i) {
    return (bytes[i / 2] >> i % 2 * 4 & 15) - 8;
  }

  /// One file, of which a program multiplies by all 8 bits and by the upper 4, whose lower ones another file need not have.
  @Test
  void oneFileOfEightAndOfFourBits() {
    SplittableRandom random = new SplittableRandom(1);
    byte[] upper = new byte[20 * 32];
    byte[] lower = new byte[20 * 32];
    random.nextBytes(upper);
    random.nextBytes(lower);
    float[] scales = new float[20];
    Arrays.fill(scales, 0.5f);
    MadeWeights half = new MadeWeights().with("W.scale", scales, 20, 1).with("W.upper", ElementType.U8, MemorySegment.ofArray(upper), 20, 32);
    assertArrayEquals(products(upper, null), product("nested4", half));
    MadeWeights whole = half.with("W.lower", ElementType.U8, MemorySegment.ofArray(lower), 20, 32);
    assertArrayEquals(products(upper, null), product("nested4", whole));
    assertArrayEquals(products(upper, lower), product("nested8", whole));
  }

  /// Sums of small integers, which are exact: x[k] = k - 30.
  private static double[] products(byte[] upper, byte... lower) {
    return IntStream.range(0, 20).mapToDouble(n -> IntStream.range(0, 64)
        .mapToDouble(k -> (k - 30) * 0.5 * (16 * half(upper, n * 64 + k) + (lower == null ? 0 : half(lower, n * 64 + k)))).sum()).toArray();
  }

  private static double[] product(String format, MadeWeights weights) {
    String text = """
        import std.formats.nested
        def main(X: f32[64]) -> f32[20] {
          weight W: %s(group = 64)[20, 64] = "W"
          Y[n] = sum[k](X[k] * W[n, k])
          return Y
        }
        """.formatted(format);
    try (Program program = Einfall.compile(new Source("nested.ein", text), Options.defaults().withWarmUp(false).withWeights(weights))) {
      return JvmRun.outputs(program, List.of(floats(IntStream.range(0, 64).mapToDouble(k -> k - 30).toArray()))).getFirst().numbers();
    }
  }

  /// Every code of 4 bits with every number for 0, of which fewer planes are read: what is missing is in the middle.
  @Test
  void everyCodeOfPlanes() {
    Array scale = FormatCall.column(IntStream.range(0, 256).mapToDouble(i -> SCALES[i % SCALES.length]).toArray());
    Array zero = bytes(counted(256, 1), 256, 1);
    Array[] planes = {packed(shifted(2, 3), 2, 256), packed(shifted(1, 1), 1, 256), packed(shifted(0, 1), 1, 256)};
    for (int bits = 2; bits <= 4; bits++) {
      Array[] stored = Stream.concat(Stream.of(scale, zero), Arrays.stream(planes, 0, bits - 1)).toArray(Array[]::new);
      int unread = 4 - bits;
      IntToDoubleFunction number = i -> (i % 16 >> unread << unread) + ((1 << unread) - 1) / 2f - i / 16;
      double[] decoded = decoded("nested", "matryoshka" + bits, ", 16", new int[] {256, 16}, stored);
      requireNumbers(i -> (float) number.applyAsDouble(i) * SCALES[i / 16 % SCALES.length], decoded, bits + " bits");
    }
  }

  /// Some bits of the codes from 0 to 15, for 256 rows.
  private static int[] shifted(int shift, int mask) {
    return Arrays.stream(counted(16, 256)).map(code -> code >> shift & mask).toArray();
  }

  /// All planes say what `asymmetric` does, and fewer the same ones.
  @Test
  void planesOfNumbers() {
    Array given = floats(numbers(256));
    List<Array> four = call("nested", "(f32[8], u8[8], u8[32, 2], u8[32, 1], u8[32, 1])", "encode_matryoshka4", List.of(given), ", 32");
    List<Array> three = call("nested", "(f32[8], u8[8], u8[32, 2], u8[32, 1])", "encode_matryoshka3", List.of(given), ", 32");
    List<Array> two = call("nested", "(f32[8], u8[8], u8[32, 2])", "encode_matryoshka2", List.of(given), ", 32");
    for (int i = 1; i < 4; i++) {
      assertArrayEquals(four.get(i).integers(), three.get(i).integers());
      assertTrue(i == 3 || Arrays.equals(four.get(i).integers(), two.get(i).integers()));
    }
    List<Array> whole = call("integers", "(f32[8], u8[8], u8[32, 4])", "encode_asymmetric", List.of(given), ", 4, 32");
    double[] expected = decoded("integers", "asymmetric", ", 4, 32", new int[] {256}, whole.toArray(Array[]::new));
    requireNumbers(i -> expected[i], decoded("nested", "matryoshka4", ", 32", new int[] {256}, four.toArray(Array[]::new)), "4 bits");
  }
}
