package dev.einfall.passes.loop;

import static dev.einfall.ir.BinaryOp.ADD;
import static dev.einfall.ir.BinaryOp.DIV;
import static dev.einfall.ir.BinaryOp.EQ;
import static dev.einfall.ir.BinaryOp.GT;
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

/// Transcendental functions of `f32` as arithmetic. Polynomials have the least largest error in the interval that the argument is reduced
/// to, or interpolate the function at its Chebyshev nodes. What counts is the number of operations on vectors: those on floats and on integers
/// share the same units.
final class FloatFunctions extends FloatArithmetic {
  /// The exponential of the one is less than every normal number, that of the other more than every finite one; so are those of what
  /// lies beyond.
  private static final double EXP_LEAST = -87.5;
  private static final double EXP_LARGEST = 89.4;
  private static final double LN2_HIGH = 0x1.62e4p-1;
  private static final double LN2_LOW = 1.42860677e-06;
  /// 2 * exp(r) for |r| <= ln(2) / 2: exact at 0.
  private static final double[] TWICE_EXP = {
      2.0, 1.9999994039535522, 0.9999829530715942, 0.3333527445793152, 0.08379606157541275, 0.01658059097826481};
  /// -2^r for |r| <= 1/2.
  private static final double[] MINUS_EXP2 = {
      -1.0, -0.6931470036506653, -0.24022240936756134, -0.055507343262434006, -0.009671554900705814, -0.001326467259787023};
  /// (log(1 + u) - u + u^2 / 2) / u^3 for sqrt(1/2) <= 1 + u < sqrt(2).
  private static final double[] LOG = {
      0.3333333134651184, -0.2499999701976776, 0.20000715553760529, -0.1666780263185501, 0.14249058067798615,
      -0.12425687164068222, 0.11685419827699661, -0.11479733884334564, 0.06971611827611923};
  /// erf(x) / x - 1 in x^2 for |x| < 0.92.
  private static final double[] ERF_SMALL = {
      0.12837915122509003, -0.3761250376701355, 0.11281910538673401, -0.02676982991397381, 0.004997641313821077,
      -0.0006012553349137306};
  /// log(1 - erf(x)) / log(2) for 0.92 <= x <= 4.
  private static final double[] ERF_LARGE = {
      0.00023527449229732156, -1.6294499635696411, -0.9139612317085266, -0.15589188039302826, 0.03596681356430054,
      -0.005873111542314291, 0.0005799794453196228, -2.194665648858063e-05, -6.585864298358501e-07};
  /// (exp(2 h) - 1) / h for |h| <= ln(2) / 4, but for the rounding of the result to 1 beyond this argument of `tanh`.
  private static final double[] EXPM1_OF_TWICE = {
      2.0, 1.9999998807907104, 1.3333234786987305, 0.6666752099990845, 0.26772984862327576, 0.08884809166193008};
  private static final double TANH_LARGEST = 9.02;

  FloatFunctions(Bindings bindings) {
    super(1, bindings);
  }

  /// `exp(x) = 2^n * exp(r)` with `n` the integer nearest to `x / ln(2)`, as `2^(n - 1) * (2 * exp(r))`: so `2^(n - 1)` is a normal number
  /// for every normal result, and 0 or infinity next to them. NaN stays NaN.
  Expr exp(Expr x) {
    double rounder = ROUNDER + BIAS - 1;
    Expr clamped = bind("x", clamped(x, EXP_LEAST, EXP_LARGEST));
    Expr shifted = bind("t", fma(clamped, number(1.4426950408889634), number(rounder)));
    Expr n = bind("n", binary(SUB, shifted, number(rounder)));
    Expr r = bind("r", fma(n, number(-LN2_LOW), fma(n, number(-LN2_HIGH), clamped)));
    return bind("e", binary(MUL, bind("p", polynomial(r, TWICE_EXP)), powerOfTwo(shifted)));
  }

  /// `log(x) = e * ln(2) + log(m)` with `x = m * 2^e` and `m` around 1.
  Expr log(Expr x) {
    Expr isTiny = bind("tiny", binary(LT, x, number(Float.MIN_NORMAL)));
    Expr scaled = bind("x", select(isTiny, binary(MUL, x, number(0x1p23)), x));
    Expr bits = bind("b", new Expr.Bitcast(I32, scaled));
    Expr exponent = bind("e", binary(SHR, binary(SUB, bits, integer(0x3f3504f3)), integer(23)));
    Expr mantissa = new Expr.Bitcast(F32, binary(SUB, bits, binary(SHL, exponent, integer(23))));
    Expr u = bind("u", binary(SUB, mantissa, number(1)));
    Expr e = bind("f", binary(SUB, new Expr.Cast(F32, exponent), select(isTiny, number(23), number(0))));
    Expr square = bind("z", binary(MUL, u, u));
    Expr tail = fma(e, number(LN2_LOW), fma(square, number(-0.5), binary(MUL, binary(MUL, square, u), bind("p", polynomial(u, LOG)))));
    Expr result = fma(e, number(LN2_HIGH), binary(ADD, u, tail));
    Expr positive = select(binary(LT, x, number(Double.POSITIVE_INFINITY)), result, x);
    Expr zero = select(binary(EQ, x, number(0)), number(Double.NEGATIVE_INFINITY), number(Double.NaN));
    return bind("l", select(binary(GT, x, number(0)), positive, select(binary(EQ, x, x), zero, x)));
  }

  /// `(exp(2 x) - 1) / (exp(2 x) + 1)`, where `exp(2 x) - 1` is `2^n * (exp(2 h) - 1) + (2^n - 1)`.
  Expr tanh(Expr x) {
    double rounder = ROUNDER + BIAS;
    Expr clamped = bind("x", clamped(x, -TANH_LARGEST, TANH_LARGEST));
    Expr shifted = bind("t", fma(clamped, number(2 * 1.4426950408889634), number(rounder)));
    Expr n = bind("n", binary(SUB, shifted, number(rounder)));
    Expr h = bind("h", fma(n, number(-LN2_LOW / 2), fma(n, number(-LN2_HIGH / 2), clamped)));
    Expr power = bind("s", powerOfTwo(shifted));
    Expr small = binary(MUL, h, bind("p", polynomial(h, EXPM1_OF_TWICE)));
    Expr less = bind("m", fma(power, small, binary(SUB, power, number(1))));
    return bind("q", binary(DIV, less, binary(ADD, less, number(2))));
  }

  /// An odd polynomial near 0 and `1 - 2^t(|x|)` further out; beyond 4 the result is 1.
  Expr erf(Expr x) {
    double rounder = ROUNDER + BIAS;
    Expr a = bind("a", binary(MIN, new Expr.Unary(UnaryOp.ABS, x), number(4)));
    Expr z = bind("z", binary(MUL, x, x));
    Expr near = fma(x, bind("p", polynomial(z, ERF_SMALL)), x);
    Expr y = bind("p", polynomial(a, ERF_LARGE));
    Expr shifted = bind("t", binary(ADD, y, number(rounder)));
    Expr r = bind("r", binary(SUB, y, binary(SUB, shifted, number(rounder))));
    Expr magnitude = bind("m", fma(bind("p", polynomial(r, MINUS_EXP2)), powerOfTwo(shifted), number(1)));
    Expr signed = select(binary(LT, x, number(0)), new Expr.Unary(UnaryOp.NEG, magnitude), magnitude);
    return bind("g", select(binary(LT, a, number(0.92)), near, signed));
  }

  Expr rsqrt(Expr x) {
    return binary(DIV, number(1), new Expr.Unary(UnaryOp.SQRT, x));
  }
}
