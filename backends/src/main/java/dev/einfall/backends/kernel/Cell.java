package dev.einfall.backends.kernel;

import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.ValueType;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// The elements of a register buffer that one register, or local variable, holds: `lanes` of them from `offset` on, `step`
/// apart.
public record Cell(Buffer buffer, long offset, long step, int lanes) {

  public static Cell of(Buffer buffer, List<Expr> indices) {
    LinearIndex index = LinearIndex.flat(buffer, indices).filter(flat -> flat.terms().isEmpty())
        .orElseThrow(() -> new InternalException("access to registers " + buffer + " at " + indices));
    return new Cell(buffer, index.constant(), index.lane(), Expr.lanes(indices));
  }

  /// The cells of `buffer` that `body` uses, in order of first use.
  public static Set<Cell> in(Stmt body, Buffer buffer) {
    Set<Cell> cells = new LinkedHashSet<>();
    body.nodes().forEach(stmt -> {
      if (stmt instanceof Stmt.Store store && store.buffer() == buffer) {
        cells.add(of(buffer, store.indices()));
      }
      stmt.exprs().flatMap(Expr::nodes).forEach(expr -> {
        if (expr instanceof Expr.Load load && load.buffer() == buffer) {
          cells.add(of(buffer, load.indices()));
        }
      });
    });
    return cells;
  }

  public ValueType type() {
    return new ValueType(buffer.type(), lanes);
  }
}
