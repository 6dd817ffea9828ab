package dev.einfall.ir.loop;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/// A sum of integer multiples of atoms, expressions that are not sums themselves, plus a constant:
/// `12 * m1 + m0 - 1`. No coefficient is 0. Arithmetic throws [ArithmeticException] when a number does not fit.
public record Linear(Map<Expr, Long> terms, long constant) {
  public Linear {
    terms = Collections.unmodifiableMap(terms);
  }

  public static Linear of(long constant) {
    return new Linear(Map.of(), constant);
  }

  public static Linear atom(Expr atom) {
    Map<Expr, Long> terms = new LinkedHashMap<>();
    terms.put(atom, 1L);
    return new Linear(terms, 0);
  }

  public boolean isConstant() {
    return terms.isEmpty();
  }

  public Linear plus(Linear other) {
    Map<Expr, Long> sum = new LinkedHashMap<>(terms);
    other.terms.forEach((atom, coefficient) -> sum.merge(atom, coefficient, Math::addExact));
    sum.values().removeIf(coefficient -> coefficient == 0);
    return new Linear(sum, Math.addExact(constant, other.constant));
  }

  public Linear minus(Linear other) {
    return plus(other.times(-1));
  }

  public Linear times(long factor) {
    if (factor == 0) {
      return of(0);
    }
    Map<Expr, Long> product = new LinkedHashMap<>();
    terms.forEach((atom, coefficient) -> product.put(atom, Math.multiplyExact(coefficient, factor)));
    return new Linear(product, Math.multiplyExact(constant, factor));
  }

  public Linear withoutConstant() {
    return new Linear(terms, 0);
  }
}
