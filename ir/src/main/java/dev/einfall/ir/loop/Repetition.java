package dev.einfall.ir.loop;

import dev.einfall.ir.BinaryOp;
import java.util.Optional;

/// An index whose lanes go through `count` neighbours from `base` on, again and again: `base + ramp(0, 1, lanes) % count`.
///
/// @param count at least two, and fewer than there are lanes
public record Repetition(Expr base, int count) {

  /// What `index` repeats, if it has this form; without a sum, what is repeated begins at 0.
  public static Optional<Repetition> of(Expr index) {
    if (index instanceof Expr.Binary(BinaryOp op, Expr.Broadcast(Expr base, _), Expr steps) && op == BinaryOp.ADD) {
      return steps(steps).map(count -> new Repetition(base, count));
    }
    return steps(index).map(count -> new Repetition(Expr.index(0), count));
  }

  private static Optional<Integer> steps(Expr steps) {
    return steps instanceof Expr.Binary(BinaryOp op, Expr.Ramp ramp, Expr.Broadcast(Expr.IntLiteral(_, long count), _)) && op == BinaryOp.MOD
        && ramp.base().equals(Expr.index(0)) && ramp.stride() == 1 && count > 1 && count < ramp.lanes()
        ? Optional.of(Math.toIntExact(count)) : Optional.empty();
  }

  /// The index with this many lanes.
  public Expr index(int lanes) {
    return new Expr.Binary(BinaryOp.ADD, new Expr.Broadcast(base, lanes),
        new Expr.Binary(BinaryOp.MOD, new Expr.Ramp(Expr.index(0), 1, lanes), new Expr.Broadcast(Expr.index(count), lanes)));
  }
}
