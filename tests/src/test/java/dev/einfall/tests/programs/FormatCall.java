package dev.einfall.tests.programs;

import static org.junit.jupiter.api.Assertions.fail;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.ElementType;
import dev.einfall.passes.Numerics;
import dev.einfall.runtime.Options;
import dev.einfall.tests.JvmRun;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/// Calls of the functions of formats.
public final class FormatCall {
  /// Scales: usual ones, 0, the least and the largest, and what is none.
  static final float[] SCALES = {1, 0.1f, 3, -0.75f, 0, Float.MIN_VALUE, 3e-39f, Float.MIN_NORMAL, 1e30f, Float.MAX_VALUE, Float.POSITIVE_INFINITY, Float.NaN};

  private FormatCall() {}

  static Array scales() {
    return column(IntStream.range(0, SCALES.length).mapToDouble(i -> SCALES[i]).toArray());
  }

  /// What a function of a file of formats gives, computed as the program says.
  ///
  /// @param sizes the sizes among its arguments, each with a comma before it
  public static List<Array> call(String file, String results, String function, List<Array> arguments, String sizes) {
    return call(file, results, function, arguments, sizes, JvmRun.options(1, 0).withNumerics(Numerics.STRICT));
  }

  static List<Array> call(String file, String results, String function, List<Array> arguments, String sizes, Options options) {
    StringBuilder parameters = new StringBuilder();
    StringBuilder names = new StringBuilder();
    for (int i = 0; i < arguments.size(); i++) {
      parameters.append(i > 0 ? ", " : "").append("a").append(i).append(": ").append(type(arguments.get(i)));
      names.append(i > 0 ? ", " : "").append("a").append(i);
    }
    String text = "import std.formats." + file + "\ndef main(" + parameters + ") -> " + results + " {\n  return " + function + "(" + names + sizes + ")\n}\n";
    return JvmRun.outputs(text, arguments, options);
  }

  private static String type(Array array) {
    List<String> extents = new ArrayList<>();
    for (int extent : array.shape()) {
      extents.add(Integer.toString(extent));
    }
    return array.type() + "[" + String.join(", ", extents) + "]";
  }

  static Array floats(double... values) {
    return Array.of(ElementType.F32, values, values.length);
  }

  /// The numbers from 0 to 255.
  static Array codes() {
    return bytes(IntStream.range(0, 256).toArray(), 256);
  }

  public static Array bytes(int[] values, int... shape) {
    long[] wide = new long[values.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = values[i] & 0xFF;
    }
    return Array.of(ElementType.U8, wide, shape);
  }

  /// Numbers from 0 up whose bits lie one after the other, the lowest first: rows of whole eights.
  static Array packed(int[] codes, int bits, int rows) {
    int[] bytes = new int[codes.length * bits / 8];
    for (int i = 0; i < codes.length * bits; i++) {
      bytes[i / 8] |= (codes[i / bits] >> i % bits & 1) << i % 8;
    }
    return rows == 0 ? bytes(bytes, codes.length / 8, bits) : bytes(bytes, rows, codes.length / rows / 8, bits);
  }

  /// The numbers from 0 up to `count`, `rows` times.
  static int[] counted(int count, int rows) {
    return IntStream.range(0, count * rows).map(i -> i % count).toArray();
  }

  /// Numbers of a row each.
  static Array column(double... values) {
    return Array.of(ElementType.F32, values, values.length, 1);
  }

  /// Numbers of `f32` that something stored stands for.
  static double[] decoded(String file, String format, String sizes, int[] shape, Array... stored) {
    String type = "f32" + IntStream.of(shape).boxed().toList();
    return call(file, type, "decode_" + format, List.of(stored), sizes).getFirst().numbers();
  }

  /// Requires the same numbers, of the same signs also where they are 0.
  static void requireNumbers(IntToDoubleFunction expected, double[] actual, String what) {
    for (int i = 0; i < actual.length; i++) {
      if (Float.compare((float) expected.applyAsDouble(i), (float) actual[i]) != 0) {
        fail(what + ", element " + i + " is " + actual[i] + ", and not " + (float) expected.applyAsDouble(i));
      }
    }
  }
}
