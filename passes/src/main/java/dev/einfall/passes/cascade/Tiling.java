package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.loop.TileShape;
import java.util.Optional;

/// A candidate for the innermost loops of an Einsum. Without a vector rank everything is scalar.
///
/// @param vector the rank of the lanes, `vectors` of which make a tile
/// @param row the rank of which `rows` coordinates share the tile's loads
/// @param streamed the rank of the reduction of which a step takes `streams` coordinates, far apart from each other
/// @param summed the rank of the reduction of which a step takes `terms` neighbours, by an instruction that adds their products
/// @param tile what the instruction is that takes as many rows, lanes and steps as it has
record Tiling(Optional<Rank> vector, int lanes, int vectors, Optional<Rank> row, int rows, Optional<Rank> streamed, int streams,
    Optional<Rank> summed, int terms, Optional<TileShape> tile) {

  static final Tiling SCALAR = new Tiling(Optional.empty(), 1, 1);

  private Tiling(Optional<Rank> vector, int lanes, int vectors) {
    this(vector, lanes, vectors, Optional.empty(), 1, Optional.empty(), 1, Optional.empty(), 1, Optional.empty());
  }

  static Tiling of(Rank vector, int lanes, int vectors) {
    return new Tiling(Optional.of(vector), lanes, vectors);
  }

  Tiling withRows(Rank rank, int count) {
    return new Tiling(vector, lanes, vectors, Optional.of(rank), count, streamed, streams, summed, terms, tile);
  }

  Tiling withStreams(Rank rank, int count) {
    return new Tiling(vector, lanes, vectors, row, rows, Optional.of(rank), count, summed, terms, tile);
  }

  Tiling withTerms(Rank rank, int count) {
    return new Tiling(vector, lanes, vectors, row, rows, streamed, streams, Optional.of(rank), count, tile);
  }

  /// Of whole tiles of a machine that multiplies these.
  Tiling byTiles(TileShape shape) {
    return new Tiling(vector, lanes, vectors, row, rows, streamed, streams, summed, terms, Optional.of(shape));
  }

  /// How many coordinates of the vector rank a tile spans.
  int width() {
    return lanes * vectors;
  }

  /// Such as `n 2 x 16, m 12`: two vectors of 16 lanes along `n`, for 12 rows `m`; `k 4 apart`: in each step 4 coordinates of `k`; `k 2 at once`:
  /// two that are added together; `by tiles`: by products of tiles.
  @Override
  public String toString() {
    return vector.map(rank -> rank.name() + (vectors > 1 ? " " + vectors + " x " : " ") + lanes).orElse("scalar")
        + row.map(rank -> ", " + rank.name() + " " + rows).orElse("")
        + streamed.map(rank -> ", " + rank.name() + " " + streams + " apart").orElse("")
        + summed.map(rank -> ", " + rank.name() + " " + terms + " at once").orElse("") + (tile.isPresent() ? ", by tiles" : "");
  }
}
