package dev.einfall.passes.lower;

import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.SharedRanks;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Tells whether what a state starts as is never seen: a temporary of a step is written whole before anything reads it, and a history
/// that no step reads is written whole in the course of all steps.
record FirstWrites(SharedRanks sharedRanks) {

  /// Whether the first update that touches `state` writes all of it, in one step or, if it is the only one, in all steps, and every later
  /// one that reads it has the same `where`. The recurrence must take a step, and nobody else may read the state.
  boolean overwrite(Recurrence recurrence, Recurrence.State state) {
    Tensor tensor = state.tensor();
    List<Recurrence.Update> touching = recurrence.updates().stream()
        .filter(update -> update.tensor() == tensor || reads(update, tensor)).toList();
    boolean steps = recurrence.steps().stream().allMatch(step -> step.size().constant().filter(size -> size > 0).isPresent());
    if (!steps || recurrence.condition().isPresent() || touching.isEmpty()) {
      return false;
    }
    Recurrence.Update first = touching.getFirst();
    boolean writes = first.tensor() == tensor && !reads(first, tensor) && first.combination().isEmpty();
    boolean isHistory = touching.size() == 1 && first.where().isEmpty();
    return writes && (writesAll(first, List.of()) || isHistory && writesAll(first, recurrence.steps()))
        && (first.where().isEmpty() || touching.stream().allMatch(update -> isSameWhere(first, update)));
  }

  private static boolean reads(Recurrence.Update update, Tensor tensor) {
    return update.exprs().flatMap(Expr::nodes).anyMatch(node -> node instanceof Expr.Access access && access.tensor() == tensor);
  }

  private static boolean writesAll(Recurrence.Update update, List<Rank> steps) {
    Set<Rank> seen = new HashSet<>();
    for (int i = 0; i < update.indices().size(); i++) {
      boolean whole = update.indices().get(i) instanceof Expr.Coordinate(Rank rank) && (update.ranks().contains(rank) || steps.contains(rank))
          && seen.add(rank) && rank.size().equals(update.tensor().shape().get(i));
      if (!whole) {
        return false;
      }
    }
    return true;
  }

  /// Whether both apply at the same points: their conditions are equal, a shared rank of one for that of the other.
  private boolean isSameWhere(Recurrence.Update one, Recurrence.Update other) {
    Map<Rank, Expr> ranks = new IdentityHashMap<>();
    for (int i = 0; i < sharedRanks.of(one).size(); i++) {
      ranks.put(sharedRanks.of(one).get(i), new Expr.Coordinate(sharedRanks.of(other).get(i)));
    }
    return one.where().map(where -> Exprs.substitute(where, ranks)).equals(other.where());
  }
}
