package dev.einfall.passes.loop;

import static dev.einfall.ir.BinaryOp.ADD;
import static dev.einfall.ir.BinaryOp.DIV;
import static dev.einfall.ir.BinaryOp.EQ;
import static dev.einfall.ir.BinaryOp.GT;
import static dev.einfall.ir.BinaryOp.LE;
import static dev.einfall.ir.BinaryOp.LT;
import static dev.einfall.ir.BinaryOp.MAX;
import static dev.einfall.ir.BinaryOp.MIN;
import static dev.einfall.ir.BinaryOp.MUL;
import static dev.einfall.ir.BinaryOp.SHL;
import static dev.einfall.ir.BinaryOp.SHR;
import static dev.einfall.ir.BinaryOp.SUB;
import static dev.einfall.ir.ElementType.F32;
import static dev.einfall.ir.ElementType.I32;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.loop.Expr;

/// Transcendental functions of `f32` as arithmetic. Polynomials interpolate the function at the Chebyshev nodes of the
/// interval that the argument is reduced to.
final class FloatFunctions {
  /// 1.5 * 2^23: adding it rounds a small float to an integer, which the low bits then hold.
  private static final double ROUNDER = 12582912.0;
  /// The least and the largest number whose exponential is a normal one.
  private static final double EXP_LEAST = -87.336544;
  private static final double EXP_LARGEST = 88.72283;
  private static final double LN2_HIGH = 0x1.62e4p-1;
  private static final double LN2_LOW = 1.42860677e-06;
  /// exp(r) for |r| <= ln(2) / 2.
  private static final double[] EXP = {1.0, 1.0, 0.5, 0.16666576266288757, 0.041666556149721146, 0.00836318451911211, 0.0013926189858466387};
  /// (log(1 + u) - u + u^2 / 2) / u^3 for sqrt(1/2) <= 1 + u < sqrt(2).
  private static final double[] LOG = {
      0.3333333134651184, -0.2499999701976776, 0.20000715553760529, -0.1666780263185501, 0.14249058067798615,
      -0.12425687164068222, 0.11685419827699661, -0.11479733884334564, 0.06971611827611923};
  /// erf(x) / x - 1 in x^2 for |x| < 0.92.
  private static final double[] ERF_SMALL = {
      0.12837915122509003, -0.3761250376701355, 0.11281910538673401, -0.02676982991397381, 0.004997641313821077,
      -0.0006012553349137306};
  /// -log(1 - erf(x)) for 0.92 <= x <= 4.
  private static final double[] ERF_LARGE = {
      -0.00032044152612797916, 1.1302375793457031, 0.6318145394325256, 0.11009448021650314, -0.026431018486618996,
      0.00476357527077198, -0.0005977434921078384, 4.6177912736311555e-05, -1.6435697034467012e-06};
  /// tanh(x) / x = P(x^2) / Q(x^2) for |x| <= 9.1.
  private static final double[] TANH_P = {
      1.0, 0.14018797874450684, 0.0043201507069170475, 3.965550786233507e-05, 9.725827254669639e-08, 2.8968322532407775e-11};
  private static final double[] TANH_Q = {
      1.0, 0.47352123260498047, 0.028827302157878876, 0.0004808061057701707, 2.3686923213972477e-06, 2.4612742954843725e-09};

  private final ExpandFunctions.Bindings bindings;

  FloatFunctions(ExpandFunctions.Bindings bindings) {
    this.bindings = bindings;
  }

  /// `exp(x) = 2^n * exp(r)` with `n` the integer nearest to `x / ln(2)`. The polynomial is around 1, so `n` is added to its
  /// exponent; where the sum would be none of a normal number, the result is 0 or infinity, and NaN where `x` is.
  Expr exp(Expr x) {
    Expr shifted = bindings.bind("t", fma(x, number(1.4426950408889634), number(ROUNDER)));
    Expr n = bindings.bind("n", binary(SUB, shifted, number(ROUNDER)));
    Expr r = bindings.bind("r", fma(n, number(-LN2_LOW), fma(n, number(-LN2_HIGH), x)));
    Expr exponent = binary(SHL, new Expr.Bitcast(I32, shifted), integer(23));
    Expr bits = binary(ADD, new Expr.Bitcast(I32, polynomial(r, EXP)), exponent);
    Expr e = bindings.bind("e", new Expr.Bitcast(F32, bits));
    Expr finite = select(binary(LE, x, number(EXP_LARGEST)), e, binary(ADD, x, number(Double.POSITIVE_INFINITY)));
    return bindings.bind("e", select(binary(LT, x, number(EXP_LEAST)), number(0), finite));
  }

