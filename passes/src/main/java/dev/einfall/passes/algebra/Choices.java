package dev.einfall.passes.algebra;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/// Takes apart `where` whose branches depend on both sides, while the condition does on one.
///
/// ```
/// where(c, x - r, -inf)          =>     where(c, x, -inf) - r
/// where(c, exp(x - r), 0.0)      =>     exp(where(c, x, -inf)) * exp(-r)
/// ```
record Choices(Canonical canonical, Dependence dependence) {

  /// `value` without such choices among its factors and exponents; those with two finite branches become sums if `sums` allows it.
  Polynomial settled(Polynomial value, boolean sums) {
    Polynomial result = Polynomial.ZERO;
    for (Map.Entry<Monomial, Rational> term : value.terms().entrySet()) {
      result = result.plus(settled(term.getKey(), sums).times(term.getValue()));
    }
    return result;
  }

  private Polynomial settled(Monomial monomial, boolean sums) {
    Polynomial exponent = settledExponent(monomial.exponent());
    Polynomial product = monomial.exponent().isZero() ? Polynomial.ONE : Polynomial.exp(exponent);
    boolean alone = monomial.powers().size() == 1 && monomial.exponent().isZero();
    for (Map.Entry<Atom, Rational> factor : monomial.powers().entrySet()) {
      boolean once = factor.getValue().isOne();
      if (once && isOpen(factor.getKey())) {
        Atom.Choice choice = (Atom.Choice) factor.getKey();
        Polynomial parts = branches(choice, alone, sums);
        product = parts.isMonomial() || alone ? product.times(parts) : distributed(product, parts);
      } else {
        product = product.times(Polynomial.of(Monomial.of(factor.getKey(), factor.getValue())));
      }
    }
    return product;
  }

  private static Polynomial distributed(Polynomial product, Polynomial parts) {
    Polynomial sum = Polynomial.ZERO;
    for (Polynomial part : parts.parts()) {
      sum = sum.plus(product.times(part));
    }
    return sum;
  }

  private Polynomial settledExponent(Polynomial exponent) {
    Polynomial sum = Polynomial.ZERO;
    for (Polynomial part : exponent.expand(dependence::isMixed).parts()) {
      Monomial monomial = part.monomial();
      boolean open = part.coefficient().isOne() && monomial.powers().size() == 1
          && isOpen(monomial.atoms().findFirst().orElseThrow()) && monomial.powers().values().iterator().next().isOne();
      sum = sum.plus(open ? branches((Atom.Choice) monomial.atoms().findFirst().orElseThrow(), true, false) : part);
    }
    return sum;
  }

  /// Whether `atom` is a choice by a condition of one side between values of both.
  private boolean isOpen(Atom atom) {
    if (!(atom instanceof Atom.Choice(Condition condition, Polynomial whenTrue, Polynomial whenFalse))) {
      return false;
    }
    Atom conditionAlone = new Atom.Choice(condition, Polynomial.ONE, Polynomial.ZERO);
    return dependence.isMixed(atom) && !dependence.isMixed(conditionAlone)
        && (whenTrue.isZero() || whenFalse.isZero() || dependence.isMixed(whenTrue) || dependence.isMixed(whenFalse)
            || dependence.waits(whenTrue) || dependence.waits(whenFalse) || dependence.waits(conditionAlone));
  }

  /// @param alone whether nothing is multiplied by the choice, so that an infinite branch absorbs what comes out of the other
  private Polynomial branches(Atom.Choice choice, boolean alone, boolean sums) {
    Polynomial whenTrue = settled(choice.whenTrue(), sums);
    Polynomial whenFalse = settled(choice.whenFalse(), sums);
    Polynomial indicator = Polynomial.of(new Atom.Choice(choice.condition(), Polynomial.ONE, Polynomial.ZERO));
    if (alone && (whenTrue.isInfinite() || whenFalse.isInfinite())) {
      return absorbed(choice.condition(), whenTrue, whenFalse);
    }
    if (whenFalse.isZero()) {
      return sums ? distributed(indicator, whenTrue) : indicator.times(whenTrue);
    }
    Polynomial other = Polynomial.of(new Atom.Choice(new Condition.Not(choice.condition()), Polynomial.ONE, Polynomial.ZERO));
    if (whenTrue.isZero()) {
      return sums ? distributed(other, whenFalse) : other.times(whenFalse);
    }
    return sums ? distributed(indicator, whenTrue).plus(distributed(other, whenFalse)) : Polynomial.of(choice);
  }

  /// What does not vary with the rank comes out of a choice between a finite value and infinity.
  private Polynomial absorbed(Condition condition, Polynomial whenTrue, Polynomial whenFalse) {
    Polynomial finite = (whenTrue.isInfinite() ? whenFalse : whenTrue).expand(dependence::isMixed);
    Polynomial inside = Polynomial.ZERO;
    Polynomial outside = Polynomial.ZERO;
    for (Polynomial part : finite.parts()) {
      boolean stays = dependence.varies(part);
      inside = stays ? inside.plus(part) : inside;
      outside = stays ? outside : outside.plus(part);
    }
    return outside.plus(whenTrue.isInfinite()
        ? canonical.choice(condition, whenTrue, inside) : canonical.choice(condition, inside, whenFalse));
  }

  /// Conditions on terms with exponentials moved into the exponents, where they are the same as in the maximum of the exponents.
  ///
  /// @param masked gets the exponents that are `-inf` for such a condition
  Polynomial masked(Polynomial value, Set<Polynomial> masked) {
    Polynomial sum = Polynomial.ZERO;
    for (Map.Entry<Monomial, Rational> term : value.terms().entrySet()) {
      Monomial moved = masked(term.getKey());
      if (moved != term.getKey()) {
        masked.add(moved.exponent());
      }
      sum = sum.plus(Polynomial.of(moved, term.getValue()));
    }
    return sum;
  }

  private Monomial masked(Monomial monomial) {
    Polynomial exponent = monomial.exponent().expand(dependence::isMixed);
    if (!dependence.varies(exponent)) {
      return monomial;
    }
    Map<Atom, Rational> powers = new LinkedHashMap<>(monomial.powers());
    for (Atom atom : monomial.powers().keySet()) {
      if (atom instanceof Atom.Choice(Condition condition, Polynomial whenTrue, Polynomial whenFalse)
          && whenTrue.isOne() && whenFalse.isZero() && dependence.varies(atom) && !dependence.waits(atom)) {
        powers.remove(atom);
        exponent = absorbed(condition, exponent, Polynomial.INFINITY.negate());
      }
    }
    return powers.size() == monomial.powers().size() ? monomial : new Monomial(powers, exponent);
  }
}
