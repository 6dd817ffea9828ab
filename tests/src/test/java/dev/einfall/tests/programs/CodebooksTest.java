package dev.einfall.tests.programs;

import static dev.einfall.tests.programs.FormatCall.SCALES;
import static dev.einfall.tests.programs.FormatCall.bytes;
import static dev.einfall.tests.programs.FormatCall.call;
import static dev.einfall.tests.programs.FormatCall.codes;
import static dev.einfall.tests.programs.FormatCall.counted;
import static dev.einfall.tests.programs.FormatCall.decoded;
import static dev.einfall.tests.programs.FormatCall.floats;
import static dev.einfall.tests.programs.FormatCall.packed;
import static dev.einfall.tests.programs.FormatCall.requireNumbers;
import static dev.einfall.tests.programs.FormatCall.scales;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.ElementType;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Numbers of tables and powers, against their definitions.
class CodebooksTest {
  /// bitsandbytes' table.
  private static final double[] NF4 = {-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
      -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224, 0.44070982933044434,
      0.5626170039176941, 0.7229568362236023, 1.0};

  private static double[] numbers(int count) {
    SplittableRandom random = new SplittableRandom(count);
    return IntStream.range(0, count).mapToDouble(i -> i / 32 == 1 ? 0 : (float) random.nextGaussian()).toArray();
  }

  private static Array ofRows(double[] numbers, int rows) {
    return Array.of(ElementType.F32, numbers, rows, numbers.length / rows);
  }

  /// Every byte of two codes, with odd scales.
  @Test
  void everyCodeOfNf4() {
    double[] decoded = decoded("codebooks", "nf4", ", 512", new int[] {SCALES.length, 512}, scales(), bytes(counted(256, SCALES.length), SCALES.length, 256));
    requireNumbers(i -> (float) NF4[i % 512 / 2 >> i % 2 * 4 & 15] * SCALES[i / 512], decoded, "nf4");
  }

  /// Numbers between two of the table, in the middle and just beyond it; of middles the lower one. With scales that cannot say them, the ends of the table.
  @Test
  void numbersBecomeTheNearestOfNf4() {
    float[] numbers = new float[48];
    for (int i = 0; i < 45; i++) {
      float middle = ((float) NF4[i / 3] + (float) NF4[i / 3 + 1]) / 2;
      numbers[i] = i % 3 == 0 ? Math.nextDown(middle) : i % 3 == 1 ? middle : Math.nextUp(middle);
    }
    numbers[45] = 1;
    numbers[46] = 1.5f;
    numbers[47] = -2;
    Array given = floats(IntStream.range(0, 48).mapToDouble(i -> numbers[i]).toArray());
    long[] bytes = call("codebooks", "u8[24]", "code_nf4", List.of(given, floats(1)), ", 48").getFirst().integers();
    for (int i = 0; i < 48; i++) {
      int expected = i < 45 ? i / 3 + i % 3 / 2 : i < 47 ? 15 : 0;
      assertEquals(expected, bytes[i / 2] >> i % 2 * 4 & 15, "number " + i);
    }
  }

