package dev.einfall.backends.kernel;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.Set;

/// What a statement uses and does not bind itself.
public record FreeNames(Set<Var> variables, Set<Buffer> buffers) {

  public static FreeNames of(Stmt stmt) {
    Set<Object> bound = Collections.newSetFromMap(new IdentityHashMap<>());
    FreeNames free = new FreeNames(new LinkedHashSet<>(), new LinkedHashSet<>());
    stmt.nodes().forEach(node -> {
      switch (node) {
        case Stmt.For loop -> bound.add(loop.var());
        case Stmt.Let let -> bound.add(let.var());
        case Stmt.Alloc alloc -> bound.add(alloc.buffer());
        case Stmt.Store store -> free.buffers.add(store.buffer());
        case Stmt.Block _, Stmt.If _, Stmt.Require _, Stmt.Barrier _ -> {}
      }
      node.exprs().flatMap(Expr::nodes).forEach(expr -> {
        if (expr instanceof Expr.Ref(Var var)) {
          free.variables.add(var);
        } else if (expr instanceof Expr.Load load) {
          free.buffers.add(load.buffer());
        }
      });
    });
    free.variables.removeAll(bound);
    free.buffers.removeAll(bound);
    return free;
  }

  /// Whether the statement can be a function of its own: no vector and no register would cross the call.
  public boolean canBeMethod() {
    return variables.stream().noneMatch(var -> var.type().isVector())
        && buffers.stream().noneMatch(buffer -> buffer.space() == Buffer.Space.REGISTER);
  }
}
