package dev.einfall.tests.programs;

import static dev.einfall.tests.programs.FormatCall.bytes;
import static dev.einfall.tests.programs.FormatCall.call;
import static dev.einfall.tests.programs.FormatCall.codes;
import static dev.einfall.tests.programs.FormatCall.floats;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.ElementType;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Numbers of tables and powers, against their definitions.
class CodebooksTest {
  private static double[] numbers(int count) {
    SplittableRandom random = new SplittableRandom(count);
    return IntStream.range(0, count).mapToDouble(i -> i / 32 == 1 ? 0 : (float) random.nextGaussian()).toArray();
  }

  private static Array ofRows(double[] numbers, int rows) {
    return Array.of(ElementType.F32, numbers, rows, numbers.length / rows);
  }

  @Test
  void learnedTables() {
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
        for (int i = 1; i < count; i++) {
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

  @Test
  void everyCodeOfShifts() {
    for (int bits = 2; bits <= 5; bits++) {
      int levels = 1 << bits - 1;
      Array code = call("packing", "u8[8, " + bits + "]", "pack",
          List.of(Array.of(ElementType.I32, IntStream.range(0, 64).mapToLong(i -> i % (2 * levels)).toArray(), 64)), ", " + bits).getFirst();
      for (int exponent : new int[] {0, 1, 100, 127, 254, 255}) {
        double[] decoded = call("powers", "f32[64]", "decode_shift", List.of(bytes(new int[] {exponent}, 1), code), ", " + bits + ", 64").getFirst().numbers();
        for (int i = 0; i < 64; i++) {
          double size = Math.scalb(1.0, exponent - 127 - i % levels);
          double expected = exponent == 0 ? 0 : exponent == 255 ? Double.NaN : i % (2 * levels) < levels ? size : -size;
          assertEquals(expected, decoded[i], 0, bits + " bits, exponent " + exponent + ", code " + i);
        }
      }
    }
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
