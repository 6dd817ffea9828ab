package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Expr;

/// The rounding of `f32` numbers to whole ones of -127 to 127, in steps of 1/127 of the largest of those that share them.
final class ByteRounding {
  private static final int LARGEST = 127;
  /// Numbers that are smaller are rounded as if the largest were this one, whose reciprocal is finite. A choice between two ways would be compiled for the one that was
  /// taken first.
  private static final double LEAST = 0x1p-119;

  private ByteRounding() {}

  /// The step, where `largest` is the largest magnitude.
  static Expr step(Expr largest) {
    return new Expr.Binary(BinaryOp.DIV, largest, literal(LARGEST));
  }

  /// `number` in steps, as the nearest whole one; of two, the even one, so that sums of many do not drift. Where all are 0, it is; what is no finite number, or shares its
  /// step with one, is some whole number, whose product with the step is none.
  static Expr whole(Expr number, Expr largest) {
    Expr steps = new Expr.Binary(BinaryOp.DIV, literal(LARGEST), new Expr.Binary(BinaryOp.MAX, largest, literal(LEAST)));
    Expr inSteps = new Expr.Binary(BinaryOp.MUL, number, steps);
    return new Expr.Unary(UnaryOp.ROUND, new Expr.Binary(BinaryOp.MIN, new Expr.Binary(BinaryOp.MAX, inSteps, literal(-LARGEST)), literal(LARGEST)));
  }

  private static Expr literal(double value) {
    return new Expr.FloatLiteral(ElementType.F32, value);
  }
}
