package dev.einfall.backends.c;

import dev.einfall.ir.ElementType;

/// The body of a function in C that makes an integer of a float, as casts in the language do.
final class Saturation {
  private Saturation() {}

  /// The largest integer of a type.
  static long most(ElementType type) {
    return type == ElementType.U8 ? 255 : (1L << 8 * type.bytes() - 1) - 1;
  }

  /// The smallest integer of a type.
  static long least(ElementType type) {
    return type == ElementType.U8 ? 0 : -most(type) - 1;
  }

  /// What gives the integer for a float `a`: a number outside of the integers becomes the nearest of them, NaN 0.
  static String of(ElementType source, ElementType result) {
    boolean narrow = result.bytes() < 4;
    ElementType wide = narrow ? ElementType.I32 : result;
    String most = wide == ElementType.I64 ? "INT64_MAX" : "INT32_MAX";
    String least = wide == ElementType.I64 ? "INT64_MIN" : "INT32_MIN";
    String limit = (wide == ElementType.I64 ? "9223372036854775808.0" : "2147483648.0") + (source == ElementType.F64 ? "" : "f");
    String type = CTypes.value(wide);
    String value = "a != a ? 0 : a >= " + limit + " ? " + most + " : a <= -" + limit + " ? " + least + " : (" + type + ") a";
    if (!narrow) {
      return "return " + value + ";";
    }
    long high = most(result);
    long low = least(result);
    return "const int32_t b = " + value + ";\n  return (" + CTypes.value(result) + ") (b > " + high + " ? " + high + " : b < " + low + " ? " + low
        + " : b);";
  }
}
