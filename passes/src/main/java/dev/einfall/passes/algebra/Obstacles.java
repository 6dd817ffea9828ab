package dev.einfall.passes.algebra;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.passes.algebra.Separation.Blocked;
import java.util.Map;
import java.util.Optional;

/// Finds what keeps a term from coming apart: a function of the varying values and of earlier reductions at once.
record Obstacles(Dependence dependence) {

  /// The first obstacle among the factors and in the exponents of `value`.
  Optional<Blocked> in(Polynomial value) {
    return value.terms().keySet().stream().flatMap(monomial -> in(monomial).stream()).findFirst();
  }

  private Optional<Blocked> in(Monomial monomial) {
    for (Map.Entry<Atom, Rational> factor : monomial.powers().entrySet()) {
      Optional<Blocked> blocked = dependence.isMixed(factor.getKey()) ? atom(factor.getKey(), factor.getValue()) : Optional.empty();
      if (blocked.isPresent()) {
        return blocked;
      }
    }
    return inExponent(monomial.exponent().expand(dependence::isMixed));
  }

  /// In an exponent no product may depend on both sides.
  private Optional<Blocked> inExponent(Polynomial exponent) {
    for (Polynomial part : exponent.parts()) {
      Optional<Blocked> inside = in(part);
      if (inside.isPresent()) {
        return inside;
      }
      if (dependence.isMixed(part)) {
        return Optional.of(new Blocked("is an exponential of a product of both", Polynomial.exp(part)));
      }
    }
    return Optional.empty();
  }

  private Optional<Blocked> atom(Atom atom, Rational power) {
    Polynomial whole = Polynomial.of(Monomial.of(atom, power));
    return switch (atom) {
      case Atom.Base(Polynomial sum) when power.isNatural() -> in(sum);
      case Atom.Base _ -> Optional.of(new Blocked(power.isInteger() ? "divides by a sum of both" : "is a root of a sum of both", whole));
      case Atom.Apply(var op, Polynomial _) -> Optional.of(new Blocked("is " + op.text() + " of both", whole));
      case Atom.Extreme(BinaryOp op, var values) -> Optional.of(new Blocked(
          values.size() == 2 && values.stream().anyMatch(value -> !value.isZero() && values.contains(value.negate()))
              ? "is the absolute value of a difference of both" : "is the " + op.text() + " of both", whole));
      case Atom.Choice _ -> Optional.of(new Blocked("chooses by a condition on both", whole));
      case Atom.Pair(BinaryOp op, Polynomial _, Polynomial _) ->
          Optional.of(new Blocked(op == BinaryOp.MOD ? "is a remainder of both" : "is a power of both", whole));
      case Atom.Leaf(Expr.Cast _) -> Optional.of(new Blocked("is a conversion of both", whole));
      case Atom.Leaf _, Atom.Whole _ -> Optional.of(new Blocked("depends on both", whole));
      case Atom.Infinity _ -> Optional.empty();
    };
  }
}
