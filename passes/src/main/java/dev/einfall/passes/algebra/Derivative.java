package dev.einfall.passes.algebra;

import java.util.Map;

/// Derivatives of polynomials with respect to an atom, by the product rule: sums in parentheses stay in parentheses.
///
/// ```
/// (x - c) * (x - c) * (x - c)     =>     -3 * (x - c) * (x - c)
/// ```
public final class Derivative {
  private Derivative() {}

  /// The derivative of `value` with respect to `variable`, which stands in no function and no exponent of it.
  public static Polynomial of(Polynomial value, Atom variable) {
    Polynomial sum = Polynomial.ZERO;
    for (Map.Entry<Monomial, Rational> term : value.terms().entrySet()) {
      sum = sum.plus(of(term.getKey(), variable).times(term.getValue()));
    }
    return sum;
  }

  private static Polynomial of(Monomial monomial, Atom variable) {
    Polynomial sum = Polynomial.ZERO;
    for (Map.Entry<Atom, Rational> factor : monomial.powers().entrySet()) {
      Atom atom = factor.getKey();
      Polynomial inner = atom.equals(variable) ? Polynomial.ONE
          : atom instanceof Atom.Base(Polynomial base) ? of(base, variable) : Polynomial.ZERO;
      if (!inner.isZero()) {
        Polynomial rest = Polynomial.of(monomial.dividedBy(Monomial.of(atom, Rational.ONE)), factor.getValue());
        sum = sum.plus(rest.times(inner));
      }
    }
    return sum;
  }
}
