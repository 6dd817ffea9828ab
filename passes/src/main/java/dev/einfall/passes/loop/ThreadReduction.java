package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Ranges;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Stmt.For.Kind;
import dev.einfall.ir.loop.ValueType;
import dev.einfall.ir.loop.Var;
import dev.einfall.passes.Numerics;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Loops that threads can share although they reduce: each thread has a result of its own, and these are combined at the end.
///
/// ```
/// for n in 0..500 {                       alloc part: f32[128] in local {
///   top[] = max(top[], X[m, n])             thread for t in 0..128 {
/// }                                  =>       part[t] = -inf
///                                             for s in 0..4 {
///                                               let element: i32 = s * 128 + t
///                                               if element < 500 { part[t] = max(part[t], X[m, element]) }
///                                             }
///                                           }
///                                           let all: f32 = reduce_max(part[ramp(0, 1, 128)])
///                                           thread for once in 0..1 { top[] = max(top[], all) }
///                                         }
/// ```
///
/// @param loops one directly in the other, of constant extents
/// @param body what the innermost one does
/// @param steps of the reductions in it
record ThreadReduction(List<Stmt.For> loops, Stmt body, List<Accumulation> steps) {
  /// So many share a reduction: all loops of threads that have memory of their own are of as many.
  static final int THREADS = 128;
  /// For fewer iterations it takes longer to combine the results.
  private static final long FEWEST = 64;

  /// The reduction that `statement` is, if its iterations are independent but for steps of reductions whose order does not matter, and if
  /// neighbours among them load neighbours in memory.
  static Optional<ThreadReduction> of(Stmt statement, Ranges ranges, Numerics numerics) {
    return any(statement, ranges, numerics).filter(reduction -> reduction.iterations() >= FEWEST && reduction.loadsNeighbours());
  }

  /// The same of any length, and whatever it loads.
  static Optional<ThreadReduction> any(Stmt statement, Ranges ranges, Numerics numerics) {
    List<Stmt.For> loops = new ArrayList<>();
    Stmt body = statement;
    while (body instanceof Stmt.For loop && Rewrites.constant(loop.extent()).isPresent() && loop.kind() == Kind.SERIAL) {
      loops.add(loop);
      body = loop.body();
    }
    if (loops.isEmpty() || iterations(loops) > Integer.MAX_VALUE / 2) {
      return Optional.empty();
    }
    Stmt whole = body;
    List<Accumulation> steps = body.nodes().filter(Stmt.Store.class::isInstance).map(Stmt.Store.class::cast)
        .flatMap(store -> Accumulation.inAnyOrder(store, numerics).stream())
        .filter(step -> step.isAlone(whole) && isOfAll(step, loops, whole)).toList();
    ThreadReduction reduction = new ThreadReduction(List.copyOf(loops), body, steps);
    return steps.isEmpty() || !reduction.isIndependent(ranges) ? Optional.empty() : Optional.of(reduction);
  }

  private static long iterations(List<Stmt.For> loops) {
    long iterations = 1;
    for (Stmt.For loop : loops) {
      iterations = Math.min(Integer.MAX_VALUE, iterations * Rewrites.constant(loop.extent()).orElseThrow());
    }
    return iterations;
  }

  long iterations() {
    return iterations(loops);
  }

  /// Whether all iterations accumulate to one element, which is not one of the body's own.
  private static boolean isOfAll(Accumulation step, List<Stmt.For> loops, Stmt body) {
    var bound = Rewrites.bound(body);
    loops.forEach(loop -> bound.add(loop.var()));
    boolean own = body.nodes().anyMatch(node -> node instanceof Stmt.Alloc alloc && alloc.buffer() == step.store().buffer());
    return !own && step.store().indices().stream().flatMap(Expr::nodes).noneMatch(node ->
        node instanceof Expr.Load || node instanceof Expr.Ref(Var var) && bound.contains(var));
  }

