package dev.einfall.passes.recurrence;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.cascade.Expr;

/// Index expressions.
final class Indices {
  private Indices() {}

  /// `index + number`, with a constant at the end of `index` taken in: `t + 1 - 1` is `t`.
  static Expr plus(Expr index, long number) {
    return switch (index) {
      case Expr.IntLiteral literal -> new Expr.IntLiteral(literal.type(), literal.value() + number);
      case Expr.Binary(BinaryOp op, Expr left, Expr.IntLiteral constant) when op == BinaryOp.ADD ->
          offset(left, constant.value() + number);
      case Expr.Binary(BinaryOp op, Expr left, Expr.IntLiteral constant) when op == BinaryOp.SUB ->
          offset(left, number - constant.value());
      case Expr.Binary(BinaryOp op, Expr.IntLiteral constant, Expr right) when op == BinaryOp.SUB ->
          new Expr.Binary(op, new Expr.IntLiteral(constant.type(), constant.value() + number), right);
      case Expr _ -> offset(index, number);
    };
  }

  private static Expr offset(Expr index, long number) {
    return number == 0 ? index
        : new Expr.Binary(number > 0 ? BinaryOp.ADD : BinaryOp.SUB, index, new Expr.IntLiteral(index.type(), Math.abs(number)));
  }
}
