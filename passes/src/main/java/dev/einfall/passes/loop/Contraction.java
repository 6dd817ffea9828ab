package dev.einfall.passes.loop;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Ranges;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// A kernel that computes, for each pair of a row and a column, a reduction of what depends on one of both:
///
/// ```
/// for b .. for m .. for n {
///   alloc sum: f32[] in local {
///     sum[] = 0.0
///     for k { sum[] = sum[] + X[b, m, k] * W[b, k, n] }
///     Y[b, m, n] = .. sum[] ..
///   }
/// }
/// ```
///
/// @param batch the loops that both sides depend on
/// @param rows those that only the side without the innermost loop does
/// @param columns those that only the other one does
/// @param steps the loops of the reduction
/// @param sum what is accumulated to
/// @param start what it starts as
/// @param step what it becomes
/// @param rest what is done with it
record Contraction(List<Stmt.For> batch, List<Stmt.For> rows, List<Stmt.For> columns, List<Stmt.For> steps, Buffer sum, Expr start, Expr step, Stmt rest) {

  /// What `kernel` is, if it is one.
  static Optional<Contraction> of(Kernel kernel) {
    return of(IndependentNest.of(kernel.body(), Ranges.of(kernel)));
  }

  /// What `nest` is, if it is one.
  static Optional<Contraction> of(IndependentNest nest) {
    if (nest.loops().size() < 2 || !(nest.body() instanceof Stmt.Alloc(Buffer sum, Stmt.Block(List<Stmt> statements)))
        || !sum.extents().isEmpty() || sum.space() != Buffer.Space.LOCAL || statements.size() < 3
        || !(statements.getFirst() instanceof Stmt.Store(Buffer first, _, Expr start)) || first != sum) {
      return Optional.empty();
    }
    List<Stmt.For> steps = new ArrayList<>();
    Stmt inner = statements.get(1);
    while (inner instanceof Stmt.For loop && Rewrites.constant(loop.extent()).isPresent()) {
      steps.add(loop);
      inner = loop.body();
    }
    Stmt rest = Stmt.block(statements.subList(2, statements.size()));
    if (steps.isEmpty() || !(inner instanceof Stmt.Store(Buffer last, _, Expr step)) || last != sum || storesTo(rest, sum)
        || !uses(start, nest.loops()).isEmpty()) {
      return Optional.empty();
    }
    return divided(nest.loops(), steps, sum, start, step, rest);
  }

  private static boolean storesTo(Stmt statement, Buffer buffer) {
    return statement.nodes().anyMatch(node -> node instanceof Stmt.Store store && store.buffer() == buffer);
  }

  private static Optional<Contraction> divided(List<Stmt.For> loops, List<Stmt.For> steps, Buffer sum, Expr start, Expr step, Stmt rest) {
    Set<Stmt.For> left = identitySet();
    Set<Stmt.For> right = identitySet();
    step.nodes().forEach(node -> {
      if (node instanceof Expr.Load load && load.buffer() != sum) {
        Set<Stmt.For> used = uses(load, loops);
        (used.contains(loops.getLast()) ? right : left).addAll(used);
      }
    });
    if (!loops.stream().allMatch(loop -> left.contains(loop) || right.contains(loop))) {
      return Optional.empty();
    }
    Contraction result = new Contraction(loops.stream().filter(loop -> left.contains(loop) && right.contains(loop)).toList(),
        loops.stream().filter(loop -> !right.contains(loop)).toList(), loops.stream().filter(loop -> !left.contains(loop)).toList(),
        steps, sum, start, step, rest);
    return result.rows.isEmpty() || result.columns.isEmpty() || !result.isOfSides() ? Optional.empty() : Optional.of(result);
  }

  /// Whether, beyond what depends on a row or a column and is loaded, a step has no counters.
  private boolean isOfSides() {
    return remainder(step).flatMap(Expr::nodes).noneMatch(node -> node instanceof Expr.Ref);
  }

  private Stream<Expr> remainder(Expr expr) {
    if (isOfRow(expr) || isOfColumn(expr)) {
      return Stream.empty();
    }
    return isSum(expr) ? Stream.empty() : expr.operands().isEmpty() ? Stream.of(expr) : expr.children().flatMap(this::remainder);
  }

  boolean isSum(Expr expr) {
    return expr instanceof Expr.Load load && load.buffer() == sum;
  }

  /// Whether `expr` is loaded, and the same for all columns.
  boolean isOfRow(Expr expr) {
    return isLoaded(expr) && uses(expr, columns).isEmpty();
  }

  /// Whether `expr` is loaded, and the same for all rows.
  boolean isOfColumn(Expr expr) {
    return isLoaded(expr) && uses(expr, rows).isEmpty() && !isOfRow(expr);
  }

  private boolean isLoaded(Expr expr) {
    return expr.nodes().noneMatch(this::isSum) && expr.nodes().anyMatch(Expr.Load.class::isInstance);
  }

  /// Whether neighbours in memory of what `expr` loads first are those of the innermost loop of the reduction.
  boolean runsAlongSteps(Expr expr) {
    Var last = steps.getLast().var();
    return expr.nodes().filter(Expr.Load.class::isInstance).map(Expr.Load.class::cast).findFirst()
        .map(load -> !load.indices().isEmpty() && Rewrites.uses(load.indices().getLast(), last)).orElse(false);
  }

  private static Set<Stmt.For> uses(Expr expr, List<Stmt.For> loops) {
    Set<Stmt.For> used = identitySet();
    loops.stream().filter(loop -> Rewrites.uses(expr, loop.var())).forEach(used::add);
    return used;
  }

  private static Set<Stmt.For> identitySet() {
    return Collections.newSetFromMap(new IdentityHashMap<>());
  }

  /// How many rows there are.
  long rowCount() {
    return iterations(rows);
  }

  /// How many columns there are.
  long columnCount() {
    return iterations(columns);
  }

  /// How many products are added to each sum.
  long stepCount() {
    return iterations(steps);
  }

  static long iterations(List<Stmt.For> loops) {
    return loops.stream().mapToLong(loop -> Rewrites.constant(loop.extent()).orElseThrow()).reduce(1, Math::multiplyExact);
  }
}
