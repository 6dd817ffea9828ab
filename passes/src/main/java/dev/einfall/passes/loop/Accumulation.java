package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Numerics;
import java.util.List;
import java.util.Optional;

/// A step of a reduction: `acc[i] = acc[i] op value`.
record Accumulation(Stmt.Store store, BinaryOp op, Expr accumulator, Expr value) {

  /// `store` as a step of a reduction whose steps may come in any order.
  static Optional<Accumulation> inAnyOrder(Stmt.Store store, Numerics numerics) {
    return of(store).filter(step -> numerics.mayReorder(step.op, store.buffer().type()));
  }

  private static Optional<Accumulation> of(Stmt.Store store) {
    return store.value() instanceof Expr.Binary(BinaryOp op, Expr left, Expr right) && reduces(op)
        && left.equals(new Expr.Load(store.buffer(), store.indices()))
        ? Optional.of(new Accumulation(store, op, left, right)) : Optional.empty();
  }

  private static boolean reduces(BinaryOp op) {
    return switch (op) {
      case ADD, MUL, MIN, MAX, AND, OR, XOR -> true;
      case SUB, DIV, MOD, POW, EQ, NE, LT, LE, GT, GE, SHL, SHR -> false;
    };
  }

  /// Whether nothing in `body` but this has to do with the accumulator's buffer.
  boolean isAlone(Stmt body) {
    return isAmongItsLike(body) && stores(body).size() == 1;
  }

  /// Whether nothing in `body` has to do with the accumulator's buffer but this, and others of the same operation: for the rest of a
  /// rank that was cut into tiles.
  boolean isAmongItsLike(Stmt body) {
    List<Stmt.Store> stores = stores(body);
    long loads = body.nodes().flatMap(Stmt::exprs).flatMap(Expr::nodes)
        .filter(node -> node instanceof Expr.Load load && load.buffer() == store.buffer()).count();
    return loads == stores.size() && stores.stream().allMatch(other -> of(other).filter(step -> step.op == op).isPresent());
  }

  /// The stores in `body` to the accumulator's buffer.
  private List<Stmt.Store> stores(Stmt body) {
    return body.nodes().filter(Stmt.Store.class::isInstance).map(Stmt.Store.class::cast)
        .filter(other -> other.buffer() == store.buffer()).toList();
  }
}
