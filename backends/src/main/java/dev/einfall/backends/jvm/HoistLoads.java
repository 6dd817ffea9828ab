package dev.einfall.backends.jvm;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Loads scalars at the start of loop bodies that store to registers only, each scalar once.
///
/// ```
/// for k in 0..K {                                          for k in 0..K {
///   acc[0] = fma(broadcast(X[0, k], 16), b, acc[0])          let x: f32 = X[0, k]
///   acc[1] = fma(broadcast(X[0, k], 16), c, acc[1])    =>    acc[0] = fma(broadcast(x, 16), b, acc[0])
/// }                                                          acc[1] = fma(broadcast(x, 16), c, acc[1])
///                                                          }
/// ```
///
/// HotSpot stops inlining what is not annotated with `@ForceInline` when a method has grown to 18,000 nodes. Vector
/// operations are annotated and get inlined later, but a scalar load has a helper inside that is not: where the limit falls
/// into a load, a call stays in the loop, and it runs ten times slower. So loads come before the many vector operations.
final class HoistLoads {
  private HoistLoads() {}

  static Stmt in(Stmt stmt) {
    return stmt instanceof Stmt.For loop && storesToRegisters(loop.body())
        ? loop.withBody(hoist(loop.body()))
        : stmt.mapChildren(HoistLoads::in, expr -> expr);
  }

  private static boolean storesToRegisters(Stmt body) {
    List<Stmt.Store> stores = body.nodes().filter(Stmt.Store.class::isInstance).map(Stmt.Store.class::cast).toList();
    return !stores.isEmpty() && stores.stream().allMatch(store -> store.buffer().space() == Buffer.Space.REGISTER);
  }

  private static Stmt hoist(Stmt body) {
    Set<Object> bound = Collections.newSetFromMap(new IdentityHashMap<>());
    body.nodes().forEach(stmt -> {
      if (stmt instanceof Stmt.For loop) {
        bound.add(loop.var());
      } else if (stmt instanceof Stmt.Let let) {
        bound.add(let.var());
      } else if (stmt instanceof Stmt.Alloc alloc) {
        bound.add(alloc.buffer());
      }
    });
    Map<Expr, Var> loads = new LinkedHashMap<>();
    collect(body, bound, loads);
    Stmt hoisted = replace(body, loads);
    for (Map.Entry<Expr, Var> load : List.copyOf(loads.entrySet()).reversed()) {
      hoisted = new Stmt.Let(load.getValue(), load.getKey(), hoisted);
    }
    return hoisted;
  }

  /// Adds the loads outside branches, which may guard them, that depend on nothing in `bound`.
  private static void collect(Stmt stmt, Set<Object> bound, Map<Expr, Var> loads) {
    stmt.exprs().forEach(expr -> collect(expr, bound, loads));
    if (!(stmt instanceof Stmt.If)) {
      stmt.children().forEach(child -> collect(child, bound, loads));
    }
  }

  private static void collect(Expr expr, Set<Object> bound, Map<Expr, Var> loads) {
    boolean hoistable = expr instanceof Expr.Load load && !load.type().isVector()
        && load.buffer().space() != Buffer.Space.REGISTER
        && load.nodes().noneMatch(node -> node instanceof Expr.Ref(Var var) && bound.contains(var)
            || node instanceof Expr.Load inner && (bound.contains(inner.buffer())
                || inner.buffer().space() == Buffer.Space.REGISTER));
    if (hoistable) {
      loads.computeIfAbsent(expr, load -> new Var("loaded", load.type()));
    } else {
      expr.children().forEach(child -> collect(child, bound, loads));
    }
  }

  private static Stmt replace(Stmt stmt, Map<Expr, Var> loads) {
    return stmt.mapChildren(child -> replace(child, loads), expr -> replace(expr, loads));
  }

  private static Expr replace(Expr expr, Map<Expr, Var> loads) {
    Var loaded = loads.get(expr);
    return loaded != null ? new Expr.Ref(loaded) : expr.mapChildren(child -> replace(child, loads));
  }
}
