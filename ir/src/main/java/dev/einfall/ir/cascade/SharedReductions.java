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
    Map<Rank, Rank> renamed = new IdentityHashMap<>();
    return pair(reduction, other, renamed)
        && rename(reduction.computation(), renamed).equals(other.computation());
  }

  /// Finds for each rank bound in `expr` the one bound in the same place of `other`; false if that has another form.
  private static boolean pair(Expr expr, Expr other, Map<Rank, Rank> renamed) {
    List<Rank> ranks = expr.bound();
    List<Expr> children = expr.children().toList();
    List<Expr> others = other.children().toList();
    boolean fits = children.size() == others.size()
        && ranks.stream().map(Rank::size).toList().equals(other.bound().stream().map(Rank::size).toList());
    for (int i = 0; fits && i < ranks.size(); i++) {
      renamed.put(ranks.get(i), other.bound().get(i));
    }
    for (int i = 0; fits && i < children.size(); i++) {
      fits = pair(children.get(i), others.get(i), renamed);
    }
    return fits;
  }

  private static Expr rename(Expr expr, Map<Rank, Rank> renamed) {
    Expr inside = expr.mapChildren(child -> rename(child, renamed));
    List<Rank> ranks = expr.bound().stream().map(rank -> renamed.getOrDefault(rank, rank)).toList();
    return switch (inside) {
      case Expr.Coordinate(Rank rank) -> new Expr.Coordinate(renamed.getOrDefault(rank, rank));
      case Expr.Reduce reduce -> new Expr.Reduce(reduce.reduction(), ranks, reduce.body());
      case Expr.Fold fold -> new Expr.Fold(fold.combiner(), ranks, fold.bodies(), fold.component());
      case Expr _ -> inside;
    };
  }
}
