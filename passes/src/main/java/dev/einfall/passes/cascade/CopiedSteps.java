package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import java.util.List;
import java.util.Optional;

/// The steps of a reduction that a tile has a copy of the code for each: those along its last rank, if it is short and others are around
/// it. Entering a loop for each of three channels costs as much as one of them, and neighbouring rows of a tile load the same elements for
/// neighbouring taps of a filter.
record CopiedSteps(Rank rank) {
  /// The multiply-adds of several steps of a reduction that are not too long for the JIT, and the accumulators beside which it keeps in
  /// registers what several of these load: of depthwise filters, tiles of 16 take 1.1 to 1.5 times as long as those of 14.
  private static final int MOST_UNROLLED = 80;
  private static final int FEW_ACCUMULATORS = 14;

  /// Those of a reduction over `reduced` in tiles of `tiling`.
  static Optional<CopiedSteps> of(Tiling tiling, List<Rank> reduced) {
    boolean isTile = reduced.size() > 1 && tiling.summed().isEmpty() && tiling.row().isPresent() && tiling.vector().filter(reduced::contains).isEmpty();
    int accumulators = tiling.rows() * tiling.vectors();
    return Optional.of(reduced).filter(_ -> isTile && accumulators <= FEW_ACCUMULATORS).map(List::getLast)
        .filter(last -> last.size().value() * accumulators <= MOST_UNROLLED).map(CopiedSteps::new);
  }

  /// How many elements a step loads through `access` for `rows` coordinates of `row`: some are loaded for a step before.
  double loaded(Expr.Access access, Rank row, int rows) {
    int steps = rank.size().value();
    return access.indices().stream().flatMap(index -> Affine.of(index).stream())
        .filter(index -> index.coefficient(row) != 0 && index.coefficient(rank) != 0)
        .mapToDouble(index -> (1 + Math.abs(index.coefficient(row)) * (rows - 1.0) + Math.abs(index.coefficient(rank)) * (steps - 1.0)) / steps)
        .reduce(rows, Math::min);
  }
}
