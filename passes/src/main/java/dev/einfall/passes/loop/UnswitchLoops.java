package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Ranges;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import dev.einfall.passes.Pass;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// Asks what is the same for all iterations of a loop once, before it, and not for each element inside.
///
/// ```
/// for p in 0..9 {                                      for p in 0..9 {
///   for c in 0..64 {                                     if p % 2 == 0 {
///     Y[p, c] = select(p % 2 == 0, A[c], B[c])    =>       for c in 0..64 { Y[p, c] = A[c] }
///   }                                                    } else {
/// }                                                        for c in 0..64 { Y[p, c] = B[c] }
///                                                        }
///                                                      }
/// ```
///
/// Both elements are loaded and computed where lanes select between them. A loop has one copy for each answer, so it stays if that saves
/// less than a twentieth of its operations, or if there are `copies` copies already.
///
/// @param parallel loops that stay as they are, for whole nests of them to become one
/// @param unrolled loops whose counters become numbers: what depends on these is known without asking
/// @param copies the most copies of one statement
public record UnswitchLoops(List<String> parallel, List<String> unrolled, int copies) implements Pass.OnKernel {
  private static final double SAVING = 0.95;

  public UnswitchLoops {
    parallel = List.copyOf(parallel);
    unrolled = List.copyOf(unrolled);
  }

  public UnswitchLoops(List<String> parallel, List<String> unrolled) {
    this(parallel, unrolled, 8);
  }

  @Override
  public String name() {
    return "unswitch-loops";
  }

  @Override
  public Machines machines() {
    return Machines.PROCESSORS;
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    return Rewrites.decides(kernel.body()) ? kernel.withBody(unswitched(kernel.body(), Ranges.of(kernel), copies)) : kernel;
  }

  private Stmt unswitched(Stmt statement, Ranges ranges, int budget) {
    return switch (statement) {
      case Stmt.For loop -> unswitched(loop, ranges, budget);
      case Stmt.Let let -> let.mapChildren(body -> unswitched(body, ranges.let(let.var(), let.value()), budget), value -> value);
      case Stmt.If(Expr condition, Stmt whenTrue, Stmt whenFalse) -> {
        Stmt then = unswitched(whenTrue, ranges.assume(condition, true), budget);
        Stmt otherwise = unswitched(whenFalse, ranges.assume(condition, false), budget);
        yield then == whenTrue && otherwise == whenFalse ? statement : new Stmt.If(condition, then, otherwise);
      }
      case Stmt.Block _, Stmt.Alloc _ -> statement.mapChildren(inner -> unswitched(inner, ranges, budget), expr -> expr);
      case Stmt.Store _, Stmt.Require _, Stmt.Barrier _ -> statement;
    };
  }

  private Stmt unswitched(Stmt.For loop, Ranges ranges, int budget) {
    Optional<Stmt.If> branches = budget < 2 || parallel.contains(loop.var().name()) ? Optional.empty() : branches(loop, ranges);
    return branches.map(both -> (Stmt) new Stmt.If(both.condition(),
            unswitched(both.whenTrue(), ranges.assume(both.condition(), true), budget - 1),
            unswitched(both.whenFalse(), ranges.assume(both.condition(), false), budget - 1)))
        .orElseGet(() -> loop.withBody(unswitched(loop.body(), ranges.loop(loop.var(), loop.extent()), budget)));
  }

  /// The loop for either answer to the first question that may be asked before it, if that saves enough.
  private Optional<Stmt.If> branches(Stmt.For loop, Ranges ranges) {
    Set<Var> inside = Rewrites.bound(loop);
    double work = Work.of(loop, ranges);
    return conditions(loop).filter(condition -> isKnownBefore(condition, inside))
        .filter(condition -> !ranges.of(condition).isPoint())
        .map(condition -> new Stmt.If(condition, SimplifyIndices.simplify(loop, ranges.assume(condition, true)),
            SimplifyIndices.simplify(Rewrites.copy(loop), ranges.assume(condition, false))))
        .filter(branches -> Work.of(branches, ranges) < SAVING * work).findFirst();
  }

  private static Stream<Expr> conditions(Stmt statement) {
    Stream<Expr> inside = statement.nodes().flatMap(node -> Stream.concat(
        node instanceof Stmt.If branch ? Stream.of(branch.condition()) : Stream.empty(),
        node.exprs().flatMap(Expr::nodes).filter(Expr.Select.class::isInstance).map(expr -> ((Expr.Select) expr).condition())));
    return inside.filter(condition -> !condition.type().isVector()).distinct();
  }

  private boolean isKnownBefore(Expr condition, Set<Var> inside) {
    return condition.nodes().noneMatch(node -> switch (node) {
      case Expr.Load _ -> true;
      case Expr.Ref(Var var) -> inside.contains(var) || unrolled.contains(var.name());
      case Expr.Binary(BinaryOp op, _, Expr right) -> (op == BinaryOp.DIV || op == BinaryOp.MOD) && mayFail(right);
      default -> false;
    });
  }

  /// Whether a division by `divisor` may fail, which it must not do where the loop would not have come to it.
  private static boolean mayFail(Expr divisor) {
    return !divisor.type().element().isFloat() && Rewrites.constant(divisor).filter(value -> value != 0).isEmpty();
  }
}
