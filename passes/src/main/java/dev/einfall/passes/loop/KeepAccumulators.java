package dev.einfall.passes.loop;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.RegisterAccesses;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// Keeps small local buffers in registers: wholly where every access has constant indices, else for the length of each
/// loop in which it has.
///
/// ```
/// alloc acc: f32[2] in local {                  alloc acc: f32[2] in local {
///   acc[0] = 0.0                                  alloc acc_1: f32[2] in registers {
///   acc[1] = 0.0                                    acc_1[0] = 0.0
///   for k in 0..64 {                                acc_1[1] = 0.0
///     acc[0] = acc[0] + A[k]              =>        for k in 0..64 { .. acc_1[0] .. acc_1[1] .. }
///     acc[1] = acc[1] + B[k]                        acc[0] = acc_1[0]
///   }                                               acc[1] = acc_1[1]
///   for i in 0..2 { Y[i] = acc[i] }               }
/// }                                               for i in 0..2 { Y[i] = acc[i] }
///                                               }
/// ```
///
/// Many accumulators of a long loop inside of others are in registers for its length only. What tiles are stored to stays in memory.
///
/// @param registers the most values that one buffer may keep
public record KeepAccumulators(int registers) implements Pass.OnKernel {
  /// More accumulators than these live in registers for the length of one loop only: where they live through several, one in the other,
  /// C2 spills half of them. A convolution of 64 channels by 3 x 3 taps ran at 58 GFLOP/s so, and at 106 without.
  private static final int MOST_IN_NESTS = 8;
  /// For a shorter loop, loading and storing them would take longer.
  private static final int LONG = 32;

  public KeepAccumulators() {
    this(64);
  }

  @Override
  public String name() {
    return "keep-accumulators";
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    return kernel.withBody(Rewrites.statements(kernel.body(), statement ->
        statement instanceof Stmt.Alloc alloc && alloc.buffer().space() == Buffer.Space.LOCAL
            && !TileMoves.use(alloc.buffer(), alloc.body()) ? kept(alloc) : statement));
  }

  private Stmt kept(Stmt.Alloc alloc) {
    Buffer buffer = alloc.buffer();
    Optional<Set<List<Expr>>> slots = slots(alloc.body(), buffer);
    if (slots.filter(all -> all.size() > MOST_IN_NESTS).isPresent() && alloc.body().nodes().anyMatch(node -> isLongNest(node, buffer))) {
      return new Stmt.Alloc(buffer, keepInInnermost(alloc.body(), buffer));
    }
    if (slots.isPresent()) {
      Buffer register = register(buffer);
      return new Stmt.Alloc(register, Rewrites.redirect(alloc.body(), buffer, register, indices -> indices));
    }
    return new Stmt.Alloc(buffer, keepInLoops(alloc.body(), buffer));
  }

  /// Whether `statement` is loops around a long one that stores to `buffer`.
  private static boolean isLongNest(Stmt statement, Buffer buffer) {
    return statement instanceof Stmt.For loop && loop.body().nodes().anyMatch(inner -> inner instanceof Stmt.For accumulating
        && stores(accumulating, buffer) && Rewrites.constant(accumulating.extent()).filter(extent -> extent >= LONG).isPresent());
  }

  /// `statement` with `buffer` in registers during each innermost loop only.
  private Stmt keepInInnermost(Stmt statement, Buffer buffer) {
    boolean isInnermost = statement instanceof Stmt.For loop
        && loop.body().nodes().noneMatch(node -> node instanceof Stmt.For inner && stores(inner, buffer));
    return isInnermost && isKept(statement, buffer) ? around(List.of(statement), buffer)
        : statement.mapChildren(child -> keepInInnermost(child, buffer), expr -> expr);
  }

