package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The steps of a reduction that a tile has a copy of the code for each: those along its last rank, if it is short and others are around
/// it. Entering a loop for each of three channels costs as much as one of them, and neighbouring rows of a tile load the same elements for
/// neighbouring taps of a filter. Those that cut fields from one and the same word have copies in tiles of one row: rows share what is decoded, and several of them
/// in 8 copies take three times as long. Fields of bytes that instructions multiply are cut by constants in copies.
record CopiedSteps(Rank rank) {
  /// The multiply-adds of several steps of a reduction that are not too long for the JIT, and the accumulators beside which it keeps in
  /// registers what several of these load: of depthwise filters, tiles of 16 take 1.1 to 1.5 times as long as those of 14.
  private static final int MOST_UNROLLED = 80;
  private static final int FEW_ACCUMULATORS = 14;
  /// The same of steps that also decode what they multiply.
  private static final int MOST_DECODED = 32;
  /// HotSpot makes copies of the body of a loop with so few turns, however long it is.
  private static final int FEW_TURNS = 3;
  /// The accumulators, of which each takes three registers, beside which bytes of tables are chosen.
  private static final int MOST_OF_BYTES = 8;

  /// Those of a reduction over `reduced` in tiles of `tiling`.
  static Optional<CopiedSteps> of(Einsum einsum, Tiling tiling, List<Rank> reduced) {
    if (tiling.summed().isPresent()) {
      return tiling.tile().isPresent() ? Optional.empty() : Products.of(einsum).flatMap(products -> DotSteps.fields(products.reduce())).map(CopiedSteps::new);
    }
    if (isDot(tiling, reduced)) {
      boolean isShort = cutsFields(einsum, tiling.vector().orElseThrow(), reduced) && reduced.getLast().size().value() * tiling.rows() * tiling.vectors() <= MOST_DECODED;
      return isShort ? Optional.of(new CopiedSteps(reduced.getLast())) : Optional.empty();
    }
    boolean isTile = reduced.size() > 1 && tiling.vector().filter(vector -> !reduced.contains(vector)).isPresent();
    Optional<Rank> last = Optional.of(reduced).filter(_ -> isTile).map(List::getLast);
    int accumulators = tiling.rows() * tiling.vectors();
    boolean cutsFields = last.isPresent() && cutsFields(einsum, tiling.vector().orElseThrow(), reduced);
    if (last.isPresent() && cutsFields && ShortRows.choosesBytes(einsum.value())) {
      return last.filter(_ -> accumulators <= MOST_OF_BYTES).map(CopiedSteps::new);
    }
    boolean isShort = last.isPresent() && (cutsFields ? tiling.row().isEmpty() && copies(reduced) * accumulators <= MOST_DECODED
        : tiling.row().isPresent() && accumulators <= FEW_ACCUMULATORS && last.get().size().value() * accumulators <= MOST_UNROLLED);
    return last.filter(_ -> isShort).map(CopiedSteps::new);
  }

  /// How many copies of a step there are where those along the last of `reduced` are copied: also those that HotSpot makes of the loop around these.
  private static int copies(List<Rank> reduced) {
    int around = reduced.get(reduced.size() - 2).size().value();
    return reduced.getLast().size().value() * (around <= FEW_TURNS ? around : 1);
  }

  /// Whether lanes are summed, and steps along the last rank are around them.
  private static boolean isDot(Tiling tiling, List<Rank> reduced) {
    return reduced.size() > 1 && tiling.vector().filter(vector -> reduced.contains(vector) && vector != reduced.getLast()).isPresent();
  }

  /// Whether integers along `vector` are the same in all steps along the last of `reduced`, inside of others: words of which each step takes a field.
  static boolean cutsFields(Einsum einsum, Rank vector, List<Rank> reduced) {
    return reduced.size() > 1 && Products.of(einsum).stream().flatMap(products -> products.operands().stream())
        .filter(access -> access.tensor().type().isInteger()).anyMatch(access -> {
          Set<Rank> ranks = Exprs.freeRanks(access);
          return ranks.contains(vector) && !ranks.contains(reduced.getLast());
        });
  }

  /// How many elements a step loads through `access` for `rows` coordinates of the tile's rows: some are loaded for a step before.
  double loaded(Expr.Access access, Optional<Rank> row, int rows) {
    int steps = rank.size().value();
    return !Exprs.freeRanks(access).contains(rank) ? (double) rows / steps : access.indices().stream().flatMap(index -> Affine.of(index).stream())
        .filter(index -> row.isPresent() && index.coefficient(row.get()) != 0 && index.coefficient(rank) != 0)
        .mapToDouble(index -> (1 + Math.abs(index.coefficient(row.orElseThrow())) * (rows - 1.0) + Math.abs(index.coefficient(rank)) * (steps - 1.0)) / steps)
        .reduce(rows, Math::min);
  }
}
