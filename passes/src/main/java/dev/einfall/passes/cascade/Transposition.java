package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Target;
import dev.einfall.passes.loop.PermuteRows;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The loops of an Einsum that reads neighbours along another rank than it writes them: by blocks of as many coordinates of the
/// written rank as make a line of the cache, of which each is then written whole, and those that were read stay near until all of
/// their elements are used. A block is computed by tiles of as many vectors of what is read as each has lanes, which
/// [dev.einfall.passes.loop.TransposeTiles] then turns into vectors of what is written.
///
/// ```
/// Y[n, m] = X[m, n]     =>     for m1 in 0..M / 16 { for n in 0..N { for m0 in 0..16 { Y[n, m1 * 16 + m0] = X[m1 * 16 + m0, n] } } }
/// ```
///
/// What codes along the rank that is read choose from short rows, of which each coordinate of the other rank has its own, is computed by tiles of whole vectors, so that few
/// instructions choose; the rows of a tile are used for all that chooses from them before the next tile's.
///
/// @param read the rank of neighbours that are read
/// @param written the rank of neighbours that are written
/// @param block the coordinates of `written` in a line
/// @param isChosen whether elements are chosen from short rows
record Transposition(Rank read, Rank written, int block, boolean isChosen) {
  private static final int LINE_BYTES = 64;
  /// Wider vectors need more steps: those of 64 bytes make code that is too long for one method.
  private static final int TILE_BYTES = 32;
  private static final int LEAST_LANES = 4;
  /// All vectors of a tile are computed before the first is stored, and their code stands as often.
  private static final int MOST_OPERATIONS = 4;

  /// How `einsum`, which is computed element by element, transposes what it reads, if it does and more than a block.
  ///
  /// @param free its ranks, those whose neighbours it writes last
  static Optional<Transposition> of(Einsum einsum, List<Rank> free) {
    if (free.size() < 2 || Exprs.reductions(einsum.value()).findAny().isPresent()) {
      return Optional.empty();
    }
    Rank written = free.getLast();
    int block = LINE_BYTES / einsum.tensor().type().bytes();
    return Exprs.accesses(einsum.value())
        .filter(access -> !CostModel.isContiguous(access, written))
        .flatMap(access -> free.stream().filter(rank -> rank != written && isAlong(access, rank)))
        .map(read -> new Transposition(read, written, block, Exprs.accesses(einsum.value()).anyMatch(access -> isChosen(access, written))))
        .filter(found -> found.read.size().value() > 1 && written.size().value() > (found.isChosen ? 1 : block)).findFirst();
  }

  /// The tile of a block of `einsum`, if its values can be vectors along the rank that is read.
  ///
  /// @param free its ranks
  /// @param isKernel whether it is all of its kernel: inside of a larger one tiles are no faster than single elements, and longer code, but where these would be chosen one
  ///     by one. Measured by the queries of an attention
  static Optional<Tiling> tile(Einsum einsum, List<Rank> free, Target target, Numerics numerics, boolean isKernel) {
    return of(einsum, free).filter(blocks -> isKernel || blocks.isChosen).flatMap(blocks -> blocks.tile(einsum, target, numerics));
  }

  private Optional<Tiling> tile(Einsum einsum, Target target, Numerics numerics) {
    int bytes = einsum.tensor().type().bytes();
    int lanes = Math.min(target.vectorBytes(), isChosen ? target.vectorBytes() : TILE_BYTES) / bytes;
    boolean fits = lanes >= LEAST_LANES && block % lanes == 0 && read.size().value() >= lanes && written.size().value() >= lanes
        && Exprs.operations(einsum.value()) <= MOST_OPERATIONS
        && (isChosen ? Vectorizable.along(einsum, read, numerics, target) : Vectorizable.along(einsum, read, numerics))
        && Exprs.accesses(einsum.value()).allMatch(access -> access.outside().isEmpty() && isVector(access, lanes));
    return fits ? Optional.of(Tiling.of(read, lanes, 1).withRows(written, lanes)) : Optional.empty();
  }

  /// Whether `access` is to a row that each coordinate of `rank` has for itself, at a place that a code says.
  private static boolean isChosen(Expr.Access access, Rank rank) {
    return ShortRows.isLookUp(access) && access.indices().subList(0, access.indices().size() - 1).stream().anyMatch(index -> Exprs.freeRanks(index).contains(rank));
  }

  /// Whether a vector of `access` takes one instruction.
  private boolean isVector(Expr.Access access, int lanes) {
    return CostModel.isContiguous(access, read)
        || ShortRows.isChosen(access, read, lanes) && access.tensor().shape().getLast().value() <= (long) PermuteRows.MOST * lanes;
  }

  /// Whether a block is more than one tile.
  boolean hasTiles(Tiling tiling) {
    return !isChosen || tiling.rows() < block;
  }

  /// Whether the loops of a transposition are around `tiling`: a tile of it, or single elements. Lanes that are gathered are as good
  /// in any order.
  boolean takes(Tiling tiling) {
    return tiling.vector().isEmpty() || tiling.vector().get() == read && tiling.row().filter(row -> row == written).isPresent();
  }

  private static boolean isAlong(Expr.Access access, Rank rank) {
    return Affine.stride(access, rank).filter(stride -> stride == 1).isPresent();
  }

  /// `ranks`, from the outside in, with blocks of the written one around the one that is read, or around all where these have the rows of which elements are chosen.
  List<Rank> outer(List<Rank> ranks) {
    List<Rank> order = new ArrayList<>(ranks);
    order.remove(written);
    order.add(isChosen ? 0 : order.indexOf(read), written);
    return order;
  }
}
