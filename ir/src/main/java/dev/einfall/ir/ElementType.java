package dev.einfall.ir;

import java.util.Optional;

/// The type of one element of a tensor or buffer.
///
/// Floating-point arithmetic rounds to nearest, ties to even, in the width of its type. Integer arithmetic
/// wraps around. `BOOL` is stored as one byte, 0 or 1.
public enum ElementType {
  F64("f64", 8, Family.FLOAT),
  F32("f32", 4, Family.FLOAT),
  F16("f16", 2, Family.FLOAT),
  BF16("bf16", 2, Family.FLOAT),
  I64("i64", 8, Family.INTEGER),
  I32("i32", 4, Family.INTEGER),
  I16("i16", 2, Family.INTEGER),
  I8("i8", 1, Family.INTEGER),
  U8("u8", 1, Family.INTEGER),
  BOOL("bool", 1, Family.BOOLEAN);

  /// What arithmetic an element takes part in.
  public enum Family { FLOAT, INTEGER, BOOLEAN }

  private final String text;
  private final int bytes;
  private final Family family;

  ElementType(String text, int bytes, Family family) {
    this.text = text;
    this.bytes = bytes;
    this.family = family;
  }

  /// The type as it is written in both text syntaxes, such as `f32`.
  public String text() {
    return text;
  }

  /// The size of an element in memory, in bytes.
  public int bytes() {
    return bytes;
  }

  public boolean isFloat() {
    return family == Family.FLOAT;
  }

  public boolean isInteger() {
    return family == Family.INTEGER;
  }

  public boolean isBool() {
    return family == Family.BOOLEAN;
  }

  /// The type written as `text`, if there is one.
  public static Optional<ElementType> named(String text) {
    for (ElementType type : values()) {
      if (type.text.equals(text)) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }

  @Override
  public String toString() {
    return text;
  }
}
