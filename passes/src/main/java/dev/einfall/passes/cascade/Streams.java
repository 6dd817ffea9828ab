package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Target;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Reading the largest operand of a product from several places at a time, where it is too large for the caches and a tile
/// uses each of its elements only once, as all products of a matrix and a few vectors do: more is on its way from memory than
/// where one place follows the other.
///
/// ```
/// Z[f] = sum[m](A[m] * V[m, f])     =>     for m0 in 0..1024 { for m1 in 0..4 { Z += A[m1 * 1024 + m0] * V[m1 * 1024 + m0, ..] } }
/// ```
///
/// Panels of a constant operand are as wide as tiles: each thread reads its own from end to end. Where rows are longer, the tiles of a row
/// follow each other inside of a step, so that each place is read from one end to the other, and add to sums that a cache holds: a vector
/// times a matrix of 4,096 x 4,096 takes 2.4 ms so, and 7.2 ms where each tile goes down the matrix, along parts of 512 bytes of each row.
final class Streams {
  /// Two are no faster than one, and eight no faster than four: measured on Zen 4, with an operand of 64 MB. One of 16 MB, which the
  /// cache that cores share holds, comes best in one.
  private static final int COUNT = 4;
  /// The multiply-adds of a step: of 32, the loads come in an order that memory is slow in, 3.6 ms in place of 2.5 for a vector times a
  /// matrix of 4,096 x 4,096.
  private static final int MOST_IN_A_STEP = 16;
  /// The part of the cache of a core that the sums of whole rows may take.
  private static final double SUMS = 0.25;
  /// A stream of fewer coordinates ends before it comes fast.
  private static final int LEAST_LENGTH = 64;

  private final Target target;
  private final Einsum einsum;
  private final List<Rank> reduced;
  private final boolean isKernel;
  private final Set<Tensor> constant;
  private final Optional<Expr.Access> largest;
  private final Set<Rank> ranks;
  private final Optional<Rank> streamed;
  private final double reading;

  /// @param reduced the ranks of the reduction
  /// @param isKernel whether the Einsum is all of its kernel, so that the loops may have any order
  /// @param constant the tensors that weights alone determine
  Streams(Target target, Numerics numerics, Einsum einsum, List<Rank> reduced, boolean isKernel, Set<Tensor> constant) {
    this.target = target;
    this.einsum = einsum;
    this.reduced = reduced;
    this.isKernel = isKernel;
    this.constant = constant;
    this.largest = Products.of(einsum).stream().flatMap(products -> products.operands().stream())
        .max(Comparator.comparingDouble(Streams::bytes));
    this.ranks = largest.map(Exprs::freeRanks).orElse(Set.of());
    double bytes = largest.map(Streams::bytes).orElse(0.0);
    boolean isFar = target.level(bytes).equals(target.speeds().memory());
    this.reading = isFar ? bytes / target.speeds().memory().bytes() : 0;
    this.streamed = Optional.of(isFar).filter(far -> far && mayReorder(einsum, reduced, numerics)).flatMap(_ -> longest());
  }

  private static double bytes(Expr.Access access) {
    return Math.min(Exprs.bytes(List.copyOf(Exprs.freeRanks(access)), access.tensor()), Exprs.bytes(access.tensor()));
  }

  private static boolean mayReorder(Einsum einsum, List<Rank> reduced, Numerics numerics) {
    return Products.of(einsum)
        .filter(products -> Vectorizable.canCombine(products.reduce(), reduced.getFirst(), numerics)).isPresent();
  }

  /// The rank that streams divide: the longest of the reduction, if they are worth it.
  private Optional<Rank> longest() {
    return reduced.stream().filter(ranks::contains).max(Comparator.comparingInt(rank -> rank.size().value()))
        .filter(rank -> rank.size().value() >= COUNT * LEAST_LENGTH);
  }

  /// `tiling` with several streams, if these can be faster.
  Stream<Tiling> of(Tiling tiling) {
    boolean isShort = COUNT * tiling.vectors() * tiling.rows() <= MOST_IN_A_STEP;
    return streamed.filter(rank -> isShort && isReadOnce(tiling) && hasWholeSteps(tiling, rank)).map(rank -> tiling.withStreams(rank, COUNT)).stream();
  }

  /// Whether streams along `rank` begin with whole steps where some of its coordinates are taken at once.
  private static boolean hasWholeSteps(Tiling tiling, Rank rank) {
    return tiling.summed().isEmpty() || tiling.summed().get() == rank && rank.size().value() % (COUNT * tiling.terms()) == 0;
  }

  /// The cycles of reading the largest operand from memory once, if it lies there.
  double reading(Tiling tiling) {
    boolean isOneStream = tiling.streams() == 1 && !TileLoops.areFar(tiling, reduced);
    return reading * (isOneStream ? target.speeds().oneStream() : 1);
  }

  /// Whether the tiles of `tiling` follow each other along a row inside of each step.
  boolean goAlongRows(Tiling tiling) {
    return tiling.streams() > 1 && !isInPanels()
        && tiling.vector().filter(vector -> vector.size().value() > tiling.width()).isPresent();
  }

  /// Whether `PackOperands` makes panels of the operand.
  private boolean isInPanels() {
    return largest.filter(access -> constant.contains(access.tensor()) && CostModel.isPackable(access)).isPresent();
  }

  /// Whether tiles read whole rows of the operand, and no output rank but the rows of the tile has to read it again.
  private boolean isReadOnce(Tiling tiling) {
    boolean readsRows = tiling.vector().filter(vector -> ranks.contains(vector) && !reduced.contains(vector)
        && (vector.size().value() <= tiling.width() || isInPanels() || mayGoAlongRows(vector))).isPresent();
    return readsRows && isReadInEachStep(tiling) && einsum.ranks().stream().filter(rank -> !ranks.contains(rank) && rank.size().value() > 1)
        .allMatch(rank -> tiling.row().filter(row -> row == rank && rank.size().value() <= tiling.rows()).isPresent());
  }

  /// Whether all that has lanes is read anew in each step of the reduction. Words of which several steps take fields, and scales of groups, take more operations than what
  /// comes next takes from one place, and groups a sum for each stream.
  private boolean isReadInEachStep(Tiling tiling) {
    return Products.of(einsum).orElseThrow().operands().stream().map(Exprs::freeRanks)
        .filter(used -> tiling.vector().filter(used::contains).isPresent()).allMatch(used -> used.containsAll(reduced));
  }

  private boolean mayGoAlongRows(Rank vector) {
    boolean fits = Exprs.bytes(einsum.ranks(), einsum.tensor()) <= target.l2Bytes() * SUMS;
    return isKernel && fits && largest.filter(access -> CostModel.isContiguous(access, vector)).isPresent();
  }
}
