package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Target;
import java.util.List;

/// Whether an Einsum can be computed with one lane for each coordinate of a rank.
///
/// All values that differ from lane to lane must have the width of the defined tensor's elements, 4 or 8 bytes (or be
/// conditions, or converted as they are loaded and stored, where the machine does that; whole numbers of 8 and 16 bits, and floats of 16, are converted as they are loaded everywhere), and every index must be
/// affine in the rank, or the same for all lanes of a vector ([SharedLanes]), or choose elements of [ShortRows]. What is read with `or` must lie inside in all lanes or in none.
final class Vectorizable {
  private final Rank rank;
  private final int bytes;
  private final boolean converts;
  private final int lanes;

  private Vectorizable(Rank rank, int bytes, boolean converts, int lanes) {
    this.rank = rank;
    this.bytes = bytes;
    this.converts = converts;
    this.lanes = lanes;
  }

  /// Whether `rank`, an output rank or a reduced one, can be the vector rank of `einsum`.
  static boolean along(Einsum einsum, Rank rank, Numerics numerics) {
    return along(einsum, einsum.value(), rank, numerics, false, 1);
  }

  /// The same on a machine that may convert what it loads and stores.
  static boolean along(Einsum einsum, Rank rank, Numerics numerics, Target target) {
    boolean isRounded = laneBytes(einsum, target) != einsum.tensor().type().bytes();
    return along(einsum, isRounded ? ((Expr.Cast) einsum.value()).operand() : einsum.value(), rank, numerics, target.convertsVectors(),
        target.lanes(Integer.BYTES));
  }

  private static boolean along(Einsum einsum, Expr value, Rank rank, Numerics numerics, boolean converts, int lanes) {
    boolean reduced = !einsum.ranks().contains(rank);
    return isLane(value.type()) && !Exprs.hasFold(value)
        && (!reduced || value.type() == einsum.tensor().type() && Exprs.reductions(value).allMatch(reduce -> canCombine(reduce, rank, numerics)))
        && new Vectorizable(rank, value.type().bytes(), converts, lanes).fits(value);
  }

  /// The bytes of a lane of what is computed for an element: what is only rounded when it is stored is wider than the element.
  static int laneBytes(Einsum einsum, Target target) {
    boolean isRounded = target.convertsVectors() && einsum.value() instanceof Expr.Cast cast && isNarrow(cast.type()) && isLane(cast.operand().type());
    return (isRounded ? ((Expr.Cast) einsum.value()).operand().type() : einsum.tensor().type()).bytes();
  }

  /// Numbers that are wider where they are computed with.
  private static boolean isNarrow(ElementType type) {
    return switch (type) {
      case BF16, I16, I8, U8 -> true;
      case F64, F32, F16, I64, I32, BOOL -> false;
    };
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

  private boolean fits(Expr expr) {
    if (!Exprs.freeRanks(expr).contains(rank) && !bindsInside(expr)) {
      return true;
    }
    return switch (expr) {
      case Expr.Access access -> isLane(access.tensor().type()) && access.tensor().type().bytes() == bytes && isRead(access);
      case Expr.Coordinate _ -> bytes == ElementType.I32.bytes();
      case Expr.Cast(ElementType type, Expr.Access access) when isWidened(access.type(), type) -> isLane(type) && type.bytes() == bytes && isRead(access);
      case Expr.Cast cast -> isLane(cast.type()) && cast.type().bytes() == bytes && fits(cast.operand());
      case Expr.Bitcast bitcast -> isLane(bitcast.type()) && fits(bitcast.operand());
      case Expr.Binary binary -> hasLanes(binary) && expr.children().allMatch(this::fits);
      case Expr.Fold _, Expr.Ref _ -> false;
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Extent _, Expr.Unary _, Expr.Select _, Expr.Reduce _ ->
          expr.children().allMatch(this::fits);
    };
  }

  /// Whether what is stored as `narrow` is converted to `wide` as it is loaded.
  private boolean isWidened(ElementType narrow, ElementType wide) {
    return switch (narrow) {
      case I8, U8, I16 -> true;
      case BF16 -> converts || wide == ElementType.F32;
      case F16 -> wide == ElementType.F32;
      case F64, F32, I64, I32, BOOL -> false;
    };
  }

  private boolean isRead(Expr.Access access) {
    return ShortRows.isChosen(access, rank, lanes) ? fits(access.indices().getLast()) : SharedLanes.isShared(access, rank, lanes) || isAffine(ReshapedAccess.joined(access).indices()) && access.outside().map(outside -> allInside(access) && fits(outside)).orElse(true);
  }

  private boolean bindsInside(Expr expr) {
    return Exprs.reductions(expr).anyMatch(reduce -> reduce.ranks().contains(rank));
  }

  private static boolean hasLanes(Expr.Binary binary) {
    boolean division = binary.op() == BinaryOp.DIV || binary.op() == BinaryOp.MOD;
    return !(division && binary.left().type().isInteger());
  }

  /// Whether all lanes are inside of the tensor or all are outside: the rank alone does not lead out of it.
  private boolean allInside(Expr.Access access) {
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

  private boolean isAffine(List<Expr> indices) {
    return indices.stream()
        .filter(index -> Exprs.freeRanks(index).contains(rank))
        .allMatch(index -> Affine.of(index).isPresent());
  }
}
