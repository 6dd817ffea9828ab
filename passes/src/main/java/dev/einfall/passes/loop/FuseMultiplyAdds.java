package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import java.util.function.Consumer;

/// Makes one rounding of a product and a sum.
///
/// ```
/// acc[] = acc[] + A[k] * B[k]     =>     acc[] = fma(A[k], B[k], acc[])
/// ```
///
/// The result has one rounding less.
public record FuseMultiplyAdds() implements Pass.OnKernel {

  @Override
  public String name() {
    return "fuse-multiply-adds";
  }

  @Override
  public Numerics needs() {
    return Numerics.REASSOCIATE;
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    return kernel.withBody(Rewrites.exprs(kernel.body(), FuseMultiplyAdds::fuse));
  }

  private static Expr fuse(Expr expr) {
    if (expr instanceof Expr.Binary(BinaryOp op, Expr left, Expr right) && op == BinaryOp.ADD
        && hasFma(expr)) {
      if (right instanceof Expr.Binary product && product.op() == BinaryOp.MUL) {
        return new Expr.Fma(product.left(), product.right(), left);
      }
      if (left instanceof Expr.Binary product && product.op() == BinaryOp.MUL) {
        return new Expr.Fma(product.left(), product.right(), right);
      }
    }
    return expr;
  }

  private static boolean hasFma(Expr expr) {
    return switch (expr.type().element()) {
      case F32, F64 -> true;
      case F16, BF16, I64, I32, I16, I8, U8, BOOL -> false;
    };
  }
}
