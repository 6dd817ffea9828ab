package dev.einfall.backends.cuda;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/// The copies from the device's memory to that of a block that threads have begun and not waited for: what comes before the next barrier and does not
/// use them runs meanwhile.
final class AsyncCopies {
  private final Set<Buffer> begun = Collections.newSetFromMap(new IdentityHashMap<>());

  /// Whether `loop`, of threads, does nothing but fill shared memory, with copies among it.
  boolean isCopy(Stmt.For loop, SharedLayout layout) {
    return loop.body().nodes().allMatch(node -> switch (node) {
      case Stmt.Block _, Stmt.If _, Stmt.Let _ -> true;
      case Stmt.Store(Buffer buffer, _, Expr value) -> layout.isInside(buffer) && (value instanceof Expr.Load load && isOne(buffer, load)
          || isNumber(value));
      case Stmt.For _, Stmt.Alloc _, Stmt.Require _, Stmt.Barrier _ -> false;
    }) && loop.body().nodes().anyMatch(node -> node instanceof Stmt.Store store && store.value() instanceof Expr.Load);
  }

  /// Whether the hardware copies such elements by itself.
  static boolean isOne(Buffer buffer, Expr.Load load) {
    return buffer.space() == Buffer.Space.SHARED && load.buffer().space() == Buffer.Space.GLOBAL && buffer.type().bytes() * load.type().lanes() >= 4;
  }

  private static boolean isNumber(Expr value) {
    return value instanceof Expr.FloatLiteral || value instanceof Expr.IntLiteral || value instanceof Expr.Broadcast(Expr number, _) && isNumber(number);
  }

  void begin(Buffer buffer) {
    begun.add(buffer);
  }

  /// Whether `statement` uses what is being copied.
  boolean isUsed(Stmt statement) {
    return statement.nodes().anyMatch(node -> node instanceof Stmt.Store store && begun.contains(store.buffer())
        || node.exprs().flatMap(Expr::nodes).anyMatch(expr -> expr instanceof Expr.Load load && begun.contains(load.buffer())));
  }

  /// Forgets them; says whether there were any.
  boolean finish() {
    boolean any = !begun.isEmpty();
    begun.clear();
    return any;
  }
}
