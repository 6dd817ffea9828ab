package dev.einfall.frontend.weights;

import java.math.BigInteger;
import java.util.List;

/// A value of the metadata of a GGUF file.
public sealed interface GgufValue {

  /// A whole number of any width.
  record Whole(BigInteger value) implements GgufValue {}

  /// An `f32` or `f64`.
  record Real(double value) implements GgufValue {}

  /// A truth.
  record Truth(boolean value) implements GgufValue {}

  /// A string.
  record Text(String value) implements GgufValue {}

  /// An array, of values of one type.
  record Items(List<GgufValue> values) implements GgufValue {
    public Items {
      values = List.copyOf(values);
    }
  }
}
