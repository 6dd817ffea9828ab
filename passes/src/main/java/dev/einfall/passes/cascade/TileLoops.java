package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.loop.TileShape;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The loops that a tiling makes of each rank.
///
/// Where lanes lie along the reduction, so that rows share nothing or little but are read as they lie in memory, the rows of a tile
/// are far apart: each is a stream of its own, and more is on its way from memory than in one stream. So are the [Streams] of a
/// reduction.
///
/// ```
/// rows of a product      split m 4              order m1 .. m0
/// rows far apart         split m 512            order m0 .. m1       for m = 1024: rows 0 and 512, then 1 and 513
/// a piece for a task     split m 1024 512       order m2 m0 .. m1    for m = 8192
/// streams                split k 512            order k0 .. k1       for k = 2048: 0, 512, 1024 and 1536, then 1, 513 ..
/// tiles multiplied       split m 32 16, n 32 16, k 32 2     order m2 n2 k2 .. m1 n1 m0 n0 k1 k0
/// streams of pairs       split k 512 2          order k1 .. k2 .. k0       0, 1, 512, 513, 1024, 1025, 1536 and 1537, then 2, 3 ..
/// ```
///
/// @param pieced the rank that is cut into a piece for each task
/// @param piece how many of its coordinates are a piece
record TileLoops(Tiling tiling, List<Rank> reduced, Optional<Rank> pieced, int piece) {
  /// Rows are far apart where each is the first of this many neighbours.
  private static final int FAR = 64;

  TileLoops(Tiling tiling, List<Rank> reduced) {
    this(tiling, reduced, Optional.empty(), 0);
  }

  TileLoops withPieces(Rank rank, int size) {
    return new TileLoops(tiling, reduced, Optional.of(rank), size);
  }

  List<Mapping.Split> splits() {
    List<Mapping.Split> splits = new ArrayList<>();
    tiling.row().ifPresent(row -> splits.add(split(row)));
    tiling.streamed().ifPresent(rank -> splits.add(split(rank)));
    tiling.summed().filter(rank -> !isStreamed(rank)).ifPresent(rank -> splits.add(split(rank)));
    tiling.vector().ifPresent(vector -> splits.add(split(vector)));
    pieced.filter(rank -> !isTiled(rank)).ifPresent(rank -> splits.add(split(rank)));
    return splits;
  }

  private Mapping.Split split(Rank rank) {
    List<Integer> factors = new ArrayList<>();
    if (isPieced(rank)) {
      factors.add(piece);
    }
    if (isVector(rank)) {
      factors.addAll(tiling.vectors() == 1 ? List.of(tiling.lanes()) : List.of(tiling.width(), tiling.lanes()));
    } else if (isRow(rank)) {
      factors.add(areFar(rank) ? extent(rank) / tiling.rows() : tiling.rows());
      tiling.tile().map(TileShape::rows).filter(rows -> rows < tiling.rows()).ifPresent(factors::add);
    } else if (isStreamed(rank)) {
      factors.add(extent(rank) / tiling.streams());
    }
    if (isSummed(rank)) {
      factors.add(tiling.terms());
      tiling.tile().map(TileShape::packed).ifPresent(factors::add);
    }
    return new Mapping.Split(rank.name(), factors);
  }

  /// The loops of `rank` outside of a tile, the outermost first.
  List<String> outer(Rank rank) {
    List<String> loops = new ArrayList<>();
    int levels = isTiled(rank) || isPieced(rank) ? split(rank).factors().size() : 0;
    if (levels == 0) {
      return List.of(rank.name());
    }
    if (isPieced(rank)) {
      loops.add(rank.name() + levels--);
    }
    loops.add(rank.name() + (isRow(rank) && areFar(rank) ? 0 : isStreamed(rank) ? levels - 1 : levels));
    return loops;
  }

  /// The loop over the streams.
  Optional<String> streams() {
    return tiling.streamed().map(rank -> rank.name() + split(rank).factors().size());
  }

  /// The loop over the rows of a tile.
  Optional<String> rows() {
    return tiling.row().map(row -> row.name() + (areFar(row) ? 1 : 0));
  }

  /// The loops of a tile of a machine that multiplies these: over several, rows, columns and steps.
  List<String> matrix() {
    List<String> loops = new ArrayList<>();
    String row = tiling.row().orElseThrow().name();
    String vector = tiling.vector().orElseThrow().name();
    String step = tiling.summed().orElseThrow().name();
    if (tiling.rows() > tiling.tile().orElseThrow().rows()) {
      loops.add(row + 1);
    }
    if (tiling.vectors() > 1) {
      loops.add(vector + 1);
    }
    loops.addAll(List.of(row + 0, vector + 0, step + 1, step + 0));
    return loops;
  }

  /// How many iterations the outermost loop of `rank` has.
  long tiles(Rank rank) {
    return Math.ceilDiv(rank.size().value(), isPieced(rank) ? piece : width(rank));
  }

  /// How many coordinates of `rank` a tile has.
  int width(Rank rank) {
    return isVector(rank) ? tiling.width() : isRow(rank) ? tiling.rows() : 1;
  }

  /// Whether a piece of `rank` may be cut off for a task: panels are as wide as the first split of the lanes.
  boolean canPiece(Rank rank) {
    return !isVector(rank) || reduced.isEmpty();
  }

  /// Whether the rows of `tiling` are far apart where no rank is cut into pieces.
  static boolean areFar(Tiling tiling, List<Rank> reduced) {
    TileLoops loops = new TileLoops(tiling, reduced);
    return tiling.row().filter(loops::areFar).isPresent();
  }

  private boolean areFar(Rank row) {
    return tiling.vector().filter(reduced::contains).isPresent() && tiling.rows() > 1 && extent(row) / tiling.rows() >= FAR;
  }

  /// How many coordinates of `rank` loops go through together.
  private int extent(Rank rank) {
    return isPieced(rank) ? piece : rank.size().value();
  }

  private boolean isTiled(Rank rank) {
    return isVector(rank) || isRow(rank) || isStreamed(rank) || isSummed(rank);
  }

  private boolean isVector(Rank rank) {
    return tiling.vector().filter(vector -> vector == rank).isPresent();
  }

  private boolean isRow(Rank rank) {
    return tiling.row().filter(row -> row == rank).isPresent();
  }

  private boolean isStreamed(Rank rank) {
    return tiling.streamed().filter(other -> other == rank).isPresent();
  }

  private boolean isSummed(Rank rank) {
    return tiling.summed().filter(other -> other == rank).isPresent();
  }

  private boolean isPieced(Rank rank) {
    return pieced.filter(other -> other == rank).isPresent();
  }
}
