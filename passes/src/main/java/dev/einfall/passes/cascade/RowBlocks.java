package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.passes.Target;
import java.util.List;
import java.util.Optional;

/// Says in which blocks the rows of a product go that are too many for the cache of a core, so that all panels of the other operand
/// meet the rows of a block while these are near: tiles of the block are innermost, then come the panels, then the blocks.
///
/// ```
/// for n2 { for m1 { .. } }     =>     for m2 { for n2 { for m1 { .. } } }
/// ```
///
/// Without blocks, panel by panel, all rows come from memory again for each panel. Their results are written there, a part of each
/// row at a time: another page of memory for every row. A product of 32,768 x 256 and 256 x 1,024 ran at 57 GFLOP/s so,
/// and in blocks at 95.
record RowBlocks(Target target, Einsum einsum) {
  /// The part of the cache of a core that the rows of a block may take.
  private static final double SHARE = 0.25;
  /// Fewer rows read the panels for too little.
  private static final int LEAST = 48;
  /// More gain nothing.
  private static final int MOST = 192;
  /// With fewer panels, the rows are seldom read again.
  private static final int LEAST_PANELS = 4;
  /// Blocks for each thread: the last ones wait for each other.
  private static final int BLOCKS_PER_THREAD = 16;

  /// The rows of a block, whole tiles; empty where blocks do not help.
  Optional<Integer> of(Tiling tiling) {
    if (tiling.row().isEmpty() || tiling.vector().isEmpty()) {
      return Optional.empty();
    }
    Rank row = tiling.row().get();
    Rank vector = tiling.vector().get();
    List<Expr.Access> operands = Products.of(einsum).orElseThrow().operands();
    List<Expr.Access> rowSide = operands.stream().filter(access -> Exprs.freeRanks(access).contains(row)).toList();
    boolean isPlain = rowSide.stream().allMatch(access -> isPlain(access) && !Exprs.freeRanks(access).contains(vector));
    if (!isPlain || panels(tiling, vector) < LEAST_PANELS) {
      return Optional.empty();
    }
    double bytes = rowSide.stream().mapToDouble(this::bytes).sum();
    boolean stays = bytes * row.size().value() + Exprs.bytes(einsum.tensor()) <= target.l2Bytes();
    double room = Math.min(MOST, SHARE * target.l2Bytes() / bytes);
    double shared = Math.max(LEAST, (double) row.size().value() / (BLOCKS_PER_THREAD * target.threads()));
    int rows = (int) (Math.min(room, shared) / tiling.rows()) * tiling.rows();
    return stays || rows < LEAST || rows >= row.size().value() ? Optional.empty() : Optional.of(rows);
  }

  private static double panels(Tiling tiling, Rank vector) {
    return (double) vector.size().value() / tiling.width();
  }

  /// Whether every index is one coordinate: what rows of windows have in common would be counted too often.
  private static boolean isPlain(Expr.Access access) {
    return access.indices().stream().allMatch(index -> index instanceof Expr.Coordinate);
  }

  /// The bytes that `access` reads for one row at one place of the loops around.
  private double bytes(Expr.Access access) {
    List<Rank> inside = Exprs.freeRanks(access).stream().filter(rank -> !einsum.ranks().contains(rank)).toList();
    return Exprs.bytes(inside, access.tensor());
  }
}
