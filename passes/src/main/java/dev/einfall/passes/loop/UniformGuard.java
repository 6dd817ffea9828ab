package dev.einfall.passes.loop;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Asks before loops, and once for all that follow each other, whether what they do is to be done at all.
///
/// ```
/// for p in 0..64 { if t < n { A[p] = 0.0 } }            if t < n {
/// for q in 0..64 { if t < n { B[q] = A[63 - q] } }  =>    for p in 0..64 { A[p] = 0.0 }
///                                                         for q in 0..64 { B[q] = A[63 - q] }
///                                                       }
/// ```
final class UniformGuard {
  private UniformGuard() {}

  /// `statement` with what guards all of its loops' bodies, if anything does, outside of them.
  static Stmt outside(Stmt statement) {
    return statement instanceof Stmt.For ? guard(statement).<Stmt>map(condition -> new Stmt.If(condition, unguarded(statement), Stmt.NOTHING)).orElse(statement)
        : statement;
  }

  /// The statements, those that have one guard under one.
  static List<Stmt> shared(List<Stmt> statements) {
    List<Stmt> result = new ArrayList<>();
    for (Stmt statement : statements) {
      Stmt next = outside(statement);
      if (next instanceof Stmt.If(Expr condition, Stmt yes, Stmt no) && no.equals(Stmt.NOTHING) && isFixed(condition) && !result.isEmpty()
          && result.getLast() instanceof Stmt.If(Expr other, Stmt before, Stmt otherwise) && otherwise.equals(Stmt.NOTHING) && other.equals(condition)) {
        result.removeLast();
        result.add(new Stmt.If(condition, Stmt.block(before, yes), Stmt.NOTHING));
      } else {
        result.add(next);
      }
    }
    return result;
  }

  private static Optional<Expr> guard(Stmt statement) {
    return switch (statement) {
      case Stmt.For loop -> guard(loop.body()).filter(condition -> !Rewrites.uses(condition, loop.var()));
      case Stmt.Alloc(Buffer _, Stmt body) -> guard(body);
      case Stmt.If(Expr condition, Stmt _, Stmt no) when no.equals(Stmt.NOTHING) && isFixed(condition) -> Optional.of(condition);
      case Stmt.If _, Stmt.Block _, Stmt.Let _, Stmt.Store _, Stmt.Require _, Stmt.Barrier _ -> Optional.empty();
    };
  }

  /// Whether nothing that is stored can change it.
  private static boolean isFixed(Expr condition) {
    return condition.nodes().noneMatch(Expr.Load.class::isInstance);
  }

  private static Stmt unguarded(Stmt statement) {
    return switch (statement) {
      case Stmt.For loop -> loop.withBody(unguarded(loop.body()));
      case Stmt.Alloc(Buffer buffer, Stmt body) -> new Stmt.Alloc(buffer, unguarded(body));
      case Stmt.If branch -> branch.whenTrue();
      case Stmt.Block _, Stmt.Let _, Stmt.Store _, Stmt.Require _, Stmt.Barrier _ -> statement;
    };
  }
}
