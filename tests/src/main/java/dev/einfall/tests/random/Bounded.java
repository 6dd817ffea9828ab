package dev.einfall.tests.random;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Expr;

/// A floating-point expression and how far from 0 its value can be. Keeping that small keeps rounding errors comparable
/// with the tolerance.
record Bounded(Expr expr, double bound) {
  private static final double LARGEST = 8;

  static Bounded literal(ElementType type, double value) {
    return new Bounded(Expr.literal(type, value), Math.abs(value));
  }

  Bounded unary(UnaryOp op, double newBound) {
    return new Bounded(new Expr.Unary(op, expr), newBound);
  }

  Bounded binary(BinaryOp op, Bounded other, double newBound) {
    return new Bounded(new Expr.Binary(op, expr, other.expr), newBound);
  }

  Bounded plus(double value) {
    return plus(literal(expr.type(), value));
  }

  Bounded plus(Bounded other) {
    return binary(BinaryOp.ADD, other, bound + other.bound);
  }

  Bounded times(double factor) {
    return binary(BinaryOp.MUL, literal(expr.type(), factor), bound * Math.abs(factor));
  }

  Bounded magnitude() {
    return unary(UnaryOp.ABS, bound);
  }

  Bounded converted(ElementType type) {
    return expr.type() == type ? this : new Bounded(new Expr.Cast(type, expr), bound);
  }

  /// The same, scaled down by a power of 2 if it may be large.
  Bounded tamed() {
    return within(LARGEST);
  }

  Bounded within(double limit) {
    return bound <= limit ? this : times(Math.scalb(1, -Math.getExponent(bound / limit) - 1));
  }

  /// The same between `-limit` and `limit`: unlike [#within], this rounds nothing.
  Bounded clamped(double limit) {
    return bound <= limit ? this : binary(BinaryOp.MIN, literal(expr.type(), limit), bound)
        .binary(BinaryOp.MAX, literal(expr.type(), -limit), limit);
  }
}
