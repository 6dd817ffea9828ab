package dev.einfall.frontend;

import dev.einfall.ir.cascade.Rank;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The index variables that an expression may use: those of the left side and of the reductions around it.
///
/// @param rest the ranks that `...` stands for
/// @param guarded whether the expression is a branch of `where`, in which an index may leave the bounds
record Scope(Optional<Scope> outer, Map<String, Rank> ranks, Optional<List<Rank>> rest, boolean guarded) {
  static final Scope EMPTY = new Scope(Optional.empty(), Map.of(), Optional.empty(), false);

  Scope inner(Map<String, Rank> newRanks, Optional<List<Rank>> newRest) {
    return new Scope(Optional.of(this), newRanks, newRest, guarded);
  }

  Scope guard() {
    return new Scope(Optional.of(this), Map.of(), Optional.empty(), true);
  }

  Optional<Rank> find(String name) {
    return Optional.ofNullable(ranks.get(name)).or(() -> outer.flatMap(scope -> scope.find(name)));
  }

  Optional<List<Rank>> findRest() {
    return rest.or(() -> outer.flatMap(Scope::findRest));
  }

  Collection<String> names() {
    Collection<String> names = new ArrayList<>(ranks.keySet());
    outer.ifPresent(scope -> names.addAll(scope.names()));
    return names;
  }
}
