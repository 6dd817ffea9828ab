package dev.einfall.runtime.quantize;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Expr;

/// What whole numbers become: in 32 bits, but for bytes that products read.
final class IntegerArithmetic {
  /// What stands for infinity, and for all that is larger.
  private static final long LARGE = 1 << 22;
  private static final int MOST_BITS = 40;
  private static final double LARGEST_FACTOR = (1 << 15) - 1;
  private static final int HALF = 16;

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

  /// How a number becomes a product and a shift.
  ///
  /// @param bits by which products are shifted
  record Rate(int bits) {

    /// For ratios up to `most`.
    static Rate of(double most) {
      int bits = MOST_BITS;
      while (bits > 0 && Math.abs(most) * Math.scalb(1.0, bits) > LARGEST_FACTOR) {
        bits--;
      }
      if (bits == 0) {
        throw CompileException.of("a number is " + most + " times as large in the unit that is wanted of it: more than whole numbers can say");
      }
      return new Rate(bits);
    }

    /// That of a ratio.
    int factor(double ratio) {
      return Math.toIntExact(Math.round(ratio * Math.scalb(1.0, bits)));
    }
  }

  /// `value` times `ratio`, rounded to the nearest. What is very large times the ratio need not be near.
  static Expr times(Expr value, double ratio) {
    if (Math.abs(ratio) >= LARGE) {
      return new Expr.Binary(BinaryOp.MUL, value, literal(ratio));
    }
    Rate rate = Rate.of(ratio);
    return shifted(value, Expr.index(rate.factor(ratio)), rate);
  }

  /// `value * factor / 2^bits`, rounded to the nearest: by the products of both halves of the value, which are of 32 bits, and with these many times as fast as one of 64.
  static Expr shifted(Expr value, Expr factor, Rate rate) {
    Expr high = new Expr.Binary(BinaryOp.MUL, right(value, HALF), factor);
    Expr low = new Expr.Binary(BinaryOp.MUL, new Expr.Binary(BinaryOp.AND, value, Expr.index((1 << HALF) - 1)), factor);
    int rest = rate.bits - HALF;
    if (rest > 0) {
      return right(plus(plus(high, right(low, HALF)), Expr.index(1L << (rest - 1))), rest);
    }
    Expr left = rest == 0 ? high : new Expr.Binary(BinaryOp.SHL, high, Expr.index(-rest));
    return plus(left, right(plus(low, Expr.index(1L << (rate.bits - 1))), rate.bits));
  }

  private static Expr plus(Expr left, Expr right) {
    return new Expr.Binary(BinaryOp.ADD, left, right);
  }

  private static Expr right(Expr value, int bits) {
    return new Expr.Binary(BinaryOp.SHR, value, new Expr.IntLiteral(value.type(), bits));
  }
}
