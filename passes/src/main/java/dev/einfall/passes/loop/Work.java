package dev.einfall.passes.loop;

import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Interval;
import dev.einfall.ir.loop.Ranges;
import dev.einfall.ir.loop.Stmt;
import java.util.List;

/// Estimates how many operations a statement does, to compare two forms of it.
final class Work {
  /// What a loop costs beside its iterations.
  private static final double LOOP = 4;
  /// What an iteration costs beside its body.
  private static final double STEP = 2;

  private Work() {}

  static double of(Stmt statement, Ranges ranges) {
    return switch (statement) {
      case Stmt.Block(List<Stmt> statements) -> statements.stream().mapToDouble(inner -> of(inner, ranges)).sum();
      case Stmt.For loop -> LOOP + iterations(loop.extent(), ranges)
          * (STEP + of(loop.body(), ranges.loop(loop.var(), loop.extent())));
      case Stmt.Store store -> store.exprs().mapToDouble(Work::of).sum();
      case Stmt.Alloc alloc -> of(alloc.body(), ranges);
      case Stmt.If(Expr condition, Stmt whenTrue, Stmt whenFalse) -> of(condition)
          + Math.max(of(whenTrue, ranges.assume(condition, true)), of(whenFalse, ranges.assume(condition, false)));
      case Stmt.Let let -> of(let.value()) + of(let.body(), ranges.let(let.var(), let.value()));
      case Stmt.Barrier _ -> STEP;
      case Stmt.Require check -> of(check.condition());
    };
  }

  /// The iterations of a loop of the middle one of all possible extents.
  private static double iterations(Expr extent, Ranges ranges) {
    Interval range = ranges.of(extent);
    return (Math.max(0, (double) range.low()) + Math.max(0, (double) range.high())) / 2;
  }

  private static double of(Expr expr) {
    return expr.nodes().filter(node -> !(node instanceof Expr.Ref || node instanceof Expr.IntLiteral)).count();
  }
}
