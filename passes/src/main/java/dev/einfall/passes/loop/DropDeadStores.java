package dev.einfall.passes.loop;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import java.util.function.Consumer;

/// Removes what adds nothing to a sum, and what is stored for nobody: what is left of the zeros around an image where the taps of a
/// filter have become copies.
///
/// ```
/// sum[0] = fma(F[r, 0], 0.0, sum[0])           =>     sum[1] = fma(F[r, 0], X[p + r, 0], sum[1])
/// sum[1] = fma(F[r, 0], X[p + r, 0], sum[1])
/// ```
///
/// That 0.0 times an infinity or NaN is 0.0, too, needs `reassociate`.
public record DropDeadStores(Numerics numerics) implements Pass.OnKernel {

  @Override
  public String name() {
    return "drop-dead-stores";
  }

  @Override
  public Numerics needs() {
    return numerics;
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    Stmt body = new DeadStores(numerics).removed(kernel.body());
    // Blocks in blocks stay where nothing is removed: what they hold together is shared together later.
    return stores(body) == stores(kernel.body()) ? kernel : kernel.withBody(body);
  }

  private static long stores(Stmt body) {
    return body.nodes().filter(Stmt.Store.class::isInstance).count();
  }
}
