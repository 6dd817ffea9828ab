package dev.einfall.tests.programs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.reference.Array;
import dev.einfall.frontend.EinReader;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Source;
import dev.einfall.passes.Numerics;
import dev.einfall.tests.JvmRun;
import java.util.List;
import java.util.Optional;
import java.util.function.DoublePredicate;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What every format of the library makes of numbers that no weight should be: NaN, infinities, numbers and scales that are too large or too small, zeros, and rows that
/// have no whole blocks.
@Execution(ExecutionMode.CONCURRENT)
class BadNumbersTest {

  /// What is read of a NaN.
  private enum Nan {
    /// The block has nothing but NaN.
    BLOCK,
    /// It alone is NaN.
    ALONE,
    /// It becomes 0.
    ZERO
  }

  /// What is read of infinities, and of their block.
  private enum Infinity {
    /// No number of the block is finite.
    NONE_FINITE,
    /// They become the largest number and the least, 0 where numbers have no sign; all are finite.
    LARGEST,
    /// They stay; all others are finite.
    KEPT
  }

  /// What is read of numbers of about 3e38.
  private enum Huge {
    /// What is near them.
    NEAR,
    /// Numbers of the same sign, or 0, which are finite.
    FINITE
  }

  /// What a format does.
  ///
  /// @param sizes the sizes that its functions take
  /// @param block how many numbers need each other
  /// @param parts how many tensors it stores
  private record Format(String file, String name, String sizes, int block, int parts, Nan nan, Infinity infinity, Huge huge) {

    @Override
    public String toString() {
      return name + sizes;
    }

    /// Rows of numbers, encoded and decoded.
    double[] read(double[] numbers, int width) {
      String names = String.join(", ", List.of("p", "q", "r", "s", "t").subList(0, parts));
      String text = """
          import std.formats.%s
          def main(x: f32[R, %d]) -> f32[R, %2$d] {
            %s = encode_%s(x%s)
            return decode_%4$s(%3$s%5$s)
          }
          """.formatted(file, width, names, name, sizes);
      List<Array> inputs = List.of(Array.of(ElementType.F32, numbers, numbers.length / width, width));
      return JvmRun.outputs(text, inputs, JvmRun.options(1, 32).withNumerics(Numerics.STRICT)).getFirst().numbers();
    }
  }

  private static Format grouped(String file, String name, String sizes, int parts, Huge huge) {
    return new Format(file, name, sizes + ", 32", 32, parts, Nan.BLOCK, Infinity.NONE_FINITE, huge);
  }

  private static Format block(String file, String name, int block, int parts, Infinity infinity, Huge huge) {
    return new Format(file, name, "", block, parts, Nan.BLOCK, infinity, huge);
  }

  private static Format alone(String name, int block, Nan nan, Infinity infinity) {
    return new Format("minifloats", name, "", block, 1, nan, infinity, Huge.FINITE);
  }

