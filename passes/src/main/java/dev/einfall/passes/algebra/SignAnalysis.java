package dev.einfall.passes.algebra;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Expr;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;

/// Which values cannot be negative: squares and roots, exponentials, absolute values, sums and products of these.
///
/// @param known whether an expression at a leaf is known not to be negative, from what the program says of it
public record SignAnalysis(Predicate<Expr> known) {

  /// Knows nothing of leaves but coordinates and sizes.
  public static final SignAnalysis OF_FORMS = new SignAnalysis(_ -> false);

  /// `known` asked once for each expression; while it is being asked the answer is no.
  public static SignAnalysis remembering(Predicate<Expr> known) {
    Map<Expr, Boolean> answers = new HashMap<>();
    return new SignAnalysis(expr -> {
      Boolean answer = answers.get(expr);
      if (answer == null) {
        answers.put(expr, false);
        answer = known.test(expr);
        answers.put(expr, answer);
      }
      return answer;
    });
  }

  /// Whether `value` is 0 or more, or NaN.
  public boolean isNonNegative(Polynomial value) {
    return value.isInfinite() ? value.coefficient().signum() > 0
        : value.terms().entrySet().stream().allMatch(term -> term.getValue().signum() > 0 && isNonNegative(term.getKey()));
  }

  /// Whether a product of atoms is 0 or more; the exponential always is.
  public boolean isNonNegative(Monomial monomial) {
    return monomial.powers().entrySet().stream()
        .allMatch(factor -> !factor.getValue().isInteger() || factor.getValue().isEven() || isNonNegative(factor.getKey()));
  }

  private boolean isNonNegative(Atom atom) {
    return switch (atom) {
      case Atom.Leaf(Expr expr) -> isNonNegative(expr);
      case Atom.Apply(UnaryOp op, Polynomial operand) -> switch (op) {
        case ABS, POPCOUNT -> true;
        case SQRT, RSQRT, EXP -> true;
        case TANH, ERF, SIGN, FLOOR, CEIL, ROUND -> isNonNegative(operand);
        case NEG, NOT, LOG, SIN, COS -> false;
      };
      case Atom.Pair(BinaryOp op, Polynomial left, Polynomial right) ->
          op == BinaryOp.POW ? isNonNegative(left) : op == BinaryOp.MOD && isNonNegative(right);
      case Atom.Extreme(BinaryOp op, var values) -> op == BinaryOp.MAX
          ? values.stream().anyMatch(this::isNonNegative) : values.stream().allMatch(this::isNonNegative);
      case Atom.Choice(Condition _, Polynomial whenTrue, Polynomial whenFalse) ->
          isNonNegative(whenTrue) && isNonNegative(whenFalse);
      case Atom.Base(Polynomial sum) -> isNonNegative(sum);
      case Atom.Whole(Expr _, Polynomial sum) -> isNonNegative(sum);
      case Atom.Infinity _ -> true;
    };
  }

  private boolean isNonNegative(Expr leaf) {
    return switch (leaf) {
      case Expr.Coordinate _, Expr.Extent _ -> true;
      case Expr.Cast(var type, Expr operand) when type.isFloat() -> isNonNegative(operand);
      case Expr _ -> known.test(leaf);
    };
  }
}
