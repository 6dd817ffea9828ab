package dev.einfall.passes.loop;

import static dev.einfall.ir.BinaryOp.AND;
import static dev.einfall.ir.BinaryOp.MAX;
import static dev.einfall.ir.BinaryOp.MIN;
import static dev.einfall.ir.BinaryOp.OR;
import static dev.einfall.ir.BinaryOp.SHL;
import static dev.einfall.ir.ElementType.F32;
import static dev.einfall.ir.ElementType.I32;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.loop.Expr;

/// The words in which functions of `f32` are written as arithmetic on floats, or on vectors of them, and on their bits.
abstract class FloatArithmetic {
  /// 1.5 * 2^23: adding it rounds a small float to an integer, which the low bits then hold. With [#BIAS] added, these are the exponent of
  /// a power of two.
  static final double ROUNDER = 12582912.0;
  static final int BIAS = 127;

  private final int lanes;
  private final Bindings bindings;

  /// @param lanes of the operands; 1 for scalars
  /// @param bindings take the variables
  FloatArithmetic(int lanes, Bindings bindings) {
    this.lanes = lanes;
    this.bindings = bindings;
  }

  final Expr bind(String name, Expr value) {
    return bindings.bind(name, value);
  }

  /// Horner's scheme, lowest coefficient first.
  final Expr polynomial(Expr x, double[] coefficients) {
    Expr sum = number(coefficients[coefficients.length - 1]);
    for (int i = coefficients.length - 2; i >= 0; i--) {
      sum = fma(sum, x, number(coefficients[i]));
    }
    return sum;
  }

  /// NaN stays NaN.
  final Expr clamped(Expr x, double least, double largest) {
    return binary(MIN, binary(MAX, x, number(least)), number(largest));
  }

  /// The power whose exponent, with its bias, is in the low bits of a float.
  final Expr powerOfTwo(Expr shifted) {
    return new Expr.Bitcast(F32, binary(SHL, new Expr.Bitcast(I32, shifted), integer(23)));
  }

  /// `magnitude`, which is not negative, with the sign of `x`.
  final Expr withSign(Expr magnitude, Expr x) {
    Expr sign = binary(AND, new Expr.Bitcast(I32, x), integer(Integer.MIN_VALUE));
    return new Expr.Bitcast(F32, binary(OR, new Expr.Bitcast(I32, magnitude), sign));
  }

  static Expr binary(BinaryOp op, Expr left, Expr right) {
    return new Expr.Binary(op, left, right);
  }

  static Expr fma(Expr a, Expr b, Expr c) {
    return new Expr.Fma(a, b, c);
  }

  static Expr select(Expr condition, Expr whenTrue, Expr whenFalse) {
    return new Expr.Select(condition, whenTrue, whenFalse);
  }

  final Expr number(double value) {
    return wide(new Expr.FloatLiteral(F32, (float) value));
  }

  final Expr integer(long value) {
    return wide(new Expr.IntLiteral(I32, value));
  }

  private Expr wide(Expr scalar) {
    return lanes == 1 ? scalar : new Expr.Broadcast(scalar, lanes);
  }
}
