package dev.einfall.passes.loop;

import static dev.einfall.ir.BinaryOp.ADD;
import static dev.einfall.ir.BinaryOp.DIV;
import static dev.einfall.ir.BinaryOp.EQ;
import static dev.einfall.ir.BinaryOp.LT;
import static dev.einfall.ir.BinaryOp.MIN;
import static dev.einfall.ir.BinaryOp.MUL;
import static dev.einfall.ir.BinaryOp.SHL;
import static dev.einfall.ir.BinaryOp.SHR;
import static dev.einfall.ir.BinaryOp.SUB;
import static dev.einfall.ir.ElementType.F32;
import static dev.einfall.ir.ElementType.I32;

import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.loop.Expr;

/// Errors below 1 ULP, subnormal numbers and the signs of zeros: each ends by adding what is small, or by a product with a power of two, so
/// that the last rounding is most of the error.
final class StrictFunctions extends FloatFunctions {
  /// The exponential of the one is less than half of every number, that of the other more than every finite one; so are those of what
  /// lies beyond.
  private static final double EXP_LEAST = -104;
  private static final double EXP_LARGEST = 89;
  /// (exp(r) - 1) / r for |r| <= ln(2) / 2: exp(r) is relatively exact.
  private static final double[] EXPM1 = {
      1.0, 0.4999999403953552, 0.16666516661643982, 0.041668105870485306, 0.00836914125829935, 0.0013836775906383991};
  /// (exp(2 h) - 1) / h: the same, times powers of two.
  private static final double[] EXPM1_OF_TWICE = {
      2.0, 1.9999997615814209, 1.3333213329315186, 0.6666896939277649, 0.2678125202655792, 0.08855536580085754};
  /// (tanh(x) / x - 1) / x^2 in x^2 for |x| < 1.
  private static final double[] TANH_SMALL = {
      -0.33333295583724976, 0.13332347571849823, -0.0538799874484539, 0.021487178280949593, -0.007946852594614029,
      0.0023018941283226013, -0.00035859982017427683};
  private static final double TANH_LARGEST = 9.02;

  StrictFunctions(Bindings bindings) {
    super(bindings);
  }

  /// `exp(x) = exp(r) * 2^n` with `n` the integer nearest to `x / ln(2)`, by the powers of both halves of `n`: these are normal numbers,
  /// and only the product with the second is rounded, where the result is subnormal.
  @Override
  Expr exp(Expr x) {
    double rounder = ROUNDER + 2 * BIAS;
    Expr clamped = bind("x", clamped(x, EXP_LEAST, EXP_LARGEST));
    Expr shifted = bind("t", fma(clamped, number(LOG2_E), number(rounder)));
    Expr n = bind("n", binary(SUB, shifted, number(rounder)));
    Expr r = bind("r", fma(n, number(-LN2_LOW), fma(n, number(-LN2_HIGH), clamped)));
    Expr bits = bind("b", new Expr.Bitcast(I32, shifted));
    Expr half = bind("h", binary(SHR, bits, integer(1)));
    Expr p = bind("p", fma(polynomial(r, EXPM1), r, number(1)));
    return bind("e", binary(MUL, binary(MUL, p, power(half)), power(binary(SUB, bits, half))));
  }

  private Expr power(Expr exponent) {
    return new Expr.Bitcast(F32, binary(SHL, exponent, integer(23)));
  }

  /// An odd polynomial below 1 and `1 - 2 / (exp(2 |x|) + 1)` above, where the denominator is `2^n * (exp(2 h) - 1) + (2^n + 1)`.
  @Override
  Expr tanh(Expr x) {
    double rounder = ROUNDER + BIAS;
    Expr a = bind("a", binary(MIN, new Expr.Unary(UnaryOp.ABS, x), number(TANH_LARGEST)));
    Expr z = bind("z", binary(MUL, a, a));
    Expr small = fma(a, binary(MUL, z, polynomial(z, TANH_SMALL)), a);
    Expr shifted = bind("t", fma(a, number(2 * LOG2_E), number(rounder)));
    Expr n = bind("n", binary(SUB, shifted, number(rounder)));
    Expr h = bind("h", fma(n, number(-LN2_LOW / 2), fma(n, number(-LN2_HIGH / 2), a)));
    Expr power = bind("s", powerOfTwo(shifted));
    Expr more = fma(binary(MUL, power, h), polynomial(h, EXPM1_OF_TWICE), binary(ADD, power, number(1)));
    Expr large = binary(SUB, number(1), binary(DIV, number(2), more));
    return bind("q", withSign(select(binary(LT, a, number(1)), small, large), x));
  }

  /// `sqrt(4 / x) / 2`: a root halves the error of what it is taken of. Numbers whose inverse is none, or nearly, are scaled.
  @Override
  Expr rsqrt(Expr operand) {
    Expr x = bind("x", operand);
    Expr isTiny = bind("tiny", binary(LT, x, number(0x1p-100)));
    Expr inverse = bind("v", binary(DIV, select(isTiny, number(0x1p-30), number(4)), x));
    Expr root = binary(MUL, new Expr.Unary(UnaryOp.SQRT, inverse), select(isTiny, number(0x1p15), number(0.5)));
    Expr valid = select(binary(LT, x, number(0)), number(Double.NaN), root);
    return bind("q", select(binary(EQ, x, number(0)), inverse, valid));
  }
}
