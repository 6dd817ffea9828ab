package dev.einfall.ir.cascade;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// Makes one of the reductions of a value that are equal but for their ranks, so that it is computed once:
/// `sum[k](A[k]) * sum[j](A[j])` becomes `sum[k](A[k]) * sum[k](A[k])` with the same `k`. Components of one fold share its ranks.
public final class SharedReductions {
  private final List<Expr> seen = new ArrayList<>();

  private SharedReductions() {}

  /// `value` with equal reductions shared; the same object if there are none.
  public static Expr of(Expr value) {
    return new SharedReductions().share(value);
  }

  private Expr share(Expr expr) {
    Expr inner = expr.mapChildren(this::share);
    if (inner.bound().isEmpty()) {
      return inner;
    }
    for (Expr other : seen) {
      if (isSame(inner, other)) {
        return inner instanceof Expr.Fold fold && other instanceof Expr.Fold that ? that.withComponent(fold.component()) : other;
      }
    }
    seen.add(inner);
    return inner;
  }

  private static boolean isSame(Expr reduction, Expr other) {
    List<Rank> ranks = reduction.bound();
    if (!ranks.stream().map(Rank::size).toList().equals(other.bound().stream().map(Rank::size).toList())) {
      return false;
    }
    Map<Rank, Rank> renamed = new IdentityHashMap<>();
    for (int i = 0; i < ranks.size(); i++) {
      renamed.put(ranks.get(i), other.bound().get(i));
    }
    return switch (reduction) {
      case Expr.Reduce reduce -> other instanceof Expr.Reduce that && reduce.reduction() == that.reduction()
          && rename(reduce.body(), renamed).equals(that.body());
      case Expr.Fold fold -> other instanceof Expr.Fold that && fold.combiner() == that.combiner()
          && fold.bodies().stream().map(body -> rename(body, renamed)).toList().equals(that.bodies());
      case Expr _ -> false;
    };
  }

  private static Expr rename(Expr expr, Map<Rank, Rank> renamed) {
    return expr instanceof Expr.Coordinate(Rank rank) ? new Expr.Coordinate(renamed.getOrDefault(rank, rank))
        : expr.mapChildren(child -> rename(child, renamed));
  }
}