  private static final List<Format> FORMATS = List.of(
      grouped("integers", "int8", "", 2, Huge.NEAR), grouped("integers", "int4", "", 2, Huge.NEAR), grouped("integers", "symmetric", ", 3", 2, Huge.NEAR),
      grouped("integers", "asymmetric", ", 4", 3, Huge.NEAR), grouped("integers", "ternary", "", 2, Huge.FINITE), grouped("integers", "binary", "", 2, Huge.FINITE),
      grouped("codebooks", "nf4", "", 2, Huge.NEAR), grouped("codebooks", "any4", "", 3, Huge.NEAR), grouped("codebooks", "any3", "", 3, Huge.NEAR),
      grouped("codebooks", "any2", "", 3, Huge.NEAR), grouped("codebooks", "dynamic8", "", 2, Huge.NEAR),
      block("microscaling", "mxfp4", 32, 2, Infinity.LARGEST, Huge.NEAR), block("microscaling", "mxfp6_e2m3", 32, 2, Infinity.LARGEST, Huge.NEAR),
      block("microscaling", "mxfp6_e3m2", 32, 2, Infinity.LARGEST, Huge.NEAR), block("microscaling", "mxfp8_e4m3", 32, 2, Infinity.LARGEST, Huge.NEAR),
      block("microscaling", "mxfp8_e5m2", 32, 2, Infinity.KEPT, Huge.NEAR), block("microscaling", "mxint8", 32, 2, Infinity.LARGEST, Huge.NEAR),
      block("microscaling", "nvfp4", 16, 3, Infinity.NONE_FINITE, Huge.NEAR), block("microscaling", "fp4_ue5m3", 16, 2, Infinity.LARGEST, Huge.FINITE),
      alone("fp8_e4m3", 1, Nan.ALONE, Infinity.LARGEST), alone("fp8_e5m2", 1, Nan.ALONE, Infinity.KEPT), alone("fp4_e2m1", 2, Nan.ZERO, Infinity.LARGEST),
      alone("fp6_e2m3", 8, Nan.ZERO, Infinity.LARGEST), alone("fp6_e3m2", 8, Nan.ZERO, Infinity.LARGEST), alone("ue5m3", 1, Nan.ALONE, Infinity.LARGEST),
      block("ggml", "q4_0", 32, 2, Infinity.LARGEST, Huge.FINITE), block("ggml", "q8_0", 32, 2, Infinity.LARGEST, Huge.FINITE),
      block("gguf", "gguf_q4_0", 32, 1, Infinity.LARGEST, Huge.FINITE), block("gguf", "gguf_q8_0", 32, 1, Infinity.LARGEST, Huge.FINITE),
      block("gguf", "gguf_q4_k", 256, 1, Infinity.LARGEST, Huge.FINITE), block("gguf", "gguf_q6_k", 256, 1, Infinity.LARGEST, Huge.FINITE),
      grouped("nested", "nested8", "", 3, Huge.NEAR), grouped("nested", "nested4", "", 2, Huge.NEAR), grouped("powers", "power", ", 4", 3, Huge.NEAR),
      new Format("powers", "shift", ", 4, 32", 32, 2, Nan.BLOCK, Infinity.LARGEST, Huge.FINITE),
      new Format("block_floats", "block_float", ", 5, 32", 32, 2, Nan.BLOCK, Infinity.LARGEST, Huge.NEAR),
      new Format("block_floats", "fixed", ", 8, 4", 1, 1, Nan.ZERO, Infinity.LARGEST, Huge.FINITE),
      block("block_floats", "dynamic_fixed", 1, 2, Infinity.LARGEST, Huge.NEAR),
      grouped("integers", "bipolar", ", 4", 2, Huge.NEAR), grouped("integers", "dint", ", 4", 2, Huge.NEAR), grouped("nested", "matryoshka4", "", 5, Huge.NEAR),
      grouped("nested", "matryoshka3", "", 4, Huge.NEAR), grouped("nested", "matryoshka2", "", 3, Huge.NEAR), grouped("optimizers", "dynamic4", "", 2, Huge.NEAR),
      block("lattices", "e8p", 8, 2, Infinity.NONE_FINITE, Huge.FINITE),
      new Format("dfloat11", "dfloat11", ", 100, 8", 8, 5, Nan.ALONE, Infinity.KEPT, Huge.NEAR));

  @TestFactory
  Stream<DynamicTest> areDefined() {
    return FORMATS.stream().map(format -> DynamicTest.dynamicTest(format.toString(), () -> check(format)));
  }

  /// Rows of one block each: zeros, a NaN among others, two infinities, numbers that are too large for most scales, some too small, and none of these.
  private static double[] rows(int width) {
    double[] rows = new double[6 * width];
    for (int i = 0; i < width; i++) {
      double plain = (i % 5 - 2) * 0.5;
      rows[width + i] = i == 3 ? Double.NaN : plain;
      rows[2 * width + i] = i == 3 ? Double.POSITIVE_INFINITY : i == 5 ? Double.NEGATIVE_INFINITY : plain;
      rows[3 * width + i] = (float) (plain * 3e38);
      rows[4 * width + i] = (float) (plain * 1e-44);
      rows[5 * width + i] = plain;
    }
    return rows;
  }

