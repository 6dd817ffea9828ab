package dev.einfall.passes.loop;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
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
    Stmt body = inner.isPresent() ? fused(inner.get(), LoopPiece.of(other).orElseThrow(), named) : forwarded(one, other);
    Stmt.For loop = new Stmt.For(counter, first.loop().extent(), first.loop().kind(), body, first.loop().span());
    return new LoopPiece(joined(first.allocated(), second.allocated()), joined(first.before(), second.before()), loop,
        joined(first.after(), second.after())).statement();
  }

  private static <T> List<T> joined(List<T> first, List<T> second) {
    return Stream.concat(first.stream(), second.stream()).toList();
  }

  /// `first`, then `second`, which gets what the former stores without loading it.
  private static Stmt forwarded(Stmt first, Stmt second) {
    return switch (first) {
      case Stmt.Let(Var var, Expr value, Stmt body) -> new Stmt.Let(var, value, forwarded(body, second));
      case Stmt.Block(List<Stmt> statements) when !statements.isEmpty() ->
          forwarded(statements.getFirst(), forwarded(Stmt.block(new ArrayList<>(statements.subList(1, statements.size()))), second));
      case Stmt.Store store when isForwarded(store, second) -> {
        if (store.value() instanceof Expr.Ref || store.value() instanceof Expr.FloatLiteral) {
          yield Stmt.block(store, replaced(second, store));
        }
        Var value = new Var(store.buffer().name().toLowerCase(java.util.Locale.ROOT), store.value().type());
        Stmt.Store named = new Stmt.Store(store.buffer(), store.indices(), new Expr.Ref(value));
        yield new Stmt.Let(value, store.value(), Stmt.block(named, replaced(second, named)));
      }
      case Stmt.For _, Stmt.Store _, Stmt.Alloc _, Stmt.If _, Stmt.Require _, Stmt.Block _ -> Stmt.block(first, second);
    };
  }

  /// `user` with what `store` stores in place of its loads.
  private static Stmt replaced(Stmt user, Stmt.Store store) {
    Expr load = new Expr.Load(store.buffer(), store.indices());
    return Rewrites.exprs(user, node -> node.equals(load) ? store.value() : node);
  }

  /// Whether `user` loads the element, whose value no store changes before; memory holds a value of these types as it is.
  private static boolean isForwarded(Stmt.Store store, Stmt user) {
    ElementType type = store.buffer().type();
    Expr load = new Expr.Load(store.buffer(), store.indices());
    return (type == ElementType.F32 || type == ElementType.F64 || type == ElementType.I32 || type == ElementType.I64)
        && user.nodes().flatMap(Stmt::exprs).flatMap(Expr::nodes).anyMatch(load::equals)
        && user.nodes().noneMatch(node -> node instanceof Stmt.Store other && other.buffer() == store.buffer());
  }
}
