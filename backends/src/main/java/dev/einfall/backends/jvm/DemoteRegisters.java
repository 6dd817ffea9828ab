package dev.einfall.backends.jvm;

import dev.einfall.backends.kernel.Cell;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import java.util.List;

/// Moves scalars that loops only read from registers to local memory where their scope is too heavy for one method, so
/// that the loops can become methods.
///
/// ```
/// alloc m: f32[] in registers {         alloc m: f32[] in local {
///   m[] = ...                             m[] = ...
///   for i in 0..N {                =>     for i in 0..N {
///     ... m[] ...                           ... m[] ...
///   }                                     }
/// }                                     }
/// ```
final class DemoteRegisters {
  private DemoteRegisters() {}

  static Stmt in(Stmt stmt) {
    Stmt inner = stmt.mapChildren(DemoteRegisters::in, expr -> expr);
    if (inner instanceof Stmt.Alloc(Buffer buffer, Stmt body) && buffer.space() == Buffer.Space.REGISTER
        && Weight.of(body) > Weight.COMFORTABLE && Cell.in(body, buffer).stream().allMatch(cell -> cell.lanes() == 1)
        && !storedInLoop(buffer, body, false)) {
      Buffer local = new Buffer(buffer.name(), buffer.type(), buffer.extents(), Buffer.Space.LOCAL);
      return new Stmt.Alloc(local, replace(body, buffer, local));
    }
    return inner;
  }

  private static boolean storedInLoop(Buffer buffer, Stmt stmt, boolean inLoop) {
    return inLoop && stmt instanceof Stmt.Store store && store.buffer() == buffer
        || stmt.children().anyMatch(child -> storedInLoop(buffer, child, inLoop || stmt instanceof Stmt.For));
  }

  private static Stmt replace(Stmt stmt, Buffer old, Buffer buffer) {
    Stmt inner = stmt.mapChildren(child -> replace(child, old, buffer), expr -> replace(expr, old, buffer));
    return inner instanceof Stmt.Store(Buffer stored, List<Expr> indices, Expr value) && stored == old
        ? new Stmt.Store(buffer, indices, value) : inner;
  }

  private static Expr replace(Expr expr, Buffer old, Buffer buffer) {
    Expr inner = expr.mapChildren(child -> replace(child, old, buffer));
    return inner instanceof Expr.Load(Buffer loaded, List<Expr> indices) && loaded == old
        ? new Expr.Load(buffer, indices) : inner;
  }
}
