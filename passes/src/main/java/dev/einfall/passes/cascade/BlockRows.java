package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.SharedRanks;
import dev.einfall.passes.Target;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The points of a recurrence that a block of a GPU takes together, as rows of the products in its steps: what their other operand holds, the block
/// reads once for all of them.
record BlockRows(Target target, Recurrence recurrence) {
  private static final List<Integer> TILES = List.of(64, 32, 16);
  /// What a step takes beside its rows, in rows.
  private static final double STEP = 16;
  /// Blocks that run at a time: one for each multiprocessor.
  private static final double TOGETHER = 132;
  /// What is left for operands on their way.
  private static final long STAGED = 12 << 10;
  /// What is left where tiles are multiplied by instructions, whose sums go that way too.
  private static final long STAGED_TILES = 32 << 10;

  /// The largest rank, of those named, along which there is an operand to share.
  Optional<Rank> rank(List<String> shared) {
    Rank best = null;
    for (Rank rank : recurrence.updates().getFirst().ranks()) {
      boolean isWide = rank.size().value() >= TILES.getLast() && shared.contains(rank.name());
      if (isWide && (best == null || rank.size().value() > best.size().value()) && sharesOperands(rank)) {
        best = rank;
      }
    }
    return Optional.ofNullable(best);
  }

  private boolean sharesOperands(Rank rank) {
    SharedRanks along = new SharedRanks(List.of(recurrence), List.of(rank.name()));
    return recurrence.updates().stream().anyMatch(update -> update.exprs().flatMap(Exprs::reductions)
        .anyMatch(reduce -> isProduct(reduce, along.of(update).getFirst())));
  }

  private static boolean isProduct(Expr.Reduce reduce, Rank row) {
    List<Expr.Access> operands = Exprs.accesses(reduce.body())
        .filter(access -> reduce.ranks().stream().anyMatch(Exprs.freeRanks(access)::contains)).toList();
    return operands.stream().anyMatch(access -> Exprs.freeRanks(access).contains(row))
        && operands.stream().anyMatch(access -> !Exprs.freeRanks(access).contains(row));
  }

  /// How many of them may go together.
  Stream<Integer> tiles(int uniform) {
    return TILES.stream().filter(tile -> uniform % tile == 0);
  }

  /// What it takes where a block has those of `view`: infinitely much where it does not have the memory.
  double cost(KernelView view) {
    double blocks = view.tiles();
    return view.localBytes() + staged() > target.sharedBytes() ? Double.POSITIVE_INFINITY
        : Math.ceil(blocks / TOGETHER) * (view.group().tile() + STEP);
  }

  private long staged() {
    boolean isNarrow = recurrence.updates().stream().flatMap(Recurrence.Update::exprs).flatMap(Exprs::accesses)
        .anyMatch(access -> target.tiles().stream().anyMatch(tile -> tile.left() == access.type()));
    return isNarrow ? STAGED_TILES : STAGED;
  }
}
