package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Expr;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;

/// A decoded number as a function of its code, and the factors that neighbours share, in the order in which these multiply it.
///
/// ```
/// where(e == 0, 0, where(e == 255, nan, where(q < 8, s * f(q), -(s * f(q)))))     =>     where(q < 8, f(q), -f(q)) * where(e == 0, 0, where(e == 255, nan, s))
/// ```
///
/// No number is another one, but that a zero may have another sign, of which a sum that begins at 0 keeps nothing.
///
/// @param fine what is of a code
/// @param shared what is not
record SharedFactors(Expr fine, List<Expr> shared) {

  /// `expr` with what neighbours share behind what they do not, where a choice keeps them together.
  static Expr apart(Expr expr, Codes codes) {
    boolean isChosen = codes.isFine(expr) && expr.nodes().anyMatch(node -> node instanceof Expr.Select && node.type().isFloat());
    if (!isChosen) {
      return expr;
    }
    SharedFactors factors = of(expr, codes);
    return factors.shared.isEmpty() ? expr : factors.shared.stream().reduce(factors.fine, (product, factor) -> new Expr.Binary(BinaryOp.MUL, product, factor));
  }

  private static SharedFactors of(Expr expr, Codes codes) {
    return switch (expr) {
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.MUL && codes.isFine(left) && !codes.isFine(right) -> of(left, codes).times(right);
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.MUL && codes.isFine(right) && !codes.isFine(left) -> of(right, codes).times(left);
      case Expr.Unary(UnaryOp op, Expr operand) when op == UnaryOp.NEG -> {
        SharedFactors inner = of(operand, codes);
        yield new SharedFactors(new Expr.Unary(op, inner.fine), inner.shared);
      }
      case Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) when codes.isFine(condition) -> {
        SharedFactors one = of(whenTrue, codes);
        SharedFactors other = of(whenFalse, codes);
        yield one.shared.equals(other.shared) ? new SharedFactors(new Expr.Select(condition, one.fine, other.fine), one.shared) : new SharedFactors(expr, List.of());
      }
      case Expr.Select(Expr condition, Expr.FloatLiteral literal, Expr number) when codes.isFine(number) ->
          of(number, codes).chosen(codes, literal, factor -> new Expr.Select(condition, literal, factor), expr);
      case Expr.Select(Expr condition, Expr number, Expr.FloatLiteral literal) when codes.isFine(number) ->
          of(number, codes).chosen(codes, literal, factor -> new Expr.Select(condition, factor, literal), expr);
      case Expr _ -> new SharedFactors(expr, List.of());
    };
  }

  private SharedFactors times(Expr factor) {
    List<Expr> all = new ArrayList<>(shared);
    all.add(factor);
    return new SharedFactors(fine, all);
  }

  /// The same with `choice` of the last factor, or `expr` as it is where that would be another number: what is multiplied by NaN is that, and by 0 if it is finite.
  private SharedFactors chosen(Codes codes, Expr.FloatLiteral literal, UnaryOperator<Expr> choice, Expr expr) {
    List<Expr> inside = codes.of(fine);
    boolean isNothing = literal.value() == 0 && shared.size() == 1 && inside.size() == 1 && Evaluation.values(fine, inside.getFirst()).filter(values -> Arrays.stream(values).allMatch(Double::isFinite)).isPresent();
    if (shared.isEmpty() || !Double.isNaN(literal.value()) && !isNothing) {
      return new SharedFactors(expr, List.of());
    }
    List<Expr> all = new ArrayList<>(shared.subList(0, shared.size() - 1));
    all.add(choice.apply(shared.getLast()));
    return new SharedFactors(fine, all);
  }
}
