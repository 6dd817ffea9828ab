package dev.einfall.ir.cascade;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// Makes one of the reductions of a value that are equal but for their ranks, so that it is computed once:
/// `sum[k](A[k]) * sum[j](A[j])` becomes `sum[k](A[k]) * sum[k](A[k])` with the same `k`.
public final class SharedReductions {
  private final List<Expr.Reduce> seen = new ArrayList<>();

  private SharedReductions() {}

  /// `value` with equal reductions shared; the same object if there are none.
  public static Expr of(Expr value) {
    return new SharedReductions().share(value);
  }

  private Expr share(Expr expr) {
    Expr inner = expr.mapChildren(this::share);
    if (!(inner instanceof Expr.Reduce reduce)) {
      return inner;
    }
    for (Expr.Reduce other : seen) {
      if (isSame(reduce, other)) {
        return other;
      }
    }
    seen.add(reduce);
    return reduce;
  }

  private static boolean isSame(Expr.Reduce reduce, Expr.Reduce other) {
    List<Rank> ranks = reduce.ranks();
    boolean alike = reduce.reduction() == other.reduction()
        && ranks.stream().map(Rank::size).toList().equals(other.ranks().stream().map(Rank::size).toList());
    if (!alike) {
      return false;
    }
    Map<Rank, Rank> renamed = new IdentityHashMap<>();
    for (int i = 0; i < ranks.size(); i++) {
      renamed.put(ranks.get(i), other.ranks().get(i));
    }
    return rename(reduce.body(), renamed).equals(other.body());
  }

  private static Expr rename(Expr expr, Map<Rank, Rank> renamed) {
    return expr instanceof Expr.Coordinate(Rank rank) ? new Expr.Coordinate(renamed.getOrDefault(rank, rank))
        : expr.mapChildren(child -> rename(child, renamed));
  }
}
