package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.passes.Target;
import dev.einfall.passes.loop.PermutePlanes;
import dev.einfall.passes.loop.PermuteRows;
import java.util.List;

/// Elements of rows that fit into a few vectors, at places that codes say: `T[k, C[k, n] && 15]`. [PermuteRows] loads such a row as a
/// whole, and one instruction, or a few of a longer row, choose an element for each lane.
final class ShortRows {
  private ShortRows() {}

  /// Whether `access` is to a table, at a place that a code says and that is surely inside.
  static boolean isLookUp(Expr.Access access) {
    return !access.indices().isEmpty() && access.outside().isEmpty() && Exprs.accesses(access.indices().getLast()).findAny().isPresent()
        && isBelow(access.indices().getLast(), access.tensor().shape().getLast().value());
  }

  /// Whether `access` is to a row that is the same for all coordinates of `rank`, at places that differ and are surely inside.
  ///
  /// @param lanes how many elements a vector has
  static boolean isChosen(Expr.Access access, Rank rank, int lanes) {
    if (!isLookUp(access) || access.tensor().type().bytes() != Integer.BYTES) {
      return false;
    }
    List<Expr> indices = access.indices();
    long extent = access.tensor().shape().getLast().value();
    boolean isRow = indices.subList(0, indices.size() - 1).stream().noneMatch(index -> Exprs.freeRanks(index).contains(rank));
    return isRow && PermuteRows.canChoose(extent, lanes);
  }

  /// Whether `value` has elements of a long table that are looked up byte by byte for four fields of a word ([PermutePlanes]).
  static boolean choosesPlanes(Expr value, Target target) {
    return value.nodes().anyMatch(node -> node instanceof Expr.Access access && isLookUp(access) && access.tensor().shape().size() == 1
        && access.indices().getLast() instanceof Expr.Binary(BinaryOp and, Expr.Binary(BinaryOp shift, Expr.Access _, _), Expr.IntLiteral _)
        && and == BinaryOp.AND && shift == BinaryOp.SHR && PermutePlanes.canChoose(access.tensor().shape().getLast().value(), PermutePlanes.bytes(target)));
  }

  /// Whether `value` has bytes of words of a table, which one instruction chooses for four fields of a word where the steps that cut these have copies.
  static boolean choosesBytes(Expr value) {
    return value.nodes().anyMatch(node -> node instanceof Expr.Binary(BinaryOp and, Expr.Binary(BinaryOp shift, Expr.Access access, _), Expr.IntLiteral mask)
        && and == BinaryOp.AND && shift == BinaryOp.SHR && mask.value() == 0xff && isLookUp(access));
  }

  /// Whether `place` is masked, a remainder or a byte, and so from 0 to below `extent`.
  private static boolean isBelow(Expr place, long extent) {
    return switch (place) {
      case Expr.Cast(_, Expr operand) -> !operand.type().isFloat() && isBelow(operand, extent);
      case Expr.Binary(BinaryOp op, _, Expr.IntLiteral literal) when op == BinaryOp.AND -> literal.value() >= 0 && literal.value() < extent;
      case Expr.Binary(BinaryOp op, _, Expr.IntLiteral literal) when op == BinaryOp.MOD -> literal.value() > 0 && literal.value() <= extent;
      case Expr.Access access -> access.type() == ElementType.U8 && extent > 0xff;
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Coordinate _, Expr.Extent _, Expr.Unary _, Expr.Binary _, Expr.Select _, Expr.Bitcast _, Expr.Reduce _,
          Expr.Fold _, Expr.Ref _ -> false;
    };
  }
}
