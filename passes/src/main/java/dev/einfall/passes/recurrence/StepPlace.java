package dev.einfall.passes.recurrence;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.passes.cascade.Affine;
import dev.einfall.passes.cascade.Exprs;
import java.util.List;
import java.util.Optional;

/// Where an access stands at step `t`: its index number `dimension` is `sign * t + offset`, and no other speaks of `t`.
///
/// @param sign 1 for steps that go up, -1 for those that go down
record StepPlace(int dimension, int sign, long offset) {

  /// The place of an access with `indices`, if it follows the step so.
  static Optional<StepPlace> of(List<Expr> indices, Rank step) {
    Optional<StepPlace> place = Optional.empty();
    for (int i = 0; i < indices.size(); i++) {
      if (Exprs.freeRanks(indices.get(i)).contains(step)) {
        if (place.isPresent()) {
          return Optional.empty();
        }
        place = of(i, indices.get(i), step);
        if (place.isEmpty()) {
          return place;
        }
      }
    }
    return place;
  }

  private static Optional<StepPlace> of(int dimension, Expr index, Rank step) {
    return Affine.of(index)
        .filter(affine -> affine.coefficients().size() == 1 && Math.abs(affine.coefficient(step)) == 1)
        .map(affine -> new StepPlace(dimension, (int) affine.coefficient(step), affine.constant()));
  }

  /// The step that wrote what is read here, counted back from the one that reads, if every step writes at `written`.
  long lag(StepPlace written) {
    return sign * (written.offset - offset);
  }

  /// The index at `step`, a constant added to it.
  static Expr index(Rank step, int sign, long offset) {
    Expr coordinate = new Expr.Coordinate(step);
    if (sign < 0) {
      return new Expr.Binary(BinaryOp.SUB, Expr.index(offset), coordinate);
    }
    return offset == 0 ? coordinate
        : offset > 0 ? new Expr.Binary(BinaryOp.ADD, coordinate, Expr.index(offset))
        : new Expr.Binary(BinaryOp.SUB, coordinate, Expr.index(-offset));
  }
}
