package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.loop.Interval;

/// The values that an integer expression of the cascade level can have, whatever is in the tensors that it reads.
final class IntegerRange {
  private IntegerRange() {}

  /// @param expr an integer or `bool`, with numbers for all sizes
  static Interval of(Expr expr) {
    Interval type = Interval.of(expr.type());
    Interval computed = switch (expr) {
      case Expr.IntLiteral literal -> Interval.of(literal.value());
      case Expr.Coordinate(Rank rank) -> Interval.below(rank.size().value());
      case Expr.Extent extent -> Interval.of(extent.size().value());
      case Expr.Cast cast when !cast.operand().type().isFloat() -> of(cast.operand());
      case Expr.Select select -> of(select.whenTrue()).union(of(select.whenFalse()));
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when !left.type().isFloat() -> combined(op, of(left), of(right));
      case Expr.Access access -> access.outside().map(outside -> type.union(of(outside))).orElse(type);
      case Expr.FloatLiteral _, Expr.Unary _, Expr.Binary _, Expr.Cast _, Expr.Reduce _, Expr.Fold _, Expr.Ref _ -> type;
    };
    return type.contains(computed) ? computed : type;
  }

  private static Interval combined(BinaryOp op, Interval a, Interval b) {
    boolean areNatural = a.low() >= 0 && b.low() >= 0;
    boolean isShift = areNatural && b.high() < Integer.SIZE - 1;
    return switch (op) {
      case ADD -> a.plus(b);
      case SUB -> a.plus(b.negate());
      case MUL -> a.times(b);
      case DIV -> a.floorDivide(b);
      case MOD -> a.floorRemainder(b);
      case MIN -> a.minimum(b);
      case MAX -> a.maximum(b);
      case AND -> b.low() >= 0 ? new Interval(0, areNatural ? Math.min(a.high(), b.high()) : b.high())
          : a.low() >= 0 ? new Interval(0, a.high()) : Interval.ALL;
      case OR, XOR -> areNatural && a.isBounded() && b.isBounded() ? new Interval(0, 2 * Long.highestOneBit(Math.max(1, Math.max(a.high(), b.high()))) - 1) : Interval.ALL;
      case SHL -> isShift ? a.times(new Interval(1L << b.low(), 1L << b.high())) : Interval.ALL;
      case SHR -> isShift ? new Interval(a.low() >> b.high(), a.high() >> b.low()) : Interval.ALL;
      case POW, EQ, NE, LT, LE, GT, GE -> Interval.ALL;
    };
  }
}
