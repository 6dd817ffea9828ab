package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.passes.Numerics;
import java.util.List;

/// Whether an Einsum can be computed with one lane for each coordinate of a rank.
///
/// All values that differ from lane to lane must have the width of the defined tensor's elements, 4 or 8 bytes (or be
/// conditions), and every index must be affine in the rank. What is read with `or` must lie inside in all lanes or in none.
final class Vectorizable {
  private Vectorizable() {}

  /// Whether `rank`, an output rank or a reduced one, can be the vector rank of `einsum`.
  static boolean along(Einsum einsum, Rank rank, Numerics numerics) {
    int bytes = einsum.tensor().type().bytes();
    boolean reduced = !einsum.ranks().contains(rank);
    return isLane(einsum.tensor().type()) && !Exprs.hasFold(einsum.value())
        && (!reduced || Exprs.reductions(einsum.value()).allMatch(reduce -> canCombine(reduce, rank, numerics)))
        && fits(einsum.value(), rank, bytes);
  }

  private static boolean isLane(ElementType type) {
    return switch (type) {
      case F32, F64, I32, I64 -> true;
      case F16, BF16, I16, I8, U8, BOOL -> false;
    };
  }

  /// Whether parts of `reduce` along `rank` may be reduced on their own and then combined.
  static boolean canCombine(Expr.Reduce reduce, Rank rank, Numerics numerics) {
    return !reduce.ranks().contains(rank) || switch (reduce.reduction()) {
      case SUM, PROD, MAX, MIN -> numerics.mayReorder(reduce.reduction().combine(), reduce.type());
      case ANY, ALL, ARGMAX, ARGMIN -> false;
    };
  }

  private static boolean fits(Expr expr, Rank rank, int bytes) {
    if (!Exprs.freeRanks(expr).contains(rank) && !bindsInside(expr, rank)) {
      return true;
    }
    return switch (expr) {
      case Expr.Access access -> isLane(access.tensor().type()) && access.tensor().type().bytes() == bytes
          && isAffine(access.indices(), rank)
          && access.outside().map(outside -> allInside(access, rank) && fits(outside, rank, bytes)).orElse(true);
      case Expr.Coordinate _ -> bytes == ElementType.I32.bytes();
      case Expr.Cast cast -> isLane(cast.type()) && cast.type().bytes() == bytes && fits(cast.operand(), rank, bytes);
      case Expr.Binary binary -> hasLanes(binary) && expr.children().allMatch(child -> fits(child, rank, bytes));
      case Expr.Unary(UnaryOp op, _) when op == UnaryOp.POPCOUNT -> false;
      case Expr.Fold _, Expr.Ref _ -> false;
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Extent _, Expr.Unary _, Expr.Select _, Expr.Reduce _ ->
          expr.children().allMatch(child -> fits(child, rank, bytes));
    };
  }

  private static boolean bindsInside(Expr expr, Rank rank) {
    return Exprs.reductions(expr).anyMatch(reduce -> reduce.ranks().contains(rank));
  }

  private static boolean hasLanes(Expr.Binary binary) {
    boolean division = binary.op() == BinaryOp.DIV || binary.op() == BinaryOp.MOD;
    return !(division && binary.left().type().isInteger());
  }

  /// Whether all lanes are inside of the tensor or all are outside: the rank alone does not lead out of it.
  private static boolean allInside(Expr.Access access, Rank rank) {
    for (int i = 0; i < access.indices().size(); i++) {
      Expr index = access.indices().get(i);
      long size = access.tensor().shape().get(i).value();
      boolean inside = Affine.of(index).filter(affine -> affine.isWithin(size)).isPresent();
      if (Exprs.freeRanks(index).contains(rank) && !inside) {
        return false;
      }
    }
    return true;
  }

  private static boolean isAffine(List<Expr> indices, Rank rank) {
    return indices.stream()
        .filter(index -> Exprs.freeRanks(index).contains(rank))
        .allMatch(index -> Affine.of(index).isPresent());
  }
}
