package dev.einfall.backends.kernel;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// An access to a tile in memory, whose lanes go through its rows one after the other: what is at `indices` in its first lane, and how many elements
/// apart two neighbours in a column and two in a row are.
///
/// ```
/// X[m, broadcast(k, 256) + ramp(0, 1, 256) / broadcast(16, 256), ramp(0, 1, 256) % broadcast(16, 256)]
///     =>   X[m, k, 0], with rows as far apart as the second dimension of X, and columns 1
/// ```
///
/// @param indices scalars
public record TileAccess(List<Expr> indices, long rowStride, long columnStride) {

  public TileAccess {
    indices = List.copyOf(indices);
  }

  /// What an access to `buffer` is, whose tile has so many `columns`; empty if its lanes are none.
  public static Optional<TileAccess> of(Buffer buffer, List<Expr> indices, int columns) {
    List<Expr> first = new ArrayList<>();
    long rowStride = 0;
    long columnStride = 0;
    for (int dimension = 0; dimension < indices.size(); dimension++) {
      Optional<Part> part = part(indices.get(dimension), columns);
      if (part.isEmpty()) {
        return Optional.empty();
      }
      first.add(part.get().base);
      rowStride += part.get().row * buffer.stride(dimension);
      columnStride += part.get().column * buffer.stride(dimension);
    }
    return Optional.of(new TileAccess(first, rowStride, columnStride));
  }

  /// An index: `base`, plus the row times `row`, plus the column times `column`.
  private record Part(Expr base, long row, long column) {}

  private static Optional<Part> part(Expr index, int columns) {
    return switch (index) {
      case Expr scalar when !scalar.type().isVector() -> Optional.of(new Part(scalar, 0, 0));
      case Expr.Broadcast(Expr scalar, _) -> Optional.of(new Part(scalar, 0, 0));
      case Expr.Ramp(Expr base, int stride, _) -> Optional.of(new Part(base, (long) stride * columns, stride));
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.ADD ->
          part(left, columns).flatMap(one -> part(right, columns).map(other -> new Part(sum(one.base, other.base), one.row + other.row, one.column + other.column)));
      case Expr.Binary(BinaryOp op, Expr left, Expr.Broadcast(Expr.IntLiteral(_, long factor), _)) when op == BinaryOp.MUL ->
          part(left, columns).map(part -> new Part(product(part.base, factor), part.row * factor, part.column * factor));
      case Expr.Binary(BinaryOp op, Expr left, Expr.Broadcast(Expr.IntLiteral(_, long divisor), _)) when divisor == columns && isFromZero(left) ->
          op == BinaryOp.DIV ? Optional.of(new Part(Expr.index(0), 1, 0)) : op == BinaryOp.MOD ? Optional.of(new Part(Expr.index(0), 0, 1)) : Optional.empty();
      default -> Optional.empty();
    };
  }

  /// Whether `index` is the number of the lane.
  private static boolean isFromZero(Expr index) {
    return index instanceof Expr.Ramp(Expr base, int stride, _) && base.equals(Expr.index(0)) && stride == 1;
  }

  private static Expr sum(Expr left, Expr right) {
    return left.equals(Expr.index(0)) ? right : right.equals(Expr.index(0)) ? left : new Expr.Binary(BinaryOp.ADD, left, right);
  }

  private static Expr product(Expr expr, long factor) {
    return expr instanceof Expr.IntLiteral(_, long value) ? Expr.index(value * factor) : new Expr.Binary(BinaryOp.MUL, expr, Expr.index(factor));
  }
}
