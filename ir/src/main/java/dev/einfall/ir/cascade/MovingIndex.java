package dev.einfall.ir.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Size;
import java.util.Optional;

/// An index that moves evenly with one rank: `factor * coordinate + rest`, where the rest does not depend on that rank and takes
/// the values `from` to `to`.
record MovingIndex(long factor, Size from, Size to) {

  /// `index` as it moves with `rank`; empty if it does not, moves backwards, or depends on it in another way.
  static Optional<MovingIndex> of(Expr index, Rank rank) {
    Optional<Long> factor = factor(index, rank).filter(value -> value > 0);
    return factor.flatMap(value -> IndexBounds.interval(without(index, rank))
        .map(rest -> new MovingIndex(value, rest.low(), rest.high())));
  }

  /// Whether it is the coordinate itself.
  boolean isPoint() {
    return factor == 1 && from.equals(Size.of(0)) && to.equals(Size.of(0));
  }

  private static Expr without(Expr index, Rank rank) {
    return index instanceof Expr.Coordinate(Rank other) && other == rank ? Expr.index(0)
        : index.mapChildren(child -> without(child, rank));
  }

  private static Optional<Long> factor(Expr index, Rank rank) {
    return switch (index) {
      case Expr.Coordinate(Rank other) when other == rank -> Optional.of(1L);
      case Expr.Cast(var type, Expr operand) when type.isInteger() && type.bytes() >= Integer.BYTES -> factor(operand, rank);
      case Expr.Binary(BinaryOp op, Expr left, Expr right) ->
          factor(left, rank).flatMap(a -> factor(right, rank).flatMap(b -> switch (op) {
            case ADD -> Optional.of(a + b);
            case SUB -> Optional.of(a - b);
            case MUL -> b == 0 && number(right).isPresent() ? Optional.of(a * number(right).get())
                : a == 0 && number(left).isPresent() ? Optional.of(b * number(left).get())
                : a == 0 && b == 0 ? Optional.of(0L) : Optional.empty();
            default -> a == 0 && b == 0 ? Optional.of(0L) : Optional.empty();
          }));
      case Expr _ -> index.nodes().anyMatch(new Expr.Coordinate(rank)::equals) ? Optional.empty() : Optional.of(0L);
    };
  }

  private static Optional<Long> number(Expr expr) {
    return switch (expr) {
      case Expr.IntLiteral literal -> Optional.of(literal.value());
      case Expr.Extent(Size size) -> size.constant();
      case Expr _ -> Optional.empty();
    };
  }
}