  /// `statement` with `buffer` in registers during each outermost loop where that is possible, and during the stores
  /// right before it.
  private Stmt keepInLoops(Stmt statement, Buffer buffer) {
    if (statement instanceof Stmt.For loop && isKept(loop, buffer)) {
      return around(List.of(loop), buffer);
    }
    if (!(statement instanceof Stmt.Block(List<Stmt> statements))) {
      return statement.mapChildren(child -> keepInLoops(child, buffer), expr -> expr);
    }
    List<Stmt> result = new ArrayList<>();
    List<Stmt> stores = new ArrayList<>();
    for (Stmt inner : statements) {
      if (inner instanceof Stmt.Store && slots(inner, buffer).isPresent()) {
        stores.add(inner);
        continue;
      }
      List<Stmt> run = Stream.concat(stores.stream(), Stream.of(inner)).toList();
      if (isKept(inner, buffer) && slots(Stmt.block(run), buffer).isPresent()) {
        result.add(around(run, buffer));
      } else {
        result.addAll(stores);
        result.add(keepInLoops(inner, buffer));
      }
      stores = new ArrayList<>();
    }
    result.addAll(stores);
    return Stmt.block(result);
  }

  private boolean isKept(Stmt statement, Buffer buffer) {
    return statement instanceof Stmt.For && stores(statement, buffer) && slots(statement, buffer).isPresent();
  }

  /// `run` on registers: loaded before unless `run` stores to them first, and stored after.
  private Stmt around(List<Stmt> run, Buffer buffer) {
    Buffer register = register(buffer);
    Set<List<Expr>> slots = slots(Stmt.block(run), buffer).orElseThrow();
    Set<List<Expr>> cleared = new LinkedHashSet<>();
    run.stream().takeWhile(Stmt.Store.class::isInstance).map(Stmt.Store.class::cast)
        .filter(store -> store.buffer() == buffer).forEach(store -> cleared.add(store.indices()));
    List<Stmt> steps = new ArrayList<>();
    slots.stream().filter(slot -> !cleared.contains(slot))
        .forEach(slot -> steps.add(new Stmt.Store(register, slot, new Expr.Load(buffer, slot))));
    steps.add(Rewrites.redirect(Stmt.block(run), buffer, register, indices -> indices));
    slots.forEach(slot -> steps.add(new Stmt.Store(buffer, slot, new Expr.Load(register, slot))));
    return new Stmt.Alloc(register, Stmt.block(steps));
  }

  private static Buffer register(Buffer buffer) {
    return new Buffer(buffer.name(), buffer.type(), buffer.extents(), Buffer.Space.REGISTER);
  }

  private static boolean uses(Stmt statement, Buffer buffer) {
    return stores(statement, buffer) || statement.nodes().flatMap(Stmt::exprs).flatMap(Expr::nodes)
        .anyMatch(expr -> expr instanceof Expr.Load load && load.buffer() == buffer);
  }

  private static boolean stores(Stmt statement, Buffer buffer) {
    return statement.nodes().anyMatch(node -> node instanceof Stmt.Store store && store.buffer() == buffer);
  }

  /// The distinct accesses to `buffer`, if all are constant, any two the same or disjoint, and few enough, and no threads share a loop
  /// over them.
  private Optional<Set<List<Expr>>> slots(Stmt statement, Buffer buffer) {
    Set<List<Expr>> slots = new LinkedHashSet<>();
    if (statement.nodes().anyMatch(node -> node instanceof Stmt.For loop && loop.kind() == Stmt.For.Kind.PARALLEL && uses(loop, buffer))) {
      return Optional.empty();
    }
    statement.nodes().forEach(node -> {
      if (node instanceof Stmt.Store store && store.buffer() == buffer) {
        slots.add(store.indices());
      }
      node.exprs().flatMap(Expr::nodes).forEach(expr -> {
        if (expr instanceof Expr.Load load && load.buffer() == buffer) {
          slots.add(load.indices());
        }
      });
    });
    RegisterAccesses accesses = new RegisterAccesses(buffer);
    boolean constant = slots.size() <= registers && slots.stream().allMatch(slot -> accesses.add(slot).isEmpty());
    return constant ? Optional.of(slots) : Optional.empty();
  }
}
