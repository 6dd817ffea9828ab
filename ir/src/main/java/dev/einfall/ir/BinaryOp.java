package dev.einfall.ir;

import java.util.Optional;
import java.util.function.DoubleBinaryOperator;

/// A scalar operation with two operands of one type. Both levels share it.
///
/// `DIV` of integers rounds toward negative infinity and `MOD` has the divisor's sign, so that
/// `a == (a / b) * b + a % b` always holds; an integer division by zero is an error of the run.
/// `MIN` and `MAX` give NaN when an operand is NaN. Comparisons with NaN are false, but for `NE`.
/// `AND`, `OR` and `XOR` are logical on `bool` and bitwise on integers.
public enum BinaryOp {
  ADD("+", Kind.ARITHMETIC, 60),
  SUB("-", Kind.ARITHMETIC, 60),
  MUL("*", Kind.ARITHMETIC, 70),
  DIV("/", Kind.ARITHMETIC, 70),
  MOD("%", Kind.ARITHMETIC, 70),
  MIN("min", Kind.ARITHMETIC, 0),
  MAX("max", Kind.ARITHMETIC, 0),
  POW("pow", Kind.FLOAT, 0),
  EQ("==", Kind.COMPARISON, 40),
  NE("!=", Kind.COMPARISON, 40),
  LT("<", Kind.COMPARISON, 40),
  LE("<=", Kind.COMPARISON, 40),
  GT(">", Kind.COMPARISON, 40),
  GE(">=", Kind.COMPARISON, 40),
  AND("&&", Kind.LOGICAL, 30),
  OR("||", Kind.LOGICAL, 20),
  XOR("xor", Kind.LOGICAL, 0),
  SHL("shl", Kind.INTEGER, 0),
  SHR("shr", Kind.INTEGER, 0);

  /// The operand types that an operation accepts, and whether its result is `bool`.
  public enum Kind { ARITHMETIC, FLOAT, INTEGER, COMPARISON, LOGICAL }

  private final String text;
  private final Kind kind;
  private final int precedence;

  BinaryOp(String text, Kind kind, int precedence) {
    this.text = text;
    this.kind = kind;
    this.precedence = precedence;
  }

  /// The operator sign or the function's name in both text syntaxes.
  public String text() {
    return text;
  }

  /// How tightly the sign binds (larger is tighter); 0 for an operation that is written `text(x, y)`.
  public int precedence() {
    return precedence;
  }

  public boolean isFunction() {
    return precedence == 0;
  }

  public boolean isComparison() {
    return kind == Kind.COMPARISON;
  }

  public boolean accepts(ElementType type) {
    return switch (kind) {
      case ARITHMETIC -> !type.isBool();
      case FLOAT -> type.isFloat();
      case INTEGER -> type.isInteger();
      case COMPARISON -> true;
      case LOGICAL -> !type.isFloat();
    };
  }

  /// The type of the result for operands of type `operand`.
  public ElementType result(ElementType operand) {
    return isComparison() ? ElementType.BOOL : operand;
  }

  public boolean isCommutative() {
    return switch (this) {
      case ADD, MUL, MIN, MAX, EQ, NE, AND, OR, XOR -> true;
      case SUB, DIV, MOD, POW, LT, LE, GT, GE, SHL, SHR -> false;
    };
  }

  /// What the operation does to two numbers, in double precision, where that gives a number.
  ///
  /// @throws IllegalArgumentException for comparisons and the operations on bits
  public DoubleBinaryOperator onNumbers() {
    return switch (this) {
      case ADD -> Double::sum;
      case SUB -> (x, y) -> x - y;
      case MUL -> (x, y) -> x * y;
      case DIV -> (x, y) -> x / y;
      case MOD -> (x, y) -> x - y * Math.floor(x / y);
      case MIN -> Math::min;
      case MAX -> Math::max;
      case POW -> Math::pow;
      case EQ, NE, LT, LE, GT, GE, AND, OR, XOR, SHL, SHR -> throw new IllegalArgumentException(this + " of numbers");
    };
  }

  /// Whether a comparison holds for two numbers.
  ///
  /// @throws IllegalArgumentException for all other operations
  public boolean holds(double x, double y) {
    return switch (this) {
      case EQ -> x == y;
      case NE -> x != y;
      case LT -> x < y;
      case LE -> x <= y;
      case GT -> x > y;
      case GE -> x >= y;
      case ADD, SUB, MUL, DIV, MOD, MIN, MAX, POW, AND, OR, XOR, SHL, SHR ->
          throw new IllegalArgumentException(this + " is no comparison");
    };
  }

  /// The operation that is written as the function `text`, if there is one.
  public static Optional<BinaryOp> function(String text) {
    for (BinaryOp op : values()) {
      if (op.isFunction() && op.text.equals(text)) {
        return Optional.of(op);
      }
    }
    return Optional.empty();
  }
}
