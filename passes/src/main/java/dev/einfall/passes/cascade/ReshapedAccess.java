package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.loop.MergeDimensions;
import java.util.ArrayList;
import java.util.List;

/// An access to a tensor that is read in another shape, as it looks where [MergeDimensions] has seen neighbouring dimensions as one.
///
/// ```
/// Z[t, k / 32, k % 32] of Z: f32[128, 12, 32]     =>     Z[t, k] of Z: f32[128, 384]
/// ```
final class ReshapedAccess {
  private ReshapedAccess() {}

  /// `access` with each index that was cut in two for two dimensions in one piece; to a stand-in for its tensor, if there is any.
  static Expr.Access joined(Expr.Access access) {
    if (access.outside().isPresent()) {
      return access;
    }
    List<Expr> indices = new ArrayList<>();
    List<Size> shape = new ArrayList<>();
    for (int i = 0; i < access.indices().size(); i++) {
      Expr index = access.indices().get(i);
      Size size = access.tensor().shape().get(i);
      if (!indices.isEmpty() && isCut(indices.getLast(), index, size)) {
        indices.set(indices.size() - 1, ((Expr.Binary) indices.getLast()).left());
        shape.set(shape.size() - 1, Size.of(Math.multiplyExact(shape.getLast().value(), size.value())));
      } else {
        indices.add(index);
        shape.add(size);
      }
    }
    return indices.size() == access.indices().size() ? access
        : new Expr.Access(new Tensor(access.tensor().name(), access.tensor().type(), shape, access.tensor().span()), indices);
  }

  private static boolean isCut(Expr quotient, Expr remainder, Size extent) {
    return quotient instanceof Expr.Binary(BinaryOp divide, Expr x, Expr.IntLiteral by) && divide == BinaryOp.DIV
        && remainder instanceof Expr.Binary(BinaryOp modulo, Expr y, Expr.IntLiteral of) && modulo == BinaryOp.MOD
        && x.equals(y) && by.value() == extent.value() && of.value() == extent.value();
  }
}
