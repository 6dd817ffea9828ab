package dev.einfall.passes.analysis;

import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// A definition as what it writes.
record Unit(Definition definition, List<Rank> steps, List<Write> writes) {

  /// A tensor written at `indices` with the value of `scope`.
  record Write(Tensor tensor, Scope scope, List<Index> indices, Span span) {}

  static Unit of(Definition definition) {
    return switch (definition) {
      case Einsum einsum -> new Unit(einsum, List.of(), List.of(new Write(einsum.tensor(), Scope.of(Stream.of(einsum.value())),
          einsum.ranks().stream().map(rank -> Index.of(new Expr.Coordinate(rank))).toList(), einsum.span())));
      case Recurrence recurrence ->
          new Unit(recurrence, recurrence.steps(), recurrence.updates().stream().map(Unit::write).toList());
    };
  }

  private static Write write(Recurrence.Update update) {
    Stream<Expr> exprs = Stream.of(Stream.of(update.value()), update.indices().stream(), update.where().stream()).flatMap(each -> each);
    return new Write(update.tensor(), Scope.of(exprs), update.indices().stream().map(Index::of).toList(), update.span());
  }

  boolean isRecurrence() {
    return definition instanceof Recurrence;
  }

  /// The tensor that `state` starts as a copy of.
  Optional<Tensor> base(Tensor state) {
    return definition instanceof Recurrence recurrence
        ? recurrence.states().stream().filter(candidate -> candidate.tensor() == state).findFirst().flatMap(Recurrence.State::base)
        : Optional.empty();
  }
}
