package dev.einfall.passes.loop;

import static dev.einfall.ir.BinaryOp.ADD;
import static dev.einfall.ir.BinaryOp.DIV;
import static dev.einfall.ir.BinaryOp.MUL;
import static dev.einfall.ir.BinaryOp.SUB;

import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.loop.Expr;

/// Errors below 4 ULP by fewer operations.
final class QuickFunctions extends FloatFunctions {
  /// The exponential of the one is less than every normal number, that of the other more than every finite one; so are those of what
  /// lies beyond.
  private static final double EXP_LEAST = -87.5;
  private static final double EXP_LARGEST = 89.4;
  /// 2 * exp(r) for |r| <= ln(2) / 2: exact at 0.
  private static final double[] TWICE_EXP = {
      2.0, 1.9999994039535522, 0.9999829530715942, 0.3333527445793152, 0.08379606157541275, 0.01658059097826481};
  /// (exp(2 h) - 1) / h for |h| <= ln(2) / 4, but for the rounding of the result to 1 beyond this argument of `tanh`.
  private static final double[] EXPM1_OF_TWICE = {
      2.0, 1.9999998807907104, 1.3333234786987305, 0.6666752099990845, 0.26772984862327576, 0.08884809166193008};
  private static final double TANH_LARGEST = 9.02;

  QuickFunctions(Bindings bindings) {
    super(bindings);
  }

  /// `exp(x) = 2^n * exp(r)` with `n` the integer nearest to `x / ln(2)`, as `2^(n - 1) * (2 * exp(r))`: so `2^(n - 1)` is a normal number
  /// for every normal result, and 0 or infinity next to them. NaN stays NaN.
  @Override
  Expr exp(Expr x) {
    double rounder = ROUNDER + BIAS - 1;
    Expr clamped = bind("x", clamped(x, EXP_LEAST, EXP_LARGEST));
    Expr shifted = bind("t", fma(clamped, number(LOG2_E), number(rounder)));
    Expr n = bind("n", binary(SUB, shifted, number(rounder)));
    Expr r = bind("r", fma(n, number(-LN2_LOW), fma(n, number(-LN2_HIGH), clamped)));
    return bind("e", binary(MUL, bind("p", polynomial(r, TWICE_EXP)), powerOfTwo(shifted)));
  }

  /// `(exp(2 x) - 1) / (exp(2 x) + 1)`, where `exp(2 x) - 1` is `2^n * (exp(2 h) - 1) + (2^n - 1)`.
  @Override
  Expr tanh(Expr x) {
    double rounder = ROUNDER + BIAS;
    Expr clamped = bind("x", clamped(x, -TANH_LARGEST, TANH_LARGEST));
    Expr shifted = bind("t", fma(clamped, number(2 * LOG2_E), number(rounder)));
    Expr n = bind("n", binary(SUB, shifted, number(rounder)));
    Expr h = bind("h", fma(n, number(-LN2_LOW / 2), fma(n, number(-LN2_HIGH / 2), clamped)));
    Expr power = bind("s", powerOfTwo(shifted));
    Expr small = binary(MUL, h, bind("p", polynomial(h, EXPM1_OF_TWICE)));
    Expr less = bind("m", fma(power, small, binary(SUB, power, number(1))));
    return bind("q", binary(DIV, less, binary(ADD, less, number(2))));
  }

  @Override
  Expr rsqrt(Expr x) {
    return binary(DIV, number(1), new Expr.Unary(UnaryOp.SQRT, x));
  }
}
