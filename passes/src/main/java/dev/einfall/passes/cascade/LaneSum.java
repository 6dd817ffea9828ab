package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A sum in two definitions, of which the first has what lanes add up, as one.
///
/// ```
/// L[m, n, l] = sum[k](X[m, 16 * k + l] * W[n, k, l])
/// Y[m, n] = sum[l](L[m, n, l])                           =>     Y[m, n] = sum[k, l](X[m, 16 * k + l] * W[n, k, l])
/// ```
///
/// @param lanes the first definition, which nothing else reads
/// @param whole the second without it
record LaneSum(Einsum lanes, Einsum whole) {

  /// What `einsum` is the second definition of.
  static Optional<LaneSum> of(Einsum einsum, Uses uses) {
    Optional<Expr.Reduce> outer = Factors.onlySum(einsum.value()).filter(sum -> sum.ranks().size() == 1);
    if (outer.isEmpty() || !(outer.get().body() instanceof Expr.Access access) || !uses.isForOne(access.tensor()) || !isPlain(access)) {
      return Optional.empty();
    }
    Einsum lanes = uses.einsums().get(access.tensor());
    return lanes != null && lanes.value() instanceof Expr.Reduce inner && Factors.onlySum(inner).isPresent()
        ? Optional.of(new LaneSum(lanes, joined(einsum, outer.get(), access, lanes, inner))) : Optional.empty();
  }

  /// Whether each index of `access` is a coordinate, and each another one.
  private static boolean isPlain(Expr.Access access) {
    return access.outside().isEmpty() && access.indices().stream().allMatch(Expr.Coordinate.class::isInstance)
        && access.indices().stream().distinct().count() == access.indices().size();
  }

  private static Einsum joined(Einsum einsum, Expr.Reduce outer, Expr.Access access, Einsum lanes, Expr.Reduce inner) {
    Map<Rank, Expr> values = new IdentityHashMap<>();
    for (int i = 0; i < lanes.ranks().size(); i++) {
      values.put(lanes.ranks().get(i), access.indices().get(i));
    }
    List<Rank> ranks = new ArrayList<>(inner.ranks());
    ranks.addAll(outer.ranks());
    Expr sum = new Expr.Reduce(Reduction.SUM, ranks, Exprs.substitute(inner.body(), values));
    return einsum.withValue(Exprs.rewrite(einsum.value(), node -> node.equals(outer) ? sum : node));
  }
}