  private static void check(Format format) {
    int width = Math.max(format.block, 8);
    double[] given = rows(width);
    double[] read = format.read(given, width);
    require(read, 0, width, "zeros", value -> value == 0);
    switch (format.nan) {
      case BLOCK -> require(read, 1, width, "NaN", Double::isNaN);
      case ALONE -> assertTrue(Double.isNaN(read[width + 3]), "NaN is " + read[width + 3]);
      case ZERO -> assertEquals(0, read[width + 3], "NaN");
    }
    IntStream.range(0, width).filter(i -> i != 3 && format.nan != Nan.BLOCK).forEach(i -> assertEquals(read[5 * width + i], read[width + i], "beside a NaN, " + i));
    infinities(format, read, width);
    for (int i = 0; i < width; i++) {
      double number = given[3 * width + i];
      double value = read[3 * width + i];
      assertTrue(Double.isFinite(value) && (value * number >= 0), number + " is " + value);
      assertTrue(format.huge == Huge.FINITE || Math.abs(value - number) < 0.35 * 3e38, number + " is " + value);
    }
    require(read, 4, width, "small numbers", value -> Math.abs(value) < 3e-44);
    require(read, 5, width, "numbers", value -> Math.abs(value) < 1.2);
  }

  private static void infinities(Format format, double[] read, int width) {
    double high = read[2 * width + 3];
    double low = read[2 * width + 5];
    IntPredicate isOther = i -> i != 3 && i != 5;
    double[] others = IntStream.range(0, width).filter(isOther).mapToDouble(i -> read[2 * width + i]).toArray();
    switch (format.infinity) {
      case NONE_FINITE -> require(read, 2, width, "infinities", value -> !Double.isFinite(value));
      case LARGEST -> {
        require(read, 2, width, "infinities", Double::isFinite);
        require(others, 0, others.length, "between " + low + " and " + high, value -> low <= value && value <= high);
        assertTrue(high > 5, "infinity is " + high);
      }
      case KEPT -> {
        require(others, 0, others.length, "beside infinities", Double::isFinite);
        assertTrue(high == Double.POSITIVE_INFINITY && low == Double.NEGATIVE_INFINITY, low + " and " + high);
      }
    }
  }

  private static void require(double[] values, int row, int width, String what, DoublePredicate condition) {
    for (int i = 0; i < width; i++) {
      double value = values[row * width + i];
      assertTrue(condition.test(value), what + ", number " + i + ": " + value);
    }
  }

  /// Rows without whole blocks are an error of the program, which names the place.
  @TestFactory
  Stream<DynamicTest> rowsHaveWholeBlocks() {
    return FORMATS.stream().filter(format -> format.block > 1).map(format -> DynamicTest.dynamicTest(format.toString(), () -> {
      for (int width : new int[] {format.block + 1, 2 * format.block - 1}) {
        String message = assertThrows(CompileException.class, () -> format.read(new double[width], width)).getMessage();
        assertTrue(message.contains(".ein:") && message.contains(": error: "), message);
      }
    }));
  }

  /// Nor do the functions that pack numbers leave the last ones out.
  @ParameterizedTest
  @CsvSource({"packing, pack, i32, ', 3'", "minifloats, encode_fp4_e2m1, f32, ''", "ggml, encode_q4_0, f32, ''", "ggml, encode_q8_0, f32, ''"})
  void nothingIsLeftOut(String file, String function, String type, String sizes) {
    String text = """
        import std.formats.%s
        def main(x: %s[33]) -> i32 {
          %s = %s(x%s)
          return 0
        }
        """.formatted(file, type, file.equals("ggml") ? "scale, code" : "code", function, sizes);
    String message = assertThrows(CompileException.class, () -> EinReader.read(new Source("test.ein", text), Optional.empty())).getMessage();
    assertTrue(message.contains("std/formats/" + file + ".ein:"), message);
  }
}
