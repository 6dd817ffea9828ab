package dev.einfall.backends.cuda;

import dev.einfall.backends.kernel.LaneOffsets;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.ir.loop.WarpgroupTile;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// A tile in the memory of a block, as a matrix descriptor of `wgmma` tells of it, without swizzling. PTX ISA, "Asynchronous Warpgroup Level Matrix
/// Multiply-Accumulate Instructions", "Shared Memory Matrix Layout" and "Matrix Descriptor Format".
///
/// @param indices those of its first element
/// @param leadingBytes how far apart core matrices are that are neighbours among the steps
/// @param strideBytes how far apart they are otherwise
/// @param isTurned whether rows of 16 bytes are of neighbours in a row or column of the product, in place of neighbours among the steps
record MatrixOperand(List<Expr> indices, long leadingBytes, long strideBytes, boolean isTurned) {

  /// What an access to `buffer` is that loads an operand of `shape`; empty if it is of no core matrices.
  static Optional<MatrixOperand> of(Buffer buffer, List<Expr> indices, TileShape shape, boolean isLeft) {
    return LaneOffsets.of(buffer, indices).flatMap(offsets -> {
      Tile tile = new Tile(offsets, shape, isLeft, WarpgroupTile.CORE_BYTES / buffer.type().bytes());
      boolean isTurned = tile.at(0, 1) != 1;
      int core = isTurned ? WarpgroupTile.CORE_ROWS : tile.piece;
      MatrixOperand operand = new MatrixOperand(offsets.indices(), tile.at(0, core) * buffer.type().bytes(),
          tile.at(isTurned ? tile.piece : WarpgroupTile.CORE_ROWS, 0) * buffer.type().bytes(), isTurned);
      return tile.isOfCores(isTurned) ? Optional.of(operand) : Optional.empty();
    });
  }

  /// The places of a tile's elements, relative to the first.
  ///
  /// @param piece how many elements 16 bytes are
  private record Tile(LaneOffsets offsets, TileShape shape, boolean isLeft, int piece) {

    long at(int line, int step) {
      return offsets.offsets().get(isLeft ? line * shape.steps() + step : step * shape.columns() + line);
    }

    int lines() {
      return isLeft ? shape.rows() : shape.columns();
    }

    boolean isOfCores(boolean isTurned) {
      return IntStream.range(0, lines()).allMatch(line -> IntStream.range(0, shape.steps()).allMatch(step ->
          at(line, step) == (isTurned ? place(step, line, at(0, WarpgroupTile.CORE_ROWS), at(piece, 0))
              : place(line, step, at(WarpgroupTile.CORE_ROWS, 0), at(0, piece)))));
    }

    /// The place of an element of 16 bytes below each other.
    ///
    /// @param down how far apart core matrices below each other are
    /// @param across and those side by side
    private long place(int row, int element, long down, long across) {
      return row % WarpgroupTile.CORE_ROWS * (long) piece + row / WarpgroupTile.CORE_ROWS * down + element % piece + element / piece * across;
    }
  }
}
