package dev.einfall.backends.reference;

/// A compiled expression. It gives one lane of its value: as a `number` if its type is floating-point, else as an
/// `integer`. Expressions without lanes ignore `lane`.
interface Value {
  double number(Frame frame, int lane);

  long integer(Frame frame, int lane);

  /// A value of a floating-point type.
  @FunctionalInterface
  interface OfNumber extends Value {
    @Override
    default long integer(Frame frame, int lane) {
      throw new IllegalStateException("a number, not an integer");
    }
  }

  /// A value of an integer type or `bool`.
  @FunctionalInterface
  interface OfInteger extends Value {
    @Override
    default double number(Frame frame, int lane) {
      throw new IllegalStateException("an integer, not a number");
    }
  }
}
