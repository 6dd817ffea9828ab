package dev.einfall.ir;

import java.util.List;

/// An expression as text, and how tightly its outermost operation binds: what a printer needs to know to write as few
/// parentheses as the readers allow.
public record ExprText(String text, int precedence) {
  private static final int ATOM = 100;
  private static final int PREFIX = 80;

  /// Text that never needs parentheses.
  public static ExprText atom(String text) {
    return new ExprText(text, ATOM);
  }

  /// `function(operand, ...)`.
  public static ExprText call(String function, List<ExprText> operands) {
    return atom(function + "(" + String.join(", ", operands.stream().map(ExprText::text).toList()) + ")");
  }

  public static ExprText call(String function, ExprText... operands) {
    return call(function, List.of(operands));
  }

  public static ExprText unary(UnaryOp op, ExprText operand) {
    return op.isFunction()
        ? call(op.text(), operand)
        : new ExprText(op.text() + operand.tighterThan(PREFIX - 1), PREFIX);
  }

  /// Operators of one precedence group to the left; comparisons do not chain.
  public static ExprText binary(BinaryOp op, ExprText left, ExprText right) {
    if (op.isFunction()) {
      return call(op.text(), left, right);
    }
    int precedence = op.precedence();
    String first = left.tighterThan(op.isComparison() ? precedence : precedence - 1);
    return new ExprText(first + " " + op.text() + " " + right.tighterThan(precedence), precedence);
  }

  /// A size as a value: a sum, a product or a single name or number.
  public static ExprText size(Size size) {
    String text = size.toString();
    boolean isSum = size.terms().size() > 1;
    boolean isAtom = text.matches("\\w+");
    int precedence = isSum ? BinaryOp.ADD.precedence() : BinaryOp.MUL.precedence();
    return isAtom ? atom(text) : new ExprText(text, precedence);
  }

  /// A literal of `type`. Only `f32`, `i32` and `bool` are written bare; `typed` writes these with their type too.
  public static ExprText literal(ElementType type, double value, boolean typed) {
    String text = type == ElementType.F32 ? floatText(value, Float.toString((float) value))
        : floatText(value, Double.toString(value));
    return literal(type, text, typed || type != ElementType.F32);
  }

  public static ExprText literal(ElementType type, long value, boolean typed) {
    return type.isBool() ? atom(value != 0 ? "true" : "false")
        : literal(type, Long.toString(value), typed || type != ElementType.I32);
  }

  private static ExprText literal(ElementType type, String text, boolean typed) {
    ExprText bare = text.startsWith("-") ? new ExprText(text, PREFIX) : atom(text);
    return typed ? call(type.text(), bare) : bare;
  }

  private static String floatText(double value, String digits) {
    return Double.isNaN(value) ? "nan"
        : Double.isInfinite(value) ? value < 0 ? "-inf" : "inf"
        : digits.equals("Infinity") || digits.equals("-Infinity") ? Double.toString(value).replace('E', 'e')
        : digits.replace('E', 'e');
  }

  /// The text, in parentheses unless it binds more tightly than `precedence`.
  public String tighterThan(int limit) {
    return precedence > limit ? text : "(" + text + ")";
  }
}
