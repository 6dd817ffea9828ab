package dev.einfall.backends.c;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.ValueType;

/// The names of types in C. `f16` and `bf16` are computed with as `float`, rounded after every operation, and lie in memory as their bits.
public final class CTypes {
  private CTypes() {}

  /// The type of a scalar value.
  public static String value(ElementType type) {
    return switch (type) {
      case F64 -> "double";
      case F32, F16, BF16 -> "float";
      case I64 -> "int64_t";
      case I32 -> "int32_t";
      case I16 -> "int16_t";
      case I8 -> "int8_t";
      case U8 -> "uint8_t";
      case BOOL -> "bool";
    };
  }

  /// The type of an element in memory.
  public static String memory(ElementType type) {
    return switch (type) {
      case F64, F32, I64, I32, I16, I8, U8 -> value(type);
      case F16, BF16 -> "uint16_t";
      case BOOL -> "uint8_t";
    };
  }

  /// The type that values of `type` are computed with.
  static ElementType computed(ElementType type) {
    return switch (type) {
      case F16, BF16 -> ElementType.F32;
      case F64, F32, I64, I32, I16, I8, U8, BOOL -> type;
    };
  }

  static ValueType computed(ValueType type) {
    return type.with(computed(type.element()));
  }

  /// Whether values are rounded to something narrower than what they are computed with.
  static boolean isRounded(ElementType type) {
    return computed(type) != type;
  }

  /// How many bytes an element of a value takes, such as the lanes of a mask that selects among such values.
  static int bytes(ElementType type) {
    return computed(type).bytes();
  }

  /// The signed integers of this size.
  static ElementType integer(int bytes) {
    return switch (bytes) {
      case 1 -> ElementType.I8;
      case 2 -> ElementType.I16;
      case 4 -> ElementType.I32;
      case 8 -> ElementType.I64;
      default -> throw new IllegalArgumentException("integers of " + bytes + " bytes");
    };
  }

  /// The unsigned integers of this size.
  static String unsigned(int bytes) {
    return "uint" + 8 * bytes + "_t";
  }
}
