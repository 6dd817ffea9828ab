package dev.einfall.passes.codes;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.passes.cascade.Exprs;
import dev.einfall.passes.cascade.Factors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// The one factor of what groups share that differs from group to group, where it is a function of a stored integer and half of an `f32` holds each of its numbers: a float of 8 bits,
/// a power of two, an integer.
///
/// ```
///                                                      P_shared[kg, n] = bf16(f32(E[n, kg]))
/// sum[k](.. * (f32(E[n, k / 16]) * R[n]))     =>     sum[kg, kf](.. * f32(P_shared[kg, n])) * R[n]
/// ```
///
/// Scales of short groups are a large part of what a product reads: those of 16 steps of 4 bits each, as `f32`, half as many bytes as the codes.
///
/// @param narrow the factor
/// @param others the product of the others, if there are such
record SharedCodes(Expr narrow, Optional<Expr> others) {
  /// What stands behind a sum of so many steps costs little to convert.
  private static final int LEAST_GROUP = 16;
  /// What an integer has at most whose numbers are tried.
  private static final int MOST_BITS = 8;
  /// The bits of an `f32` that `bf16` has not.
  private static final int REST = (1 << Float.SIZE - Short.SIZE) - 1;

  /// The parts of `shared`, which groups of `group` steps along `rank` share.
  static Optional<SharedCodes> of(Expr shared, Rank rank, int group) {
    List<Expr> factors = Factors.of(shared).toList();
    List<Expr> ofGroups = factors.stream().filter(factor -> Exprs.freeRanks(factor).contains(rank)).toList();
    if (group < LEAST_GROUP || ofGroups.size() != 1 || !isNarrow(ofGroups.getFirst())) {
      return Optional.empty();
    }
    List<Expr> others = new ArrayList<>(factors);
    others.removeAll(ofGroups);
    return Optional.of(new SharedCodes(ofGroups.getFirst(), others.isEmpty() ? Optional.empty() : Optional.of(Factors.product(others))));
  }

  private static boolean isNarrow(Expr factor) {
    return factor.type() == ElementType.F32 && factor.nodes().filter(SharedCodes::isCode).filter(code -> Codes.isFunction(factor, code)).findFirst()
        .flatMap(code -> Evaluation.values(factor, code)).filter(values -> Arrays.stream(values).allMatch(SharedCodes::isNarrow)).isPresent();
  }

  private static boolean isCode(Expr expr) {
    return expr.type().isInteger() && Exprs.accesses(expr).findAny().isPresent() && Codes.bits(Codes.range(expr)) <= MOST_BITS;
  }

  private static boolean isNarrow(double value) {
    return (Float.floatToIntBits((float) value) & REST) == 0;
  }
}
