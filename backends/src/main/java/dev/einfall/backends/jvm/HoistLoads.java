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
import java.util.stream.Stream;

/// Loads scalars before the loops that do not change them, and in loop bodies that store to registers only, which are
/// those of products, each scalar once.
///
/// ```
/// for k in 0..K {                                          let s: f32 = S[0]
///   acc[0] = fma(broadcast(X[0, k], 16), b, acc[0])        for k in 0..K {
///   acc[1] = fma(broadcast(X[0, k], 16), c, acc[1])          let x: f32 = X[0, k]
///   acc[2] = acc[2] + broadcast(S[0], 16)           =>       acc[0] = fma(broadcast(x, 16), b, acc[0])
/// }                                                          acc[1] = fma(broadcast(x, 16), c, acc[1])
///                                                            acc[2] = acc[2] + broadcast(s, 16)
///                                                          }
/// ```
///
/// In a product, a load comes right before its first use, unless so much code comes before it that C2 may reach its limit
/// there. From 18,000 nodes on it inlines only what is annotated with `@ForceInline`. Vector operations are, and get inlined
/// later, but a scalar load has a helper inside that is not: where the limit falls into a load, a call stays in the loop,
/// and it runs ten times slower. So all later loads come together, early enough. (All loads first would be simpler, but
/// those scalars take the registers of accumulators, which C2 then spills.)
final class HoistLoads {
  /// No more loads than this move out of one loop: they become parameters of methods.
  private static final int MOST = 16;

  /// From this weight on, loads come at once: before the loop there is code as well.
  private static final long EARLY = 10_000;

  private HoistLoads() {}

  static Stmt in(Stmt stmt) {
    if (!(stmt instanceof Stmt.For loop)) {
      return stmt.mapChildren(HoistLoads::in, expr -> expr);
    }
    Map<Expr, Var> invariant = new LinkedHashMap<>();
    if (loop.kind() != Stmt.For.Kind.PARALLEL) {
      collect(loop.body(), changedBy(loop), invariant);
    }
    if (invariant.size() > MOST) {
      invariant.clear();
    }
    Stmt body = replace(loop.body(), invariant);
    Stmt lifted = loop.withBody(storesToRegisters(body) ? hoist(body) : in(body));
    return bind(invariant, lifted);
  }

  /// What an iteration of `loop` changes: variables and buffers.
  private static Set<Object> changedBy(Stmt.For loop) {
    Set<Object> changed = bound(loop);
    loop.body().nodes().forEach(stmt -> {
      if (stmt instanceof Stmt.Store store) {
        changed.add(store.buffer());
      }
    });
    return changed;
  }

  private static boolean storesToRegisters(Stmt body) {
    List<Stmt.Store> stores = body.nodes().filter(Stmt.Store.class::isInstance).map(Stmt.Store.class::cast).toList();
    return !stores.isEmpty() && stores.stream().allMatch(store -> store.buffer().space() == Buffer.Space.REGISTER);
  }

  private static Stmt hoist(Stmt body) {
    Map<Expr, Var> loads = new LinkedHashMap<>();
    collect(body, bound(body), loads);
    return place(List.of(body), 0, loads, Map.of());
  }

  /// The statements in order, with each of `loads` that is not yet in `placed` bound before the statement that uses it, or
  /// where it is time for all: behind the statement, there would be too much code before them.
  ///
  /// @param weight that of the code before
  private static Stmt place(List<Stmt> statements, long weight, Map<Expr, Var> loads, Map<Expr, Var> placed) {
    if (statements.isEmpty()) {
      return Stmt.NOTHING;
    }
    Stmt first = statements.getFirst();
    List<Stmt> rest = statements.subList(1, statements.size());
    if (first instanceof Stmt.Block(List<Stmt> inner)) {
      return place(Stream.concat(inner.stream(), rest.stream()).toList(), weight, loads, placed);
    }
    Map<Expr, Var> now = new LinkedHashMap<>(loads);
    long after = weight + Weight.of(first) - (first instanceof Stmt.Let let ? Weight.of(let.body()) : 0);
    now.keySet().removeIf(load -> placed.containsKey(load) || after <= EARLY && !uses(first, load));
    Map<Expr, Var> visible = new LinkedHashMap<>(placed);
    visible.putAll(now);
    Stmt replaced = first instanceof Stmt.Let let
        ? new Stmt.Let(let.var(), replace(let.value(), visible),
            place(List.of(let.body()), after, loads, visible))
        : replace(first, visible);
    return bind(now, Stmt.block(replaced, place(rest, weight + Weight.of(first), loads, visible)));
  }

  /// Whether `stmt`, but for the body of a `let` and the branches of an `if`, has the load.
  private static boolean uses(Stmt stmt, Expr load) {
    return stmt.exprs().flatMap(Expr::nodes).anyMatch(load::equals)
        || !(stmt instanceof Stmt.Let || stmt instanceof Stmt.If) && stmt.children().anyMatch(child -> uses(child, load));
  }

  private static Stmt bind(Map<Expr, Var> loads, Stmt body) {
    Stmt bound = body;
    for (Map.Entry<Expr, Var> load : List.copyOf(loads.entrySet()).reversed()) {
      bound = new Stmt.Let(load.getValue(), load.getKey(), bound);
    }
    return bound;
  }

  /// The variables and buffers that `stmt` binds.
  private static Set<Object> bound(Stmt stmt) {
    Set<Object> bound = Collections.newSetFromMap(new IdentityHashMap<>());
    stmt.nodes().forEach(node -> {
      if (node instanceof Stmt.For loop) {
        bound.add(loop.var());
      } else if (node instanceof Stmt.Let let) {
        bound.add(let.var());
      } else if (node instanceof Stmt.Alloc alloc) {
        bound.add(alloc.buffer());
      }
    });
    return bound;
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
