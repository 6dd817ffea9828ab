package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.loop.Expr;

/// Writes indices.
final class Indices {
  private Indices() {}

  static Expr plus(Expr left, Expr right) {
    return right.equals(Expr.index(0)) ? left : new Expr.Binary(BinaryOp.ADD, left, right);
  }

  static Expr times(Expr expr, long factor) {
    return factor == 1 ? expr : new Expr.Binary(BinaryOp.MUL, expr, Expr.index(factor));
  }

  static Expr over(Expr expr, long divisor) {
    return divisor == 1 ? expr : new Expr.Binary(BinaryOp.DIV, expr, Expr.index(divisor));
  }

  static Expr rest(Expr expr, long divisor) {
    return divisor == 1 ? Expr.index(0) : new Expr.Binary(BinaryOp.MOD, expr, Expr.index(divisor));
  }

  static Expr below(Expr index, long limit) {
    return new Expr.Binary(BinaryOp.LT, index, Expr.index(limit));
  }

  /// How many parts of `size` cover `count`.
  static long parts(long count, long size) {
    return (count + size - 1) / size;
  }
}
