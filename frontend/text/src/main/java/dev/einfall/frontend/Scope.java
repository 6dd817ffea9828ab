package dev.einfall.frontend;

import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The index variables that an expression may use: those of the left side and of the reductions around it.
///
/// @param indices the coordinate that each name stands for
/// @param rest the ranks that `...` stands for
/// @param guarded whether the expression is a branch of `where`, in which an index may leave the bounds
/// @param unknown the names, and perhaps `...`, whose binding is wrong, which has been reported
record Scope(Optional<Scope> outer, Map<String, Expr> indices, Optional<List<Rank>> rest, boolean guarded,
    Set<String> unknown) {
  static final Scope EMPTY = new Scope(Optional.empty(), Map.of(), Optional.empty(), false, Set.of());

  Scope inner(Map<String, Expr> newIndices, Optional<List<Rank>> newRest) {
    return new Scope(Optional.of(this), newIndices, newRest, guarded, Set.of());
  }

  Scope guard() {
    return new Scope(Optional.of(this), Map.of(), Optional.empty(), true, Set.of());
  }

  /// A scope for finding further errors where the binding of `names` is wrong.
  Scope unknown(Set<String> names) {
    return new Scope(Optional.of(this), Map.of(), Optional.empty(), guarded, names);
  }

  /// Whether `name` has no meaning because of another error.
  boolean isUnknown(String name) {
    boolean isBoundHere = indices.containsKey(name) || name.equals("...") && rest.isPresent();
    return unknown.contains(name) || !isBoundHere && outer.filter(scope -> scope.isUnknown(name)).isPresent();
  }

  Optional<Expr> find(String name) {
    return Optional.ofNullable(indices.get(name)).or(() -> outer.flatMap(scope -> scope.find(name)));
  }

  Optional<List<Rank>> findRest() {
    return rest.or(() -> outer.flatMap(Scope::findRest));
  }

  Collection<String> names() {
    Collection<String> names = new ArrayList<>(indices.keySet());
    outer.ifPresent(scope -> names.addAll(scope.names()));
    return names;
  }
}
