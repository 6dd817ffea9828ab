package dev.einfall.passes.algebra;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;

/// A product of atoms to rational powers, times `exp(exponent)`.
///
/// @param powers no power is 0; equal whatever their order
public record Monomial(Map<Atom, Rational> powers, Polynomial exponent) {

  public Monomial {
    powers = Terms.of(powers);
  }

  /// The product of nothing. Not a constant: that would need a [Polynomial] first.
  public static Monomial one() {
    return new Monomial(Map.of(), Polynomial.ZERO);
  }

  public static Monomial of(Atom atom, Rational power) {
    return new Monomial(power.isZero() ? Map.of() : Map.of(atom, power), Polynomial.ZERO);
  }

  public static Monomial exp(Polynomial exponent) {
    return new Monomial(Map.of(), exponent);
  }

  public boolean isOne() {
    return powers.isEmpty() && exponent.isZero();
  }

  public Rational power(Atom atom) {
    return powers.getOrDefault(atom, Rational.ZERO);
  }

  public Monomial times(Monomial other) {
    Map<Atom, Rational> product = new LinkedHashMap<>(powers);
    other.powers.forEach((atom, power) -> product.merge(atom, power, Rational::plus));
    product.values().removeIf(Rational::isZero);
    return new Monomial(product, exponent.plus(other.exponent));
  }

  public Monomial dividedBy(Monomial other) {
    return times(other.power(-1));
  }

  public Monomial power(int exponentOfAll) {
    Map<Atom, Rational> result = new LinkedHashMap<>();
    powers.forEach((atom, power) -> result.put(atom, power.times(Rational.of(exponentOfAll))));
    result.values().removeIf(Rational::isZero);
    return new Monomial(result, exponent.times(Rational.of(exponentOfAll)));
  }

  /// The same without the exponential.
  public Monomial withoutExponent() {
    return exponent.isZero() ? this : new Monomial(powers, Polynomial.ZERO);
  }

  public Stream<Atom> atoms() {
    return powers.keySet().stream();
  }
}