  /// Every code of tables that are other ones in each row, with odd scales and what is no number in tables.
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4})
  void everyCodeOfLearnedTables(int bits) {
    int values = 1 << bits;
    int rows = SCALES.length;
    double[] table = new SplittableRandom(bits).doubles((long) rows * values, -1, 1).map(value -> (float) value).toArray();
    table[3] = Double.NaN;
    table[values + 2] = Double.NEGATIVE_INFINITY;
    Array codes = packed(counted(2 * values, rows), bits, rows);
    double[] decoded = decoded("codebooks", "any" + bits, ", " + 2 * values, new int[] {rows, 2 * values}, scales(), Array.of(ElementType.F32, table, rows, values), codes);
    requireNumbers(i -> (float) table[i / (2 * values) * values + i % values] * SCALES[i / (2 * values)], decoded, bits + " bits");
  }

  @Test
  void numbersOfLearnedTables() {
    for (int bits = 2; bits <= 4; bits++) {
      int values = 1 << bits;
      double[] numbers = numbers(256);
      SplittableRandom random = new SplittableRandom(bits);
      Array table = ofRows(random.doubles(2L * values, -1, 1).map(value -> (float) value).toArray(), 2);
      Array scale = ofRows(IntStream.range(0, 8).mapToDouble(g -> IntStream.range(0, 32).mapToDouble(i -> Math.abs(numbers[g * 32 + i])).max().orElseThrow()).toArray(), 2);
      Array code = call("codebooks", "u8[2, 16, " + bits + "]", "code_any" + bits, List.of(ofRows(numbers, 2), scale, table), ", 32").getFirst();
      double[] decoded = call("codebooks", "f32[2, 128]", "decode_any" + bits, List.of(scale, table, code), ", 32").getFirst().numbers();
      for (int i = 0; i < 256; i++) {
        float group = (float) scale.numbers()[i / 32];
        float y = group > 0 ? (float) numbers[i] / group : 0;
        int best = 0;
        for (int v = 1; v < values; v++) {
          best = Math.abs(y - (float) table.numbers()[i / 128 * values + v]) < Math.abs(y - (float) table.numbers()[i / 128 * values + best]) ? v : best;
        }
        assertEquals((float) table.numbers()[i / 128 * values + best] * group, (float) decoded[i], bits + " bits, element " + i);
      }
    }
  }

  @Test
  void tablesThatNobodyLearnedAreEven() {
    List<Array> stored = call("codebooks", "(f32[2, 4], f32[2, 4], u8[2, 16, 2])", "encode_any2", List.of(ofRows(numbers(256), 2)), ", 32");
    double[] table = stored.get(1).numbers();
    assertArrayEquals(new double[] {-1, -1 / 3.0, 1 / 3.0, 1}, Arrays.copyOf(table, 4), 1e-7);
    Array zeros = Array.of(ElementType.F32, new double[64], 1, 64);
    List<Array> none = call("codebooks", "(f32[1, 2], f32[1, 16], u8[1, 8, 4])", "encode_any4", List.of(zeros), ", 32");
    assertArrayEquals(new double[64], call("codebooks", "f32[1, 64]", "decode_any4", none, ", 32").getFirst().numbers());
  }

  /// bitsandbytes' table is made of the means of neighbours that divide 0.1 to 1 evenly, times powers of ten.
  private static double[] dynamicTree() {
    double[] values = new double[256];
    int next = 0;
    for (int part = 0; part < 7; part++) {
      for (int i = 0; i < 1 << part; i++) {
        double low = 0.1 + 0.9 * i / (1 << part);
        double high = 0.1 + 0.9 * (i + 1) / (1 << part);
        values[next++] = Math.pow(10, part - 6) * (low + high) / 2;
        values[next++] = -values[next - 2];
      }
    }
    values[254] = 0;
    values[255] = 1;
    Arrays.sort(values);
    return values;
  }

  @Test
  void everyCodeOfTheDynamicTree() {
    double[] table = dynamicTree();
    Array one = Array.of(ElementType.F32, new double[] {1}, 1);
    double[] decoded = call("codebooks", "f32[256]", "decode_dynamic8", List.of(one, codes()), ", 256").getFirst().numbers();
    for (int code = 0; code < 256; code++) {
      assertEquals(table[code], decoded[code], Math.abs(table[code]) * 3e-7, "code " + code);
    }
    List<Array> again = call("codebooks", "(f32[1], u8[256])", "encode_dynamic8", List.of(floats(decoded)), ", 256");
    assertArrayEquals(codes().integers(), again.get(1).integers());
    double[] numbers = numbers(256);
    List<Array> stored = call("codebooks", "(f32[8], u8[256])", "encode_dynamic8", List.of(floats(numbers)), ", 32");
    double[] near = call("codebooks", "f32[256]", "decode_dynamic8", stored, ", 32").getFirst().numbers();
    for (int i = 0; i < 256; i++) {
      double scale = stored.getFirst().numbers()[i / 32];
      double least = Double.POSITIVE_INFINITY;
      for (double value : table) {
        least = Math.min(least, Math.abs(value * scale - numbers[i]));
      }
      assertEquals(least, Math.abs(near[i] - numbers[i]), 1e-6, "element " + i);
    }
  }

  @Test
  void everyCodeOfPowers() {
    for (int bits = 2; bits <= 8; bits++) {
      int count = 1 << bits;
      int largest = count / 2 - 1;
      for (double power : new double[] {0.25, 0.5, 0.75, 1}) {
        Array code = call("packing", "u8[" + 4 * count / 8 + ", " + bits + "]", "pack",
            List.of(Array.of(ElementType.I32, IntStream.range(0, 4 * count).mapToLong(i -> i % count).toArray(), 4 * count)), ", " + bits).getFirst();
        List<Array> stored = List.of(Array.of(ElementType.F32, new double[] {power}), Array.of(ElementType.F32, new double[] {3}, 1), code);
        double[] decoded = call("powers", "f32[" + 4 * count + "]", "decode_power", stored, ", " + bits + ", " + 4 * count).getFirst().numbers();
        for (int i = 0; i < count; i++) {
          double expected = Math.signum(i - count / 2) * Math.pow(Math.abs(i - count / 2) / (double) largest, 1 / power) * 3;
          assertEquals(expected, decoded[i], Math.abs(expected) * 2e-6, bits + " bits, code " + i);
        }
      }
    }
  }

  @Test
  void powersOfNumbers() {
    double[] numbers = numbers(256);
    List<Array> stored = call("powers", "(f32[], f32[8], u8[32, 4])", "encode_power", List.of(floats(numbers)), ", 4, 32");
    assertEquals(0.5, stored.getFirst().numbers()[0]);
    double[] decoded = call("powers", "f32[256]", "decode_power", stored, ", 4, 32").getFirst().numbers();
    for (int i = 0; i < 256; i++) {
      double scale = stored.get(1).numbers()[i / 32];
      double root = Math.sqrt(scale > 0 ? Math.abs(numbers[i]) / scale : 0) * 7;
      double expected = Math.signum(numbers[i]) * Math.pow(Math.rint(root) / 7, 2) * scale;
      if (Math.abs(root - Math.floor(root) - 0.5) > 1e-4) {
        assertEquals(expected, decoded[i], 1e-5, "element " + i);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 6, 7, 8})
  void everyCodeOfShifts(int bits) {
    int width = Math.max(8, 1 << bits);
    int levels = 1 << bits - 1;
    double[] decoded = decoded("powers", "shift", ", " + bits + ", " + width, new int[] {256, width}, bytes(counted(256, 1), 256, 1), packed(counted(width, 256), bits, 256));
    requireNumbers(i -> {
      int exponent = i / width;
      int code = i % width % (1 << bits);
      double size = Math.scalb(1.0, exponent - 127 - code % levels);
      return exponent == 0 ? 0 : exponent == 255 ? Double.NaN : code < levels ? size : -size;
    }, decoded, bits + " bits");
  }

  /// The nearest power of two of those that there are.
  @Test
  void shiftsOfNumbers() {
    double[] numbers = numbers(256);
    List<Array> stored = call("powers", "(u8[8], u8[32, 3])", "encode_shift", List.of(floats(numbers)), ", 3, 32");
    double[] decoded = call("powers", "f32[256]", "decode_shift", stored, ", 3, 32").getFirst().numbers();
    for (int i = 0; i < 256; i++) {
      double largest = IntStream.range(i / 32 * 32, i / 32 * 32 + 32).mapToDouble(j -> Math.abs(numbers[j])).max().orElseThrow();
      double best = 0;
      if (largest > 0) {
        double top = Math.scalb(1.0, Math.getExponent(largest / 0.75));
        best = top;
        for (int below = 1; below < 4; below++) {
          double next = Math.scalb(top, -below);
          best = Math.abs(next - Math.abs(numbers[i])) < Math.abs(best - Math.abs(numbers[i])) ? next : best;
        }
      }
      assertEquals(numbers[i] < 0 ? -best : best, decoded[i], 0, "element " + i);
    }
  }
}
