package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.TileShape;
import java.util.List;
import java.util.Optional;

/// The two factors of a [Contraction] whose step adds their product, in their own type: what an instruction that multiplies tiles takes.
///
/// ```
/// sum[] + f32(X[m, k]) * f32(W[k, n])   =>   X[m, k] and W[k, n]
/// ```
///
/// @param left that of the rows
/// @param right that of the columns
record TileFactors(Expr left, Expr right) {

  /// The factors of `product`, if it is a sum of products.
  static Optional<TileFactors> of(Contraction product) {
    if (!(product.step() instanceof Expr.Binary(BinaryOp op, Expr before, Expr.Binary(BinaryOp times, Expr one, Expr other)))
        || op != BinaryOp.ADD || times != BinaryOp.MUL || !product.isSum(before)) {
      return Optional.empty();
    }
    Expr first = narrow(one);
    Expr second = narrow(other);
    return product.isOfRow(first) && product.isOfColumn(second) ? Optional.of(new TileFactors(first, second))
        : product.isOfRow(second) && product.isOfColumn(first) ? Optional.of(new TileFactors(second, first)) : Optional.empty();
  }

  /// What is converted without a loss, as the instruction does itself.
  private static Expr narrow(Expr factor) {
    return factor instanceof Expr.Cast(_, Expr operand) && !operand.type().element().isBool() ? operand : factor;
  }

  /// The first of `shapes` whose operands have these types, and its sums that of `product`.
  Optional<TileShape> shape(Contraction product, List<TileShape> shapes) {
    return shapes.stream().filter(shape -> shape.sum() == product.sum().type() && shape.left() == left.type().element()
        && shape.right() == right.type().element()).findFirst();
  }
}
