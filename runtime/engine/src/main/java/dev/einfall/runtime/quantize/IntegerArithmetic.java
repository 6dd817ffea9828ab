package dev.einfall.runtime.quantize;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Expr;

/// What whole numbers become: in 32 bits, but for bytes that products read.
final class IntegerArithmetic {
  /// What stands for infinity, and for all that is larger.
  private static final long LARGE = 1 << 22;
  private static final int SHIFT = 40;
  private static final double LARGEST_RATE = 0x1p30;

  private IntegerArithmetic() {}

  static Expr literal(double value) {
    return Expr.index(Math.round(Math.clamp(value, -LARGE, LARGE)));
  }

  static Expr wide(Expr value) {
    return value.type() == ElementType.I32 ? value : new Expr.Cast(ElementType.I32, value);
  }

  static Expr bytes(Expr value) {
    Expr above = new Expr.Binary(BinaryOp.MAX, value, Expr.index(-127));
    return new Expr.Cast(ElementType.I8, new Expr.Binary(BinaryOp.MIN, above, Expr.index(127)));
  }

  /// By how much products with a rate up to `most` are shifted.
  static int shift(double most) {
    for (int shift = SHIFT; shift > 0; shift--) {
      if (Math.abs(most) * Math.scalb(1.0, shift) < LARGEST_RATE) {
        return shift;
      }
    }
    throw CompileException.of("a number is " + most + " times as large in the unit that is wanted of it: more than whole numbers can say");
  }

  /// `value` times `ratio`, rounded to the nearest. What is very large times the ratio need not be near.
  static Expr times(Expr value, double ratio) {
    if (Math.abs(ratio) >= LARGE) {
      return new Expr.Binary(BinaryOp.MUL, value, literal(ratio));
    }
    int shift = shift(ratio);
    return shifted(value, new Expr.IntLiteral(ElementType.I64, Math.round(ratio * Math.scalb(1.0, shift))), shift);
  }

  /// `value * rate / 2^shift`, rounded to the nearest, where the rate is of 64 bits.
  static Expr shifted(Expr value, Expr rate, int shift) {
    Expr product = new Expr.Binary(BinaryOp.MUL, new Expr.Cast(ElementType.I64, value), rate);
    Expr half = new Expr.Binary(BinaryOp.ADD, product, new Expr.IntLiteral(ElementType.I64, 1L << (shift - 1)));
    return new Expr.Cast(ElementType.I32, new Expr.Binary(BinaryOp.SHR, half, new Expr.IntLiteral(ElementType.I64, shift)));
  }
}
