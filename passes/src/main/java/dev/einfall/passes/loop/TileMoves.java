package dev.einfall.passes.loop;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/// What goes between memory and the registers for tiles, which machines load from memory and store to it alone.
final class TileMoves {
  private TileMoves() {}

  /// Whether tiles in `body` are loaded from `buffer` or stored to it.
  static boolean use(Buffer buffer, Stmt body) {
    Set<Buffer> sums = Collections.newSetFromMap(new IdentityHashMap<>());
    Set<Var> factors = Collections.newSetFromMap(new IdentityHashMap<>());
    body.nodes().forEach(statement -> {
      if (statement instanceof Stmt.Store(Buffer sum, _, Expr.TileProduct product)) {
        sums.add(sum);
        List.of(product.left(), product.right()).forEach(factor -> {
          if (factor instanceof Expr.Ref(Var var)) {
            factors.add(var);
          }
        });
      }
    });
    return !sums.isEmpty() && body.nodes().anyMatch(statement -> switch (statement) {
      case Stmt.Store(Buffer to, _, Expr.Load load) -> to == buffer && sums.contains(load.buffer()) || sums.contains(to) && load.buffer() == buffer;
      case Stmt.Let(Var var, Expr.Load load, _) -> factors.contains(var) && load.buffer() == buffer;
      default -> false;
    });
  }
}
