package dev.einfall.passes.loop;

import static dev.einfall.ir.BinaryOp.ADD;
import static dev.einfall.ir.BinaryOp.AND;
import static dev.einfall.ir.BinaryOp.LE;
import static dev.einfall.ir.BinaryOp.MUL;
import static dev.einfall.ir.BinaryOp.NE;
import static dev.einfall.ir.BinaryOp.SHL;
import static dev.einfall.ir.BinaryOp.SUB;
import static dev.einfall.ir.BinaryOp.XOR;
import static dev.einfall.ir.ElementType.F32;
import static dev.einfall.ir.ElementType.I32;

import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.loop.Expr;
import dev.einfall.passes.Numerics;

/// `sin` and `cos` of floats, or of vectors of them, as arithmetic. `x` is `k` quarters of a turn and a rest `r` of at most an eighth; each quarter
/// goes through the sine of the rest, its cosine, and both with the other sign. The polynomials have the least largest error.
final class Sine extends FloatArithmetic {
  /// Up to here the three floats below are pi / 2 in enough digits, and `k` is an integer that rounding finds.
  private static final double LARGEST = 100_000;
  /// Products with the first are exact in a multiply-add: what cancels leaves no digits behind. The second is positive, so that a zero can keep
  /// its sign.
  private static final double[] QUARTER = {1.570796251296997, 7.549790126404332e-08, -1.7151245100058819e-15};
  /// (sin(r) - r) / r^3 in r^2.
  private static final double[] SINE = {-0.166666641831398, 0.008332614786922932, -0.0001956235064426437};
  /// The same with the other sign.
  private static final double[] MINUS_SINE = {0.166666641831398, -0.008332614786922932, 0.0001956235064426437};
  /// cos(r) in r^2.
  private static final double[] COSINE = {1.0, -0.5, 0.0416666641831398, -0.0013888124376535416, 2.4517012207070366e-05};

  private final Numerics numerics;

  Sine(Numerics numerics, int lanes, Bindings bindings) {
    super(lanes, bindings);
    this.numerics = numerics;
  }

  /// The sine of what is left of the argument, and the square of that.
  private record Rest(Expr sine, Expr square) {}

  /// Whether [#of] has the error that is stated; not for NaN.
  Expr isNear(Expr x) {
    return binary(LE, new Expr.Unary(UnaryOp.ABS, x), number(LARGEST));
  }

  /// `SIN` or `COS` of `x`.
  Expr of(UnaryOp op, Expr x) {
    Expr shifted = bind("t", fma(x, number(2 / Math.PI), number(ROUNDER)));
    Expr k = bind("k", binary(SUB, shifted, number(ROUNDER)));
    Rest rest = numerics == Numerics.STRICT ? compensated(x, k) : rounded(x, k);
    Expr z = rest.square;
    Expr sine = bind("p", rest.sine);
    Expr cosine = bind("q", polynomial(z, COSINE));
    Expr bits = new Expr.Bitcast(I32, shifted);
    // The cosine is the sine a quarter further on.
    Expr quarter = bind("n", op == UnaryOp.SIN ? bits : binary(ADD, bits, integer(1)));
    Expr isOdd = binary(NE, binary(AND, quarter, integer(1)), integer(0));
    Expr sign = binary(SHL, binary(AND, quarter, integer(2)), integer(30));
    return new Expr.Bitcast(F32, binary(XOR, new Expr.Bitcast(I32, new Expr.Select(isOdd, cosine, sine)), sign));
  }

  private Rest rounded(Expr x, Expr k) {
    Expr r = bind("r", fma(k, number(-QUARTER[2]), fma(k, number(-QUARTER[1]), fma(k, number(-QUARTER[0]), x))));
    Expr z = bind("z", binary(MUL, r, r));
    return new Rest(fma(binary(MUL, r, z), polynomial(z, SINE), r), z);
  }

  /// The rest is `r - m`, where `m` is what the rounding of `r` took away: `r - h` is exact, as `h` is a multiple of the last place of `w`. The
  /// sine is a difference, so that -0 keeps its sign.
  private Rest compensated(Expr x, Expr k) {
    Expr h = bind("h", fma(k, number(-QUARTER[0]), x));
    Expr w = bind("w", binary(MUL, k, number(QUARTER[1])));
    Expr r = bind("r", binary(SUB, h, w));
    Expr m = bind("m", fma(k, number(QUARTER[2]), fma(k, number(QUARTER[1]), binary(SUB, r, h))));
    Expr z = bind("z", fma(r, r, binary(MUL, binary(MUL, number(-2), r), m)));
    return new Rest(binary(SUB, r, fma(binary(MUL, r, z), polynomial(z, MINUS_SINE), m)), z);
  }
}
