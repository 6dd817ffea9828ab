package dev.einfall.backends.kernel;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/// Says before each statement that the divisors of its integer divisions are not zero, for backends whose divisions cannot end the run
/// themselves.
///
/// ```
/// Y[i] = X[i] / D[i]    =>    require D[i] != 0, "the divisor of an integer division must not be", 0
///                             Y[i] = X[i] / D[i]
/// ```
///
/// A division that a `select` guards is required to be sound only where that chooses it. A divisor that is a literal is not asked about.
public final class RequireDivisors {
  private RequireDivisors() {}

  public static Stmt in(Stmt stmt) {
    Stmt inner = stmt.mapChildren(RequireDivisors::in, expr -> expr);
    Set<Expr> conditions = new LinkedHashSet<>();
    inner.exprs().forEach(expr -> collect(expr, Optional.empty(), conditions));
    Stmt result = inner;
    for (Expr condition : conditions) {
      result = Stmt.block(new Stmt.Require(condition, "the divisor of an integer division must not be", Expr.index(0)), result);
    }
    return result;
  }

  /// Adds what must hold for `expr`, which is evaluated where `guard` holds.
  private static void collect(Expr expr, Optional<Expr> guard, Set<Expr> conditions) {
    if (expr instanceof Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse)) {
      collect(condition, guard, conditions);
      collect(whenTrue, and(guard, condition), conditions);
      collect(whenFalse, and(guard, new Expr.Unary(UnaryOp.NOT, condition)), conditions);
      return;
    }
    expr.children().forEach(child -> collect(child, guard.filter(known -> known.type().lanes() == child.type().lanes()), conditions));
    if (expr instanceof Expr.Binary(BinaryOp op, Expr _, Expr divisor) && (op == BinaryOp.DIV || op == BinaryOp.MOD)
        && divisor.type().element().isInteger() && !isLiteral(divisor)) {
      Expr isSound = new Expr.Binary(BinaryOp.NE, divisor, zero(divisor));
      Expr condition = guard.<Expr>map(known -> new Expr.Binary(BinaryOp.OR, new Expr.Unary(UnaryOp.NOT, known), isSound)).orElse(isSound);
      conditions.add(condition.type().isVector() ? new Expr.ReduceLanes(BinaryOp.AND, condition) : condition);
    }
  }

  private static Optional<Expr> and(Optional<Expr> guard, Expr condition) {
    return Optional.of(guard.<Expr>map(known -> new Expr.Binary(BinaryOp.AND, known, condition)).orElse(condition));
  }

  private static boolean isLiteral(Expr divisor) {
    return divisor instanceof Expr.IntLiteral(ElementType _, long value) && value != 0
        || divisor instanceof Expr.Broadcast(Expr operand, int _) && isLiteral(operand);
  }

  private static Expr zero(Expr like) {
    Expr zero = new Expr.IntLiteral(like.type().element(), 0);
    return like.type().isVector() ? new Expr.Broadcast(zero, like.type().lanes()) : zero;
  }
}
