package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Branches of one input on their way into the one that sees most of it: each adds its kernel where its elements lie in that
/// one's window.
///
/// ```
/// sum[r, c](X[i + r - 1, c] * W[r, c, o]) + X[i, o]     =>     W[r, c, o] + where(r == 1 && c == o, 1.0, 0.0)
/// ```
final class BranchMerge {
  private final LinearBranch base;
  private Expr kernel;

  BranchMerge(LinearBranch base) {
    this.base = base;
    this.kernel = base.kernel();
  }

  /// The base with the kernels of all that were added.
  LinearBranch merged() {
    return base.withKernel(kernel);
  }

  /// Adds `branch`, if each element that it reads is one that the base reads, for no more elements of the result.
  boolean add(LinearBranch branch) {
    Optional<Map<Rank, Affine>> places = places(branch);
    if (places.isEmpty()) {
      return false;
    }
    Optional<Expr> part = part(branch, places.get()).filter(base::hasRanksOf);
    part.ifPresent(value -> kernel = new Expr.Binary(BinaryOp.ADD, kernel, value));
    return part.isPresent();
  }

  /// For each rank that the base sums over, the coordinate at which it reads what `branch` reads.
  private Optional<Map<Rank, Affine>> places(LinearBranch branch) {
    boolean sameTensor = base.input().tensor() == branch.input().tensor();
    Map<Rank, Affine> places = new IdentityHashMap<>();
    for (int i = 0; sameTensor && i < base.input().indices().size(); i++) {
      Affine index = Affine.of(base.input().indices().get(i)).orElseThrow();
      Affine difference = Affine.of(branch.input().indices().get(i)).orElseThrow().plus(index, -1);
      List<Rank> summed = base.summed().stream().filter(rank -> index.coefficient(rank) != 0).toList();
      if (summed.isEmpty() && difference.coefficients().isEmpty() && difference.constant() == 0) {
        continue;
      }
      Optional<Affine> place = summed.size() == 1 ? place(difference, index, summed.getFirst()) : Optional.empty();
      if (place.isEmpty() || places.put(summed.getFirst(), place.get()) != null) {
        return Optional.empty();
      }
    }
    return sameTensor && places.size() == base.summed().size() ? Optional.of(places) : Optional.empty();
  }

  /// The coordinate of `rank` that makes up for `difference`, with `rank` itself in it.
  private static Optional<Affine> place(Affine difference, Affine index, Rank rank) {
    long stride = index.coefficient(rank);
    return difference.plusCoordinate(rank, stride).dividedBy(stride).filter(place -> place.coefficient(rank) == 0);
  }

  /// The kernel of `branch` in terms of the base's ranks, 0 where it has none; empty if a place may be outside of the window.
  private Optional<Expr> part(LinearBranch branch, Map<Rank, Affine> places) {
    Map<Rank, Expr> values = new IdentityHashMap<>();
    List<Expr> conditions = new ArrayList<>();
    Set<Rank> placed = new HashSet<>();
    for (Rank rank : base.summed()) {
      Affine place = places.get(rank);
      List<Rank> inner = branch.summed().stream().filter(own -> place.coefficient(own) != 0).toList();
      if (!place.isWithin(rank.size().value())) {
        return Optional.empty();
      }
      if (inner.isEmpty()) {
        conditions.add(new Expr.Binary(BinaryOp.EQ, new Expr.Coordinate(rank), place.expr()));
      } else if (inner.size() > 1 || place.coefficients().size() > 1 || place.coefficient(inner.getFirst()) != 1
          || !placed.add(inner.getFirst())) {
        return Optional.empty();
      } else {
        Affine own = Affine.coordinate(rank).plus(Affine.constant(place.constant()), -1);
        values.put(inner.getFirst(), own.expr());
        bounds(own, rank, inner.getFirst()).forEach(conditions::add);
      }
    }
    if (placed.size() != branch.summed().size()) {
      return Optional.empty();
    }
    Expr own = IndexForm.withSimpleIndices(Exprs.substitute(branch.kernel(), values));
    return Optional.of(conditions.stream().reduce((a, b) -> new Expr.Binary(BinaryOp.AND, a, b))
        .<Expr>map(condition -> new Expr.Select(condition, own, Expr.literal(own.type(), 0))).orElse(own));
  }

  /// That `own`, the place of `rank` less an offset, is a coordinate of `inner`, so far as it must be said.
  private static List<Expr> bounds(Affine own, Rank rank, Rank inner) {
    List<Expr> bounds = new ArrayList<>();
    if (own.constant() < 0) {
      bounds.add(new Expr.Binary(BinaryOp.GE, own.expr(), new Expr.IntLiteral(ElementType.I32, 0)));
    }
    if (rank.size().value() - 1 + own.constant() >= inner.size().value()) {
      bounds.add(new Expr.Binary(BinaryOp.LT, own.expr(), Expr.index(inner.size().value())));
    }
    return bounds;
  }
}
