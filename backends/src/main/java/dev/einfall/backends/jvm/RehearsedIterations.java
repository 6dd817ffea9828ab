package dev.einfall.backends.jvm;

import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import java.util.function.Predicate;

/// How many iterations loops run in a rehearsal.
final class RehearsedIterations {
  /// Of an innermost loop.
  static final int INNERMOST = 16;
  /// An innermost loop that runs no more often than this is not shortened: C2 sees how often it runs.
  private static final int SHORT_LOOP = 8;

  private RehearsedIterations() {}

  /// Whether `loop` is around others. Those run an eighth of the iterations: C2 must see that innermost loops are where the time goes, or it
  /// spills registers there rather than elsewhere.
  static boolean isAround(Stmt.For loop) {
    return loop.body().nodes().anyMatch(Stmt.For.class::isInstance);
  }

  /// Whether `loop` runs all of its iterations.
  static boolean isWhole(Stmt.For loop) {
    return !isAround(loop) && loop.extent() instanceof Expr.IntLiteral extent && extent.value() <= SHORT_LOOP;
  }

  /// The iterations of all loops in one run of `stmt`, but for what `outlined` holds for.
  static long of(Stmt stmt, Predicate<Stmt> outlined) {
    long inside = stmt.children().filter(child -> !outlined.test(child)).mapToLong(child -> of(child, outlined)).sum();
    return stmt instanceof Stmt.For loop && loop.kind() != Stmt.For.Kind.PARALLEL ? iterations(loop) * (1 + inside) : inside;
  }

  private static long iterations(Stmt.For loop) {
    long most = isAround(loop) ? INNERMOST >> 3 : INNERMOST;
    return loop.extent() instanceof Expr.IntLiteral extent ? isWhole(loop) ? extent.value() : Math.min(extent.value(), most) : most;
  }
}
