package dev.einfall.tests.random;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import java.util.List;

/// A dimension of a state, by how updates write along it.
sealed interface Dimension {

  /// Written at one element for each step, forward or backward: `H[t + 1]`, `H[T - 1 - t]`.
  record Step(Rank step, int more, boolean backward) implements Dimension {}

  /// Written at every element, or at some.
  record Whole(Size size) implements Dimension {}

  /// Written at every second element: `Y[2 * i]`, `Y[2 * i + 1]`.
  record Interleaved(Size half) implements Dimension {}

  /// Written at its first elements or at its last: `Y[i]`, `Y[N + i]`.
  record Joined(Size first, Size last) implements Dimension {}

  /// Written where data says.
  record Scattered(Size size) implements Dimension {}

  default Size size() {
    return switch (this) {
      case Step(Rank step, int more, boolean _) -> step.size().plus(Size.of(more));
      case Whole(Size size) -> size;
      case Interleaved(Size half) -> half.times(Size.of(2));
      case Joined(Size first, Size last) -> first.plus(last);
      case Scattered(Size size) -> size;
    };
  }

  /// The index of one update. Where data says, it is still open, and only has a rank.
  ///
  /// @param ranks gains the ranks of the update
  default Expr index(Chance chance, List<Rank> ranks, Draft draft) {
    return switch (this) {
      case Step(Rank step, int more, boolean backward) -> backward
          ? new Expr.Binary(BinaryOp.SUB, new Expr.Extent(step.size().minus(Size.of(1))), new Expr.Coordinate(step))
          : Accesses.offset(new Expr.Coordinate(step), chance.oneIn(8) ? chance.below(more + 1) : more);
      case Whole(Size size) -> chance.oneIn(8)
          ? chance.of(Expr.index(0), new Expr.Binary(BinaryOp.SUB, new Expr.Extent(size.minus(Size.of(1))), bind(size, ranks)))
          : bind(size, ranks);
      case Interleaved(Size half) ->
          Accesses.offset(new Expr.Binary(BinaryOp.MUL, Expr.index(2), bind(half, ranks)), chance.below(2));
      case Joined(Size first, Size last) -> chance.oneIn(2) ? bind(first, ranks)
          : new Expr.Binary(BinaryOp.ADD, new Expr.Extent(first), bind(last, ranks));
      case Scattered _ -> bind(draft.anyName(), ranks);
    };
  }

  private static Expr bind(Size size, List<Rank> ranks) {
    Rank rank = new Rank("ijkmn".substring(ranks.size() % 5, ranks.size() % 5 + 1), size);
    ranks.add(rank);
    return new Expr.Coordinate(rank);
  }
}
