package dev.einfall.passes.loop;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Ranges;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// Cuts loops where the conditions inside them change, so that each part has only the conditions that are undecided in it.
/// A part that does nothing disappears.
///
/// ```
///                                                    for i in 0..64 {
/// for i in 0..64 {                                     for k in 0..i + 1 {
///   for k in 0..64 {                            =>       S[i] = S[i] + A[k]
///     S[i] = S[i] + select(k <= i, A[k], 0.0)          }
///                                                    }
/// ```
///
/// Conditions are comparisons of sums of counters, in `if` and `select`, and what `&&`, `||` and `!` make of them. One that
/// depends on counters further inside is undecided for some iterations; a loop is cut only if those are no more than the
/// others. It is cut only where the parts together do at least a twentieth fewer operations, by a count that takes extents
/// in the middle of their range.
///
/// Needs nothing of the numerics, but that a part in which 0.0 is added to memory disappears only with `reassociate`: it would
/// turn a negative zero into a positive one. (A sum of the kernel's own starts with 0.0 and never becomes a negative zero.)
///
/// @param fixed the loops that must keep constant extents
/// @param whole the loops that stay in one piece
/// @param copies the most copies of one statement
public record SplitRanges(List<String> fixed, List<String> whole, int copies, Numerics numerics) implements Pass.OnKernel {
  /// A loop that does no more operations is not cut at points that vary.
  private static final double SHORT = 100;
  /// The part of the work that must be left over at most.
  private static final double SAVING = 0.95;
  /// What each part of a loop with a constant extent, which may be one of vectors, costs: its rest, in iterations.
  private static final double TAIL = 4;

  public SplitRanges {
    fixed = List.copyOf(fixed);
    whole = List.copyOf(whole);
  }

  public SplitRanges(List<String> fixed, List<String> whole, Numerics numerics) {
    this(fixed, whole, 8, numerics);
  }

  @Override
  public String name() {
    return "split-ranges";
  }

  @Override
  public Machines machines() {
    return Machines.PROCESSORS;
  }

  @Override
  public Numerics needs() {
    return numerics;
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    if (!Rewrites.decides(kernel.body())) {
      return kernel;
    }
    Ranges ranges = Ranges.of(kernel);
    return kernel.withBody(cut(SimplifyIndices.simplify(kernel.body(), ranges), ranges, copies));
  }

  private Stmt cut(Stmt statement, Ranges ranges, int budget) {
    return switch (statement) {
      case Stmt.For loop -> cut(loop, ranges, budget);
      case Stmt.Block block -> block(block, ranges, budget);
      case Stmt.Let let -> let.mapChildren(body -> cut(body, ranges.let(let.var(), let.value()), budget), value -> value);
      case Stmt.If branch -> {
        Stmt whenTrue = cut(branch.whenTrue(), ranges.assume(branch.condition(), true), budget);
        Stmt whenFalse = cut(branch.whenFalse(), ranges.assume(branch.condition(), false), budget);
        yield whenTrue == branch.whenTrue() && whenFalse == branch.whenFalse() ? branch
            : new Stmt.If(branch.condition(), whenTrue, whenFalse);
      }
      case Stmt.Alloc _ -> statement.mapChildren(body -> cut(body, ranges, budget), expr -> expr);
      case Stmt.Store _, Stmt.Require _, Stmt.Barrier _ -> statement;
    };
  }

  private Stmt block(Stmt.Block block, Ranges ranges, int budget) {
    List<Stmt> result = new ArrayList<>();
    Ranges known = ranges;
    boolean same = true;
    for (Stmt statement : block.statements()) {
      Stmt changed = cut(statement, known, budget);
      same &= changed == statement;
      result.add(changed);
      if (statement instanceof Stmt.Require check) {
        known = known.assume(check.condition(), true);
      }
    }
    return same ? block : Stmt.block(result);
  }

  private Stmt cut(Stmt.For loop, Ranges ranges, int budget) {
    boolean stays = loop.kind() != Stmt.For.Kind.SERIAL || whole.contains(loop.var().name()) || !Rewrites.decides(loop);
    Optional<LoopParts> parts = stays ? Optional.empty() : parts(loop, ranges, budget);
    return parts.map(list -> list.with((part, known) -> cutInside(part, list, known, Math.max(1, budget / list.count()))))
        .orElseGet(() -> inside(loop, ranges, budget));
  }

  /// A part of a loop that is cut is not cut again, but the loops inside.
  private Stmt cutInside(Stmt part, LoopParts parts, Ranges ranges, int budget) {
    return part instanceof Stmt.For loop && parts.counters().contains(loop.var()) ? inside(loop, ranges, budget)
        : cut(part, ranges, budget);
  }

  private Stmt inside(Stmt.For loop, Ranges ranges, int budget) {
    return loop.withBody(cut(loop.body(), ranges.loop(loop.var(), loop.extent()), budget));
  }

  /// The parts of `loop`, cut at the points of each condition where that saves operations.
  private Optional<LoopParts> parts(Stmt.For loop, Ranges ranges, int budget) {
    Optional<LoopParts> best = Optional.empty();
    Set<Expr> chosen = new LinkedHashSet<>();
    double least = Work.of(SimplifyIndices.simplify(loop, ranges), ranges);
    for (List<Expr> points : CutPoints.of(loop, ranges)) {
      Set<Expr> more = new LinkedHashSet<>(chosen);
      points.stream().filter(point -> isAllowed(point, loop, ranges)).forEach(more::add);
      if (more.size() > chosen.size()) {
        LoopParts parts = LoopParts.of(loop, List.copyOf(more), ranges, numerics);
        double work = parts.work() + (fixed.contains(loop.var().name()) ? parts.count() * TAIL * work(loop, ranges) : 0);
        if (parts.count() <= budget && work < SAVING * least) {
          best = Optional.of(parts);
          chosen = more;
          least = work;
        }
      }
    }
    return best;
  }

  private boolean isAllowed(Expr point, Stmt.For loop, Ranges ranges) {
    return point instanceof Expr.IntLiteral || !fixed.contains(loop.var().name()) && Work.of(loop, ranges) > SHORT;
  }

  /// The work of one iteration.
  private static double work(Stmt.For loop, Ranges ranges) {
    return Work.of(loop.body(), ranges.loop(loop.var(), loop.extent()));
  }
}