  private boolean isIndependent(Ranges ranges) {
    Stmt rest = Rewrites.statements(body, node -> steps.stream().anyMatch(step -> step.store() == node) ? Stmt.NOTHING : node);
    Ranges inside = ranges;
    for (int i = 0; i < loops.size(); i++) {
      Stmt inner = rest;
      for (Stmt.For loop : loops.subList(i + 1, loops.size()).reversed()) {
        inner = loop.withBody(inner);
      }
      if (!Independence.holds(loops.get(i).withBody(inner), inside)) {
        return false;
      }
      inside = inside.loop(loops.get(i).var(), loops.get(i).extent());
    }
    return true;
  }

  private boolean loadsNeighbours() {
    Var last = loops.getLast().var();
    return body.nodes().flatMap(Stmt::exprs).flatMap(Expr::nodes).filter(Expr.Load.class::isInstance).map(Expr.Load.class::cast)
        .filter(load -> load.indices().stream().anyMatch(index -> Rewrites.uses(index, last)))
        .allMatch(load -> Rewrites.uses(load.indices().getLast(), last));
  }

  /// The loops shared by `threads` threads, as all of them run it.
  Stmt shared(int threads) {
    Var thread = Var.counter("t");
    Var element = Var.counter("element");
    Map<Accumulation, Buffer> parts = new LinkedHashMap<>();
    steps.forEach(step -> parts.put(step, new Buffer("part", step.store().buffer().type(), List.of(threads), Buffer.Space.LOCAL)));
    List<Expr> own = List.of(new Expr.Ref(thread));
    Stmt changed = Rewrites.statements(body, node -> steps.stream().filter(step -> step.store() == node).findFirst()
        .<Stmt>map(step -> new Stmt.Store(parts.get(step), own, combined(step, new Expr.Load(parts.get(step), own)))).orElse(node));
    Stmt all = CollapseLoops.coordinates(loops, new Expr.Ref(element), changed);
    Stmt guarded = iterations() % threads == 0 ? all
        : new Stmt.If(new Expr.Binary(BinaryOp.LT, new Expr.Ref(element), Expr.index(iterations())), all, Stmt.NOTHING);
    Var step = Var.counter("s");
    Expr index = new Expr.Binary(BinaryOp.ADD, new Expr.Binary(BinaryOp.MUL, new Expr.Ref(step), Expr.index(threads)), new Expr.Ref(thread));
    List<Stmt> ofThread = new ArrayList<>();
    parts.forEach((reduced, part) -> ofThread.add(new Stmt.Store(part, own, FactorReductions.identity(reduced.op(), part.type()))));
    ofThread.add(new Stmt.For(step, Expr.index((iterations() + threads - 1) / threads), Kind.SERIAL, new Stmt.Let(element, index, guarded),
        loops.getFirst().span()));
    Stmt result = combinedParts(parts, threads);
    result = Stmt.block(new Stmt.For(thread, Expr.index(threads), Kind.THREAD, Stmt.block(ofThread), loops.getFirst().span()), result);
    for (Buffer part : parts.values()) {
      result = new Stmt.Alloc(part, result);
    }
    return result;
  }

  private static Stmt combinedParts(Map<Accumulation, Buffer> parts, int threads) {
    List<Stmt> last = new ArrayList<>();
    Map<Accumulation, Var> totals = new LinkedHashMap<>();
    parts.forEach((step, part) -> {
      Var all = new Var("all", ValueType.scalar(part.type()));
      totals.put(step, all);
      last.add(new Stmt.Store(step.store().buffer(), step.store().indices(),
          new Expr.Binary(step.op(), step.accumulator(), new Expr.Ref(all))));
    });
    Stmt result = new Stmt.For(Var.counter("once"), Expr.index(1), Kind.THREAD, Stmt.block(last), Span.NONE);
    for (Map.Entry<Accumulation, Var> total : totals.entrySet()) {
      Expr lanes = new Expr.Load(parts.get(total.getKey()), List.of(new Expr.Ramp(Expr.index(0), 1, threads)));
      result = new Stmt.Let(total.getValue(), new Expr.ReduceLanes(total.getKey().op(), lanes), result);
    }
    return result;
  }

  private static Expr combined(Accumulation step, Expr part) {
    return new Expr.Binary(step.op(), part, step.value());
  }
}
