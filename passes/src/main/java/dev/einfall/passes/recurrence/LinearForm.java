package dev.einfall.passes.recurrence;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Expr;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/// An expression as `sum of coefficient * access + rest`, where neither the coefficients nor the rest have any of the
/// accesses in them. Exact: over real numbers it is the same value.
///
/// ```
/// (1 - Z[t]) * H[d] + Z[t] * X[t, d]     coefficient of H[d]: 1 - Z[t]     rest: Z[t] * X[t, d]
/// ```
record LinearForm(List<Term> terms, Expr rest) {

  record Term(Expr.Access access, Expr coefficient) {}

  /// `expr` as a form in the accesses that `isVariable` chooses; none if it is not linear in them.
  static Optional<LinearForm> of(Expr expr, Predicate<Expr.Access> isVariable) {
    if (!has(expr, isVariable)) {
      return Optional.of(new LinearForm(List.of(), expr));
    }
    return switch (expr) {
      case Expr.Access access when isVariable.test(access) && access.outside().isEmpty() && access.type().isFloat()
          && access.indices().stream().noneMatch(index -> has(index, isVariable)) ->
          Optional.of(new LinearForm(List.of(new Term(access, Terms.one(access.type()))), Terms.zero(access.type())));
      case Expr.Unary(UnaryOp op, Expr operand) when op == UnaryOp.NEG -> of(operand, isVariable).map(form ->
          new LinearForm(form.terms.stream().map(term -> new Term(term.access, Terms.negative(term.coefficient))).toList(),
              Terms.negative(form.rest)));
      case Expr.Binary(BinaryOp op, Expr left, Expr right) -> of(op, left, right, isVariable);
      case Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) when !has(condition, isVariable) ->
          of(whenTrue, isVariable).flatMap(a -> of(whenFalse, isVariable).map(b -> chosen(condition, a, b)));
      case Expr _ -> Optional.empty();
    };
  }

  private static Optional<LinearForm> of(BinaryOp op, Expr left, Expr right, Predicate<Expr.Access> isVariable) {
    return switch (op) {
      case ADD -> of(left, isVariable).flatMap(a -> of(right, isVariable).map(b -> a.plus(b, false)));
      case SUB -> of(left, isVariable).flatMap(a -> of(right, isVariable).map(b -> a.plus(b, true)));
      case MUL -> !has(left, isVariable) ? of(right, isVariable).map(form -> form.scaled(factor -> Terms.times(left, factor)))
          : !has(right, isVariable) ? of(left, isVariable).map(form -> form.scaled(factor -> Terms.times(factor, right)))
          : Optional.empty();
      case DIV -> has(right, isVariable) || !left.type().isFloat() ? Optional.empty()
          : of(left, isVariable).map(form -> form.scaled(factor -> Terms.divided(factor, right)));
      default -> Optional.empty();
    };
  }

  private LinearForm plus(LinearForm other, boolean negative) {
    List<Term> sum = new ArrayList<>(terms);
    for (Term term : other.terms) {
      Expr sign = negative ? Terms.negative(term.coefficient) : term.coefficient;
      int same = sum.stream().map(Term::access).toList().indexOf(term.access);
      if (same < 0) {
        sum.add(new Term(term.access, sign));
      } else {
        Expr before = sum.get(same).coefficient;
        sum.set(same, new Term(term.access, negative ? Terms.minus(before, term.coefficient) : Terms.plus(before, sign)));
      }
    }
    return new LinearForm(sum, negative ? Terms.minus(rest, other.rest) : Terms.plus(rest, other.rest));
  }

  private LinearForm scaled(java.util.function.UnaryOperator<Expr> scale) {
    return new LinearForm(terms.stream().map(term -> new Term(term.access, scale.apply(term.coefficient))).toList(),
        scale.apply(rest));
  }

  private static LinearForm chosen(Expr condition, LinearForm a, LinearForm b) {
    List<Term> terms = new ArrayList<>();
    for (Term term : a.terms) {
      terms.add(new Term(term.access, Terms.where(condition, term.coefficient, b.coefficient(term.access))));
    }
    for (Term term : b.terms) {
      if (a.terms.stream().noneMatch(other -> other.access.equals(term.access))) {
        terms.add(new Term(term.access, Terms.where(condition, Terms.zero(term.coefficient.type()), term.coefficient)));
      }
    }
    return new LinearForm(terms, Terms.where(condition, a.rest, b.rest));
  }

  /// What `access` is multiplied by.
  Expr coefficient(Expr.Access access) {
    return terms.stream().filter(term -> term.access.equals(access)).map(Term::coefficient).findFirst()
        .orElse(Terms.zero(access.type()));
  }

  private static boolean has(Expr expr, Predicate<Expr.Access> isVariable) {
    return Recurrences.accesses(expr).anyMatch(isVariable);
  }
}
