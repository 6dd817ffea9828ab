package dev.einfall.backends.cuda;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Stmt.For.Kind;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.ir.loop.Var;
import java.util.IdentityHashMap;
import java.util.Map;

/// What stands for tiles in loops over warps or groups of these.
///
/// @param sums the buffers that hold sums
/// @param lefts the variables that hold operands on the left
/// @param rights those on the right
record TileRoles(Map<Buffer, TileShape> sums, Map<Var, TileShape> lefts, Map<Var, TileShape> rights) {

  /// Those in the loops of `body` that are of one kind.
  static TileRoles of(Stmt body, Kind kind) {
    TileRoles roles = new TileRoles(new IdentityHashMap<>(), new IdentityHashMap<>(), new IdentityHashMap<>());
    body.nodes().filter(node -> node instanceof Stmt.For loop && loop.kind() == kind).flatMap(Stmt::nodes).forEach(node -> {
      if (node instanceof Stmt.Store(Buffer buffer, _, Expr.TileProduct(_, Expr.Ref(Var left), Expr.Ref(Var right), TileShape shape))) {
        roles.sums.put(buffer, shape);
        roles.lefts.put(left, shape);
        roles.rights.put(right, shape);
      }
    });
    return roles;
  }
}
