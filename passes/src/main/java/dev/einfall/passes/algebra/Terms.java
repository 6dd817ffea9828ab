package dev.einfall.passes.algebra;

import java.util.AbstractMap;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/// An immutable map that remembers its hash code: polynomials are made of monomials of atoms of polynomials, and each level would
/// hash all below it anew.
final class Terms<K> extends AbstractMap<K, Rational> {
  private final Map<K, Rational> terms;
  /// 0 until somebody asks.
  private int hash;

  private Terms(Map<K, Rational> terms) {
    this.terms = Collections.unmodifiableMap(new LinkedHashMap<>(terms));
  }

  static <K> Terms<K> of(Map<K, Rational> terms) {
    return terms instanceof Terms<K> same ? same : new Terms<>(terms);
  }

  @Override
  public Set<Entry<K, Rational>> entrySet() {
    return terms.entrySet();
  }

  @Override
  public Rational get(Object key) {
    return terms.get(key);
  }

  @Override
  public boolean containsKey(Object key) {
    return terms.containsKey(key);
  }

  @Override
  public boolean equals(Object other) {
    return this == other || other instanceof Terms<?> that && hashCode() == that.hashCode() && terms.equals(that.terms);
  }

  @Override
  public int hashCode() {
    if (hash == 0) {
      hash = terms.hashCode();
    }
    return hash;
  }
}
