package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What the ranks of an Einsum with one reduction are to its operands.
///
/// @param reduce the reduction
/// @param operands the distinct accesses in its body that depend on a reduced rank, and the codes that choose elements of tables
/// @param reuse whether two output ranks are each absent from an operand that has the other, so that a tile of both
///     loads less than it computes: a product of matrices, in whatever form
record Products(Expr.Reduce reduce, List<Expr.Access> operands, boolean reuse) {

  /// The analysis of `einsum`, if it has just one reduction.
  static Optional<Products> of(Einsum einsum) {
    List<Expr.Reduce> reductions = Exprs.reductions(einsum.value()).distinct().toList();
    if (reductions.size() != 1) {
      return Optional.empty();
    }
    Expr.Reduce reduce = reductions.getFirst();
    List<Expr.Access> operands = new ArrayList<>();
    collect(reduce.body(), reduce.ranks(), operands);
    return Optional.of(new Products(reduce, operands, hasReuse(einsum.ranks(), operands)));
  }

  /// Whether `einsum` is a product whose operands are reused across a tile of two output ranks.
  static boolean isProduct(Einsum einsum) {
    return of(einsum).filter(Products::reuse).isPresent();
  }

  private static void collect(Expr expr, List<Rank> reduced, List<Expr.Access> operands) {
    if (expr instanceof Expr.Access access) {
      Set<Rank> ranks = Exprs.freeRanks(access);
      if (reduced.stream().anyMatch(ranks::contains) && !operands.contains(access)) {
        operands.add(access);
      }
      if (ShortRows.isLookUp(access)) {
        collect(access.indices().getLast(), reduced, operands);
      }
    } else {
      expr.children().forEach(child -> collect(child, reduced, operands));
    }
  }

  private static boolean hasReuse(List<Rank> ranks, List<Expr.Access> operands) {
    for (Expr.Access a : operands) {
      for (Expr.Access b : operands) {
        if (hasOwn(ranks, a, b) && hasOwn(ranks, b, a)) {
          return true;
        }
      }
    }
    return false;
  }

  /// Whether some output rank is in `a` and not in `b`.
  private static boolean hasOwn(List<Rank> ranks, Expr.Access a, Expr.Access b) {
    Set<Rank> inA = Exprs.freeRanks(a);
    Set<Rank> inB = Exprs.freeRanks(b);
    return ranks.stream().anyMatch(rank -> rank.size().value() > 1 && inA.contains(rank) && !inB.contains(rank));
  }
}
