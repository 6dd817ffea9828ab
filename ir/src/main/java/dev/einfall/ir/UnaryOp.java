package dev.einfall.ir;

import static dev.einfall.ir.ElementType.BOOL;

import java.util.Optional;
import java.util.function.DoubleUnaryOperator;

/// A scalar operation with one operand. Both levels share it.
///
/// `ROUND` rounds ties to even. `POPCOUNT` counts the ones among the bits of the type, in two's complement. `SIGN` of NaN is NaN. `RSQRT(x)` is `1 / sqrt(x)`. The transcendental
/// operations may be evaluated by polynomials; their error is stated by the pass that expands them.
public enum UnaryOp {
  NEG("-", Domain.NUMBER),
  NOT("!", Domain.BOOL),
  ABS("abs", Domain.NUMBER),
  SIGN("sign", Domain.NUMBER),
  EXP("exp", Domain.FLOAT),
  LOG("log", Domain.FLOAT),
  SQRT("sqrt", Domain.FLOAT),
  RSQRT("rsqrt", Domain.FLOAT),
  TANH("tanh", Domain.FLOAT),
  ERF("erf", Domain.FLOAT),
  SIN("sin", Domain.FLOAT),
  COS("cos", Domain.FLOAT),
  FLOOR("floor", Domain.FLOAT),
  CEIL("ceil", Domain.FLOAT),
  ROUND("round", Domain.FLOAT),
  POPCOUNT("popcount", Domain.INTEGER);

  /// The operand types that an operation accepts.
  public enum Domain { NUMBER, FLOAT, INTEGER, BOOL }

  private final String text;
  private final Domain domain;

  UnaryOp(String text, Domain domain) {
    this.text = text;
    this.domain = domain;
  }

  /// The operator sign or the function's name in both text syntaxes.
  public String text() {
    return text;
  }

  /// Whether the operation is written `text(x)` and not as a prefix sign.
  public boolean isFunction() {
    return this != NEG && this != NOT;
  }

  public boolean accepts(ElementType type) {
    return switch (domain) {
      case NUMBER -> !type.isBool();
      case FLOAT -> type.isFloat();
      case INTEGER -> type.isInteger();
      case BOOL -> type == BOOL;
    };
  }

  /// Whether each result is the number of its type that is nearest to the exact one; of the other operations an error is stated.
  public boolean isCorrectlyRounded() {
    return switch (this) {
      case NEG, NOT, ABS, SIGN, SQRT, FLOOR, CEIL, ROUND, POPCOUNT -> true;
      case EXP, LOG, RSQRT, TANH, ERF, SIN, COS -> false;
    };
  }

  /// What the operation does to a number, in double precision.
  ///
  /// @throws IllegalArgumentException for `NOT` and `POPCOUNT`, which are of bits
  public DoubleUnaryOperator onNumbers() {
    return switch (this) {
      case NEG -> x -> -x;
      case ABS -> Math::abs;
      case SIGN -> Math::signum;
      case EXP -> Math::exp;
      case LOG -> Math::log;
      case SQRT -> Math::sqrt;
      case RSQRT -> x -> 1 / Math.sqrt(x);
      case TANH -> Math::tanh;
      case ERF -> Erf::erf;
      case SIN -> Math::sin;
      case COS -> Math::cos;
      case FLOOR -> Math::floor;
      case CEIL -> Math::ceil;
      case ROUND -> Math::rint;
      case NOT, POPCOUNT -> throw new IllegalArgumentException(this + " of a number");
    };
  }

  /// The operation that is written as the function `text`, if there is one.
  public static Optional<UnaryOp> function(String text) {
    for (UnaryOp op : values()) {
      if (op.isFunction() && op.text.equals(text)) {
        return Optional.of(op);
      }
    }
    return Optional.empty();
  }
}
