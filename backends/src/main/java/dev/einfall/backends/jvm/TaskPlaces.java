package dev.einfall.backends.jvm;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import java.util.ArrayList;
import java.util.List;

/// The tasks that a rehearsal runs: one at each place, from the first to the last, of each of the loops that tasks are iterations of. Those at
/// equal distances among all tasks could have the same coordinate of an inner loop, and meet one of the branches that it decides:
///
/// ```
/// parallel for task in 0..16 {
///   let r: i32 = task / 4          at five places: (0, 0) (0, 0) (1, 1) (2, 2) (3, 3), tasks 0, 0, 5, 10 and 15,
///   let s: i32 = task % 4          and not 0, 3, 7, 11 and 15, where s is 0 or 3
/// ```
///
/// @param extents of these loops, outermost first
record TaskPlaces(List<Integer> extents) {

  TaskPlaces {
    extents = List.copyOf(extents);
  }

  /// @param tasks a loop with a constant extent
  static TaskPlaces of(Stmt.For tasks) {
    int count = Math.toIntExact(((Expr.IntLiteral) tasks.extent()).value());
    List<Integer> inner = new ArrayList<>();
    Stmt body = tasks.body();
    while (body instanceof Stmt.Let let) {
      if (let.value() instanceof Expr.Binary(BinaryOp op, _, Expr.IntLiteral(_, long extent)) && op == BinaryOp.MOD) {
        inner.add(Math.toIntExact(extent));
      }
      body = let.body();
    }
    int product = inner.stream().reduce(1, (left, right) -> left * right);
    if (product <= 0 || count % product != 0) {
      return new TaskPlaces(List.of(count));
    }
    inner.addFirst(count / product);
    return new TaskPlaces(inner);
  }

  /// The task at `place` of [Arithmetic#LAST_PLACE].
  int task(int place) {
    int task = 0;
    for (int extent : extents) {
      task = task * extent + Arithmetic.first(extent, 1, place);
    }
    return task;
  }
}
