package dev.einfall.backends.jvm;

import dev.einfall.backends.kernel.LinearIndex;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// The least number of bytes that is added to a sum of counters in an access to each buffer, where it is negative: a window of an image with a
/// border reads at `p + r - 1`. C2 does not see that such a sum is not negative, and then checks at run time whether the address lies in memory.
final class LowestOffsets {
  private final Map<Buffer, Long> lowest = new IdentityHashMap<>();

  static Map<Buffer, Long> of(Stmt body) {
    LowestOffsets found = new LowestOffsets();
    body.nodes().forEach(statement -> {
      if (statement instanceof Stmt.Store(Buffer buffer, List<Expr> indices, Expr _)) {
        found.add(buffer, indices);
      }
      statement.exprs().flatMap(Expr::nodes).forEach(expr -> {
        if (expr instanceof Expr.Load(Buffer buffer, List<Expr> indices)) {
          found.add(buffer, indices);
        }
      });
    });
    return Collections.unmodifiableMap(found.lowest);
  }

  private void add(Buffer buffer, List<Expr> indices) {
    if (buffer.space() != Buffer.Space.REGISTER) {
      LinearIndex.flat(buffer, indices).map(index -> index.constant() * buffer.type().bytes()).filter(offset -> offset < 0)
          .ifPresent(offset -> lowest.merge(buffer, offset, Math::min));
    }
  }
}
