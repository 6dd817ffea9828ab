package dev.einfall.tests.random;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Expr;

/// A floating-point expression and how far from 0 its value can be. Keeping that small keeps rounding errors comparable
/// with the tolerance.
record Bounded(Expr expr, double bound) {
  private static final double LARGEST = 8;

  static Bounded literal(dev.einfall.ir.ElementType type, double value) {
    return new Bounded(Expr.literal(type, value), Math.abs(value));
  }

  Bounded unary(UnaryOp op, double newBound) {
    return new Bounded(new Expr.Unary(op, expr), newBound);
  }

  Bounded binary(BinaryOp op, Bounded other, double newBound) {
    return new Bounded(new Expr.Binary(op, expr, other.expr), newBound);
  }

  Bounded plus(double value) {
    return binary(BinaryOp.ADD, literal(expr.type(), value), bound + value);
  }

  Bounded magnitude() {
    return unary(UnaryOp.ABS, bound);
  }

  /// The same, scaled down by a power of 2 if it may be large.
  Bounded tamed() {
    return within(LARGEST);
  }

  Bounded within(double limit) {
    if (bound <= limit) {
      return this;
    }
    double scale = Math.scalb(1, -Math.getExponent(bound / limit) - 1);
    return binary(BinaryOp.MUL, literal(expr.type(), scale), bound * scale);
  }
}
