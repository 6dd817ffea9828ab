package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Rank;
import java.util.Optional;

/// A candidate for the innermost loops of an Einsum: the vector rank, `vectors` of which make a tile, and the rank of
/// which `rows` coordinates share the tile's loads. Without a vector rank everything is scalar.
record Tiling(Optional<Rank> vector, int lanes, int vectors, Optional<Rank> row, int rows) {

  static final Tiling SCALAR = new Tiling(Optional.empty(), 1, 1, Optional.empty(), 1);

  /// How many coordinates of the vector rank a tile spans.
  int width() {
    return lanes * vectors;
  }

  /// Such as `n 2 x 16, m 12`: two vectors of 16 lanes along `n`, for 12 rows `m`.
  @Override
  public String toString() {
    return vector.map(rank -> rank.name() + (vectors > 1 ? " " + vectors + " x " : " ") + lanes).orElse("scalar")
        + row.map(rank -> ", " + rank.name() + " " + rows).orElse("");
  }
}
