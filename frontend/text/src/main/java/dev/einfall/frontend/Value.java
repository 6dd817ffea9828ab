package dev.einfall.frontend;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Expr;
import java.util.function.Function;

/// A scalar expression whose type may still be open: numbers, coordinates and sizes take the type of what they meet.
sealed interface Value {
  Span span();

  /// A value of one type.
  record Typed(Expr expr, Span span) implements Value {}

  /// A whole number: an `i32` unless it meets another type. `rounds` says that a division is in it, whose rounding
  /// a reader may not expect where the number becomes real.
  record Whole(Expr expr, boolean rounds, Span span) implements Value {}

  /// A real number: an `f32` unless it meets another float type.
  record Real(Function<ElementType, Expr> as, Span span) implements Value {}

  /// The value of an expression that is wrong, which has been reported: whatever it stands in is unknown, too, and no
  /// further error.
  record Unknown(Span span) implements Value {}

  /// The type of this value by itself.
  default ElementType type() {
    return switch (this) {
      case Typed typed -> typed.expr.type();
      case Whole _ -> ElementType.I32;
      case Real _, Unknown _ -> ElementType.F32;
    };
  }
}
