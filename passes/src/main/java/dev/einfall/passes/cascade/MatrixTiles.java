package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.passes.Target;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// The tilings of a product for instructions that multiply tiles: two by two of them, so that each is read for two products.
///
/// ```
/// Y[m, n] = sum[k](f32(X[m, k]) * f32(W[k, n]))     m 32, n 2 x 16, k 32 at once:
///                                                   tiles of 16 x 32 of X, and of 32 x 16 of W, with two steps k side by side
/// ```
///
/// @param free the output ranks that tiles may be made of
/// @param isCopied whether what is read can be copied before
record MatrixTiles(Target target, Einsum einsum, List<Rank> free, Predicate<Expr.Access> isCopied) {
  private static final int SIDE = 2;

  List<Tiling> all() {
    return target.tiles().stream().flatMap(tile -> free.stream().flatMap(column -> free.stream().flatMap(row -> of(tile, column, row)))).toList();
  }

  private Stream<Tiling> of(TileShape tile, Rank column, Rank row) {
    Optional<DotSteps> steps = tile.packed() == 1 || row == column ? Optional.empty() : DotSteps.of(tile, einsum, isCopied, column);
    return steps.filter(packed -> column.size().value() >= tile.columns() && isRow(packed, row)).stream().map(packed -> {
      int vectors = Math.min(SIDE, column.size().value() / tile.columns());
      int rows = Math.min(SIDE, Math.ceilDiv(row.size().value(), tile.rows())) * tile.rows();
      return Tiling.of(column, tile.columns(), vectors).withRows(row, rows).withTerms(packed.rank(), tile.steps()).byTiles(tile);
    });
  }

  /// Whether the other factor has `row` in a sum of coordinates, and the packed one has not.
  private boolean isRow(DotSteps packed, Rank row) {
    return row.size().value() > 1 && !Exprs.freeRanks(packed.row()).contains(row)
        && Products.of(einsum).orElseThrow().operands().stream().filter(access -> !access.equals(packed.row()))
            .allMatch(access -> Exprs.freeRanks(access).contains(row) && isAffine(access, row));
  }

  private static boolean isAffine(Expr.Access access, Rank row) {
    return access.indices().stream().filter(index -> Exprs.freeRanks(index).contains(row)).allMatch(index -> Affine.of(index).isPresent());
  }
}
