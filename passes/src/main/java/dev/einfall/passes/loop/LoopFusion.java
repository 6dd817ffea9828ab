package dev.einfall.passes.loop;

import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Makes one loop of two, and of the loops inside.
final class LoopFusion {
  private LoopFusion() {}

  /// Whether `second`, which follows `first`, can be done iteration by iteration with it.
  static boolean isPossible(LoopPiece first, LoopPiece second) {
    return isSerial(first.loop()) && isSerial(second.loop()) && first.loop().extent().equals(second.loop().extent())
        && areApart(second.before(), List.of(first.loop())) && areApart(second.before(), first.after())
        && areApart(List.of(second.loop()), first.after())
        && LoopDependences.allowOneLoop(first.loop(), second.loop()) && isPossibleInside(first.loop(), second.loop());
  }

  private static boolean isPossibleInside(Stmt.For first, Stmt.For second) {
    Stmt other = Rewrites.substitute(second.body(), second.var(), new Expr.Ref(first.var()));
    if (!LoopPiece.hasLoops(first.body()) && !LoopPiece.hasLoops(other)) {
      return true;
    }
    Optional<LoopPiece> inner = LoopPiece.of(first.body());
    return inner.isPresent() && LoopPiece.of(other).filter(piece -> isPossible(inner.get(), piece)).isPresent();
  }

  private static boolean isSerial(Stmt.For loop) {
    return loop.kind() == Stmt.For.Kind.SERIAL && Rewrites.constant(loop.extent()).isPresent();
  }

  private static boolean areApart(List<Stmt> statements, List<Stmt> others) {
    return statements.stream().allMatch(one -> others.stream().allMatch(other -> LoopDependences.areIndependent(one, other)));
  }

  /// Both in one loop with the counter of the second one, if `named` by it, or else of the first.
  static Stmt fused(LoopPiece first, LoopPiece second, boolean named) {
    Var counter = named ? second.loop().var() : first.loop().var();
    Stmt one = Rewrites.substitute(first.loop().body(), first.loop().var(), new Expr.Ref(counter));
    Stmt other = Rewrites.substitute(second.loop().body(), second.loop().var(), new Expr.Ref(counter));
    Optional<LoopPiece> inner = LoopPiece.of(one);
    Stmt body = inner.isPresent() ? fused(inner.get(), LoopPiece.of(other).orElseThrow(), named) : ForwardStores.forwarded(Stmt.block(one, other));
    Stmt.For loop = new Stmt.For(counter, first.loop().extent(), first.loop().kind(), body, first.loop().span());
    return new LoopPiece(joined(first.allocated(), second.allocated()), joined(first.before(), second.before()), loop,
        joined(first.after(), second.after())).statement();
  }

  private static <T> List<T> joined(List<T> first, List<T> second) {
    return Stream.concat(first.stream(), second.stream()).toList();
  }
}
