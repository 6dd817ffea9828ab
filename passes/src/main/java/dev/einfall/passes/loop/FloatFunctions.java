package dev.einfall.passes.loop;

import static dev.einfall.ir.BinaryOp.ADD;
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
import dev.einfall.passes.Numerics;

/// Transcendental functions of `f32` as arithmetic. Polynomials have the least largest error in the interval that the argument is reduced
/// to, or interpolate the function at its Chebyshev nodes. What counts is the number of operations on vectors: those on floats and on
/// integers share the same units. `log` and `erf` are below 1 ULP under each contract.
abstract sealed class FloatFunctions extends FloatArithmetic permits StrictFunctions, QuickFunctions {
  static final double LOG2_E = 1.4426950408889634;
  static final double LN2_HIGH = 0x1.62e4p-1;
  static final double LN2_LOW = 1.42860677e-06;
  /// (log(1 + u) - u + u^2 / 2) / u^3 for sqrt(1/2) <= 1 + u < sqrt(2).
  private static final double[] LOG = {
      0.3333333134651184, -0.2499999701976776, 0.20000715553760529, -0.1666780263185501, 0.14249058067798615,
      -0.12425687164068222, 0.11685419827699661, -0.11479733884334564, 0.06971611827611923};
  private static final double ERF_BOUND = 0.98;
  /// erf(x) / x - 1 in x^2 for |x| < 0.98.
  private static final double[] ERF_SMALL = {
      0.12837916612625122, -0.3761262893676758, 0.11283625662326813, -0.026855740696191788, 0.005192460957914591,
      -0.0008050818578340113, 8.002884715097025e-05};
  /// log(1 - erf(1 + b)) / log(2) + 3 for -0.02 <= b <= 3: small where what is subtracted from 1 is large.
  private static final double[] ERF_LARGE = {
      0.33158329129219055, -3.8072242736816406, -1.2163610458374023, -0.059886857867240906, 0.014300523325800896,
      -0.002659691497683525, 0.00027436556410975754};
  /// -2^r for |r| <= 1/2.
  private static final double[] MINUS_EXP2 = {
      -1.0, -0.6931470036506653, -0.24022240936756134, -0.055507343262434006, -0.009671554900705814, -0.001326467259787023};

  FloatFunctions(Bindings bindings) {
    super(1, bindings);
  }

  /// Those below 1 ULP under the `strict` contract, else those with the fewest operations.
  static FloatFunctions of(Numerics numerics, Bindings bindings) {
    return numerics == Numerics.STRICT ? new StrictFunctions(bindings) : new QuickFunctions(bindings);
  }

  abstract Expr exp(Expr x);

  abstract Expr tanh(Expr x);

  abstract Expr rsqrt(Expr x);

  /// `log(x) = e * ln(2) + log(m)` with `x = m * 2^e` and `m` around 1.
  final Expr log(Expr x) {
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

  /// An odd polynomial below 0.98 and `1 - 2^(t(|x| - 1) - 3)` above; beyond 4 the result is 1.
  final Expr erf(Expr x) {
    double rounder = ROUNDER + BIAS - 3;
    Expr a = bind("a", binary(MIN, new Expr.Unary(UnaryOp.ABS, x), number(4)));
    Expr small = bind("p", polynomial(bind("z", binary(MUL, a, a)), ERF_SMALL));
    Expr y = bind("y", polynomial(bind("b", binary(SUB, a, number(1))), ERF_LARGE));
    Expr shifted = bind("t", binary(ADD, y, number(rounder)));
    Expr r = bind("r", binary(SUB, y, binary(SUB, shifted, number(rounder))));
    Expr large = fma(bind("p", polynomial(r, MINUS_EXP2)), powerOfTwo(shifted), number(1));
    return bind("g", withSign(select(binary(LT, a, number(ERF_BOUND)), fma(a, small, a), large), x));
  }
}
