package dev.einfall.passes.reduce;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Combiner;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.passes.algebra.Atom;
import dev.einfall.passes.algebra.Polynomial;
import dev.einfall.passes.algebra.Separation;
import java.util.List;
import java.util.Optional;

/// What is kept while a rank is gone through, and how it changes with the next elements. None of it depends on reductions that
/// are not finished but through a reference or centres, which are kept too and may be any: what is kept is corrected when they move.
///
/// `inner` are further ranks reduced, and the polynomials are those of the term, in the chain's ranks.
sealed interface Accumulator {

  /// The type of the values kept.
  ElementType type();

  List<Rank> inner();

  /// The reduction of `body` so far.
  record Plain(Reduction reduction, Polynomial body, List<Rank> inner, ElementType type) implements Accumulator {}

  /// What keeps exponentials small: exponents are `unit` times the elements that `plain` keeps the extreme value of, or nearly, so
  /// that the largest one is `unit` times what it keeps.
  ///
  /// @param exact whether exponents are just that
  record Reference(Plain plain, Polynomial unit, boolean exact) {
    /// `exp` of `unit` times the difference of a value from another.
    Polynomial exponential(Expr value, Expr other) {
      Polynomial difference = Polynomial.of(new Atom.Leaf(value)).minus(Polynomial.of(new Atom.Leaf(other)));
      return Polynomial.exp(unit.constant().map(difference.asMonomial()::times).orElseGet(() -> difference.times(unit)));
    }

    /// What `plain` keeps of no elements at all.
    Expr nothing() {
      return plain.reduction().identity(plain.type());
    }

    /// Whether infinity times the unit is infinite; it may be 0 otherwise.
    boolean keepsInfinities() {
      return unit.constant().isPresent();
    }
  }

  /// The reduction of `exp(exponent - r) * body` so far, where `r` is the largest exponent so far: corrected by `exp(old - new)`.
  record Weighted(Reduction reduction, Reference reference, Polynomial exponent, Polynomial body, List<Rank> inner, ElementType type)
      implements Accumulator {}

  /// The sums so far of the derivatives of `exp(exponent - r) * body` by its variables, divided by factorials, at centres that
  /// follow what the variables stand for: corrected by Taylor's formula, which ends for polynomials.
  ///
  /// @param reference of the exponent, if there is one
  /// @param orders how often each moment is derived by each variable; ascending, so that a moment is corrected by those after it
  record Moments(Optional<Reference> reference, Polynomial exponent, List<List<Integer>> orders, List<Polynomial> derivatives,
      List<Separation.Variable> variables, List<Rank> inner, ElementType type) implements Accumulator {}

  /// The reduction of `body` over the elements so far at which `extreme` takes its value, and of `otherwise`.
  record Tied(Reduction reduction, Plain extreme, boolean largest, Polynomial body, Polynomial otherwise, List<Rank> inner,
      ElementType type) implements Accumulator {}

  /// A component of a reduction of the program's own; `scaled` ones are multiplied by `exp(exponent - r)`.
  record Folded(Combiner combiner, Optional<Reference> reference, Polynomial exponent, List<Integer> scaled, List<Polynomial> bodies,
      List<Rank> inner) implements Accumulator {
    @Override
    public ElementType type() {
      return combiner.types().getFirst();
    }
  }
}
