package dev.einfall.passes.algebra;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Var;
import dev.einfall.passes.algebra.Separation.Variable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Finds the earlier reductions in a sum of products of which it is a polynomial. What of them stands in one sum with a varying
/// value is one variable, so that nothing is multiplied out:
///
/// ```
/// (x - s / 64) * (x - s / 64)     =>     (x - c) * (x - c), where c stands for s / 64
/// ```
final class Variables {
  private final Canonical canonical;
  private final Dependence dependence;
  private final ElementType type;
  private final Map<Polynomial, Variable> found = new LinkedHashMap<>();

  Variables(Canonical canonical, Dependence dependence, ElementType type) {
    this.canonical = canonical;
    this.dependence = dependence;
    this.type = type;
  }

  /// A polynomial in variables.
  record Body(Polynomial value, List<Variable> variables) {}

  /// `products` with variables for earlier reductions; empty if it is no polynomial of them.
  Optional<Body> in(Polynomial products) {
    return replaced(products).map(value -> new Body(value, List.copyOf(found.values())));
  }

  private Optional<Polynomial> replaced(Polynomial products) {
    Polynomial sum = Polynomial.ZERO;
    for (Map.Entry<Monomial, Rational> term : products.terms().entrySet()) {
      Optional<Polynomial> product = replaced(term.getKey());
      if (product.isEmpty()) {
        return Optional.empty();
      }
      sum = sum.plus(product.get().times(term.getValue()));
    }
    return Optional.of(sum);
  }

  private Optional<Polynomial> replaced(Monomial monomial) {
    if (dependence.waits(monomial.exponent())) {
      return Optional.empty();
    }
    Polynomial product = Polynomial.of(Monomial.exp(monomial.exponent()));
    for (Map.Entry<Atom, Rational> factor : monomial.powers().entrySet()) {
      Optional<Polynomial> value = replaced(factor.getKey(), factor.getValue());
      if (value.isEmpty()) {
        return Optional.empty();
      }
      product = product.times(value.get());
    }
    return Optional.of(product);
  }

  private Optional<Polynomial> replaced(Atom atom, Rational power) {
    if (!dependence.waits(atom)) {
      return Optional.of(Polynomial.of(Monomial.of(atom, power)));
    }
    if (dependence.varies(atom)) {
      return atom instanceof Atom.Base(Polynomial sum) && power.isNatural()
          ? replacedSum(sum).map(inner -> inner.power(power)) : Optional.empty();
    }
    Rational step = power.isInteger() ? Rational.ONE : Rational.HALF;
    Rational times = power.times(step.inverse());
    return times.isNatural() ? Optional.of(Polynomial.of(Monomial.of(variable(Polynomial.of(Monomial.of(atom, step))), times)))
        : Optional.empty();
  }

  /// A sum in parentheses: what does not vary in it is one variable.
  private Optional<Polynomial> replacedSum(Polynomial sum) {
    Polynomial varying = Polynomial.ZERO;
    Polynomial waiting = Polynomial.ZERO;
    for (Polynomial part : sum.parts()) {
      boolean waits = dependence.waits(part) && !dependence.varies(part);
      waiting = waits ? waiting.plus(part) : waiting;
      varying = waits ? varying : varying.plus(part);
    }
    Optional<Polynomial> rest = replaced(varying);
    if (waiting.isZero() || rest.isEmpty()) {
      return rest;
    }
    boolean negative = waiting.terms().values().stream().allMatch(coefficient -> coefficient.signum() < 0);
    Polynomial positive = negative ? waiting.negate() : waiting;
    Polynomial variable = Polynomial.of(variable(positive));
    return Optional.of(rest.get().plus(negative ? variable.negate() : variable));
  }

  private Atom variable(Polynomial value) {
    return found.computeIfAbsent(canonical.normal(value), _ -> new Variable(new Var("c" + found.size(), type), value)).atom();
  }

}
