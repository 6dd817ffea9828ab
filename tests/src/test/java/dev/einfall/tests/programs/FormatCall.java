package dev.einfall.tests.programs;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.ElementType;
import dev.einfall.passes.Numerics;
import dev.einfall.runtime.Options;
import dev.einfall.tests.JvmRun;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// Calls of the functions of formats.
public final class FormatCall {
  private FormatCall() {}

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
}
