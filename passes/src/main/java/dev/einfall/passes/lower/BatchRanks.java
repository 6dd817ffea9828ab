package dev.einfall.passes.lower;

import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A dimension along which a recurrence is many recurrences that know nothing of each other: every update writes, and
/// reads the states, at one coordinate of it alone. Its loop can go outside of the steps.
///
/// ```
/// update H from H0 for t in 0..T {
///   H[b, t + 1, d] = H[b, t, d] * A[b, t]        batch: b, and also d
/// }
/// ```
///
/// @param ranks the rank of each update that is this dimension, in the order of the updates
record BatchRanks(List<Rank> ranks) {

  /// The first such dimension, if there is one.
  static Optional<BatchRanks> of(Recurrence recurrence) {
    if (recurrence.condition().isPresent()) {
      return Optional.empty();
    }
    return recurrence.updates().getFirst().ranks().stream()
        .flatMap(rank -> new Search(recurrence).from(rank).stream()).findFirst();
  }

  /// Follows a rank of the first update through the states to all other updates.
  private static final class Search {
    private final Recurrence recurrence;
    private final Map<Tensor, Integer> dimensions = new IdentityHashMap<>();
    private final Rank[] ranks;

    Search(Recurrence recurrence) {
      this.recurrence = recurrence;
      this.ranks = new Rank[recurrence.updates().size()];
    }

    Optional<BatchRanks> from(Rank rank) {
      Recurrence.Update first = recurrence.updates().getFirst();
      int dimension = first.indices().indexOf(new Expr.Coordinate(rank));
      if (dimension < 0) {
        return Optional.empty();
      }
      dimensions.put(first.tensor(), dimension);
      boolean grows = true;
      while (grows) {
        int known = dimensions.size();
        for (int i = 0; i < ranks.length; i++) {
          if (!follow(i)) {
            return Optional.empty();
          }
        }
        grows = dimensions.size() > known;
      }
      boolean complete = dimensions.size() == recurrence.states().size() && List.of(ranks).stream().allMatch(this::hasSize);
      return complete ? Optional.of(new BatchRanks(List.of(ranks))) : Optional.empty();
    }

    private boolean hasSize(Rank rank) {
      return rank.size().equals(ranks[0].size());
    }

    /// False if update `i` shows that the dimension is none.
    private boolean follow(int i) {
      Recurrence.Update update = recurrence.updates().get(i);
      Integer dimension = dimensions.get(update.tensor());
      if (dimension == null) {
        return guess(update);
      }
      if (!(update.indices().get(dimension) instanceof Expr.Coordinate(Rank rank)) || !update.ranks().contains(rank)
          || !rank.size().equals(update.tensor().shape().get(dimension))) {
        return false;
      }
      ranks[i] = rank;
      return accesses(update).stream().allMatch(access -> isAt(access, rank));
    }

    /// An update of a tensor of which nothing is known yet tells by what it reads.
    private boolean guess(Recurrence.Update update) {
      for (Expr.Access access : accesses(update)) {
        Integer dimension = dimensions.get(access.tensor());
        if (dimension != null && access.indices().get(dimension) instanceof Expr.Coordinate(Rank rank)) {
          int own = update.indices().indexOf(new Expr.Coordinate(rank));
          if (own >= 0) {
            dimensions.put(update.tensor(), own);
          }
          return own >= 0;
        }
      }
      return true;
    }

    private boolean isAt(Expr.Access access, Rank rank) {
      int dimension = dimensions.computeIfAbsent(access.tensor(), _ -> access.indices().indexOf(new Expr.Coordinate(rank)));
      return dimension >= 0 && access.indices().get(dimension).equals(new Expr.Coordinate(rank));
    }

    /// What the update reads of the states.
    private List<Expr.Access> accesses(Recurrence.Update update) {
      return update.exprs().flatMap(Expr::nodes)
          .flatMap(node -> node instanceof Expr.Access access ? java.util.stream.Stream.of(access) : java.util.stream.Stream.empty())
          .filter(access -> recurrence.tensors().contains(access.tensor())).toList();
    }
  }
}
