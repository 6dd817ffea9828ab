package dev.einfall.passes.algebra;

import dev.einfall.ir.cascade.Expr;
import java.util.function.Predicate;

/// What the parts of a term depend on: the rank that is reduced, earlier reductions over that rank, both, or neither.
///
/// @param varies whether an expression depends on the reduced rank
/// @param waits whether an expression depends on an earlier reduction over the rank
public record Dependence(Predicate<Expr> varies, Predicate<Expr> waits) {

  public boolean varies(Atom atom) {
    return atom.leaves().anyMatch(varies);
  }

  public boolean waits(Atom atom) {
    return atom.leaves().anyMatch(waits);
  }

  public boolean varies(Polynomial value) {
    return value.leaves().anyMatch(varies);
  }

  public boolean waits(Polynomial value) {
    return value.leaves().anyMatch(waits);
  }

  public boolean varies(Monomial monomial) {
    return monomial.atoms().anyMatch(this::varies) || varies(monomial.exponent());
  }

  public boolean waits(Monomial monomial) {
    return monomial.atoms().anyMatch(this::waits) || waits(monomial.exponent());
  }

  /// Whether `atom` depends on both, so that it stands in the way.
  public boolean isMixed(Atom atom) {
    return varies(atom) && waits(atom);
  }

  public boolean isMixed(Polynomial value) {
    return varies(value) && waits(value);
  }
}
