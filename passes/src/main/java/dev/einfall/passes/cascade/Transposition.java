package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The loops of an Einsum that reads neighbours along another rank than it writes them: by blocks of as many coordinates of the
/// written rank as make a line of the cache, of which each is then written whole, and those that were read stay near until all of
/// their elements are used.
///
/// ```
/// Y[n, m] = X[m, n]     =>     for m1 in 0..M / 16 { for n in 0..N { for m0 in 0..16 { Y[n, m1 * 16 + m0] = X[m1 * 16 + m0, n] } } }
/// ```
///
/// @param read the rank of neighbours that are read
/// @param written the rank of neighbours that are written
/// @param block the coordinates of `written` in a line
record Transposition(Rank read, Rank written, int block) {
  private static final int LINE_BYTES = 64;

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
        .filter(read -> read.size().value() > 1 && written.size().value() > block)
        .map(read -> new Transposition(read, written, block)).findFirst();
  }

  private static boolean isAlong(Expr.Access access, Rank rank) {
    return Affine.stride(access, rank).filter(stride -> stride == 1).isPresent();
  }

  /// `ranks`, from the outside in, with blocks of the written one around the one that is read.
  List<Rank> outer(List<Rank> ranks) {
    List<Rank> order = new ArrayList<>(ranks);
    order.remove(written);
    order.add(order.indexOf(read), written);
    return order;
  }
}
