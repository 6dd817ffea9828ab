package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.passes.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A copy in whose rows the elements of several rows lie side by side: vectors of each of these are read, and their lanes stored between each other.
///
/// ```
/// P[np, ks, nl] = W[2 * ks + nl % 2, 32 * np + nl / 2]     =>     split nl 32 2   order np ks nl2 nl0 nl1   unroll nl0   vectorize nl1
/// ```
///
/// @param rank the rank of the rows that are written, the last one
/// @param rows how many rows are read for one
record Interleaving(Einsum einsum, Rank rank, int rows, int lanes) {
  private static final List<Integer> ROWS = List.of(2, 4);
  /// Those of a vector: it is loaded, its lanes are stored between others, and what is far away comes in the meantime.
  private static final long CYCLES = 4;

  /// What `einsum` is, if it is one, by vectors as wide as those of sums.
  static Optional<Interleaving> of(Einsum einsum, Target target) {
    boolean isCopy = !einsum.ranks().isEmpty() && (einsum.value() instanceof Expr.Access access && (target.convertsVectors() || access.type() == ElementType.F32)
        || einsum.value() instanceof Expr.Cast(_, Expr.Access _) && target.convertsVectors());
    int lanes = target.lanes(Float.BYTES);
    return ROWS.stream().filter(_ -> isCopy).map(rows -> new Interleaving(einsum, einsum.ranks().getLast(), rows, lanes))
        .filter(Interleaving::isOne).findFirst();
  }

  private boolean isOne() {
    Rank along = new Rank(rank.name(), Size.of(Math.max(1, rank.size().value() / rows)));
    Rank between = new Rank(rank.name(), Size.of(rows));
    Expr.Access read = Exprs.accesses(einsum.value()).findFirst().orElseThrow();
    List<Expr> indices = read.indices().stream().map(index -> Exprs.rewrite(index, node -> isPart(node, BinaryOp.DIV) ? new Expr.Coordinate(along)
        : isPart(node, BinaryOp.MOD) ? new Expr.Coordinate(between) : node)).toList();
    Expr.Access parts = new Expr.Access(read.tensor(), indices);
    return rank.size().value() % (rows * lanes) == 0 && !Exprs.freeRanks(parts).contains(rank)
        && Exprs.freeRanks(parts).containsAll(List.of(along, between)) && CostModel.isContiguous(parts, along);
  }

  private boolean isPart(Expr node, BinaryOp part) {
    return node instanceof Expr.Binary(BinaryOp op, Expr.Coordinate(Rank whole), Expr.IntLiteral(_, long count)) && op == part && whole == rank && count == rows;
  }

  /// The loops.
  ///
  /// @param shared how many of the first ranks a group shares, whose loops are around them
  Mapping.Nest nest(Target target, int shared) {
    List<String> outer = einsum.ranks().stream().filter(other -> other != rank).map(Rank::name).toList();
    List<String> order = new ArrayList<>(outer.subList(shared, outer.size()));
    List<Mapping.Bound> bindings = new ArrayList<>(List.of(
        new Mapping.Bound(rank.name() + 0, Mapping.Binding.UNROLL), new Mapping.Bound(rank.name() + 1, Mapping.Binding.VECTORIZE)));
    long cycles = CYCLES * Exprs.volume(einsum.ranks()) / lanes;
    long tasks = 1;
    for (String loop : cycles < TiledNest.PARALLEL_CYCLES ? List.<String>of() : shared > 0 ? outer.subList(0, shared) : outer) {
      if (tasks < 4L * TiledNest.TASKS_PER_THREAD * target.threads()) {
        bindings.add(new Mapping.Bound(loop, Mapping.Binding.PARALLEL));
        tasks *= einsum.ranks().get(outer.indexOf(loop)).size().value();
      }
    }
    order.addAll(List.of(rank.name() + 2, rank.name() + 0, rank.name() + 1));
    return new Mapping.Nest(einsum.tensor(), List.of(), List.of(new Mapping.Split(rank.name(), List.of(rows * lanes, rows))), order, bindings);
  }
}