  /// `log(x) = e * ln(2) + log(m)` with `x = m * 2^e` and `m` around 1.
  Expr log(Expr x) {
    Expr isTiny = bindings.bind("tiny", binary(LT, x, number(Float.MIN_NORMAL)));
    Expr scaled = bindings.bind("x", select(isTiny, binary(MUL, x, number(0x1p23)), x));
    Expr bits = bindings.bind("b", new Expr.Bitcast(I32, scaled));
    Expr exponent = bindings.bind("e", binary(SHR, binary(SUB, bits, integer(0x3f3504f3)), integer(23)));
    Expr mantissa = new Expr.Bitcast(F32, binary(SUB, bits, binary(SHL, exponent, integer(23))));
    Expr u = bindings.bind("u", binary(SUB, mantissa, number(1)));
    Expr e = bindings.bind("f", binary(SUB, new Expr.Cast(F32, exponent), select(isTiny, number(23), number(0))));
    Expr square = bindings.bind("z", binary(MUL, u, u));
    Expr tail = fma(e, number(LN2_LOW), fma(square, number(-0.5), binary(MUL, binary(MUL, square, u), polynomial(u, LOG))));
    Expr result = fma(e, number(LN2_HIGH), binary(ADD, u, tail));
    Expr positive = select(binary(LT, x, number(Double.POSITIVE_INFINITY)), result, x);
    Expr zero = select(binary(EQ, x, number(0)), number(Double.NEGATIVE_INFINITY), number(Double.NaN));
    return bindings.bind("l", select(binary(GT, x, number(0)), positive, select(binary(EQ, x, x), zero, x)));
  }

  /// A ratio of polynomials; beyond 9 the result is 1.
  Expr tanh(Expr x) {
    Expr clamped = bindings.bind("x", binary(MIN, binary(MAX, x, number(-9)), number(9)));
    Expr z = bindings.bind("z", binary(MUL, clamped, clamped));
    Expr p = binary(MUL, clamped, polynomial(z, TANH_P));
    return bindings.bind("h", binary(DIV, p, polynomial(z, TANH_Q)));
  }

  /// An odd polynomial near 0 and `1 - exp(-t(|x|))` further out; beyond 4 the result is 1.
  Expr erf(Expr x) {
    Expr a = bindings.bind("a", binary(MIN, new Expr.Unary(UnaryOp.ABS, x), number(4)));
    Expr z = bindings.bind("z", binary(MUL, x, x));
    Expr near = fma(x, polynomial(z, ERF_SMALL), x);
    Expr far = binary(SUB, number(1), exp(bindings.bind("y", new Expr.Unary(UnaryOp.NEG, polynomial(a, ERF_LARGE)))));
    Expr magnitude = bindings.bind("m", far);
    Expr signed = select(binary(LT, x, number(0)), new Expr.Unary(UnaryOp.NEG, magnitude), magnitude);
    return bindings.bind("g", select(binary(LT, a, number(0.92)), near, signed));
  }

  Expr rsqrt(Expr x) {
    return binary(DIV, number(1), new Expr.Unary(UnaryOp.SQRT, x));
  }

  /// Horner's scheme, lowest coefficient first.
  private Expr polynomial(Expr x, double[] coefficients) {
    Expr sum = number(coefficients[coefficients.length - 1]);
    for (int i = coefficients.length - 2; i >= 0; i--) {
      sum = fma(sum, x, number(coefficients[i]));
    }
    return bindings.bind("p", sum);
  }

  private static Expr binary(BinaryOp op, Expr left, Expr right) {
    return new Expr.Binary(op, left, right);
  }

  private static Expr fma(Expr a, Expr b, Expr c) {
    return new Expr.Fma(a, b, c);
  }

  private static Expr select(Expr condition, Expr whenTrue, Expr whenFalse) {
    return new Expr.Select(condition, whenTrue, whenFalse);
  }

  private static Expr number(double value) {
    return new Expr.FloatLiteral(F32, (float) value);
  }

  private static Expr integer(long value) {
    return new Expr.IntLiteral(I32, value);
  }
}
