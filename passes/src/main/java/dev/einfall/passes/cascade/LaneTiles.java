package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.SharedRanks;
import dev.einfall.passes.Target;
import java.util.List;
import java.util.stream.Stream;

/// How many coordinates of a rank the kernel of a recurrence can take together, where they fill the lanes of vectors.
record LaneTiles(Target target, Recurrence recurrence) {
  /// In vectors.
  private static final List<Integer> VECTORS = List.of(4, 2, 1, 8);

  /// Whole vectors, and no more than the guards of the updates are uniform over.
  List<Integer> of(Rank lanes) {
    int width = target.lanes(recurrence.tensors().getFirst().type().bytes());
    int uniform = uniform(lanes);
    if (uniform >= width) {
      List<Integer> parts = VECTORS.stream().map(vectors -> vectors * width).filter(tile -> uniform % tile == 0).toList();
      return parts.isEmpty() ? List.of(uniform) : parts;
    }
    return VECTORS.stream().map(vectors -> vectors * width)
        .filter(tile -> tile == width || tile < 2 * lanes.size().value()).toList();
  }

  /// How many coordinates of `lanes` the guards are the same for: what divides all numbers that they divide the coordinate
  /// by, since blocks of a mask may be larger than what is taken together; 0 if they divide it by none.
  int uniform(Rank lanes) {
    SharedRanks along = new SharedRanks(List.of(recurrence), List.of(lanes.name()));
    return recurrence.updates().stream().flatMap(update -> update.where().stream().flatMap(Expr::nodes)
            .filter(node -> Exprs.freeRanks(node).contains(along.of(update).getFirst())).flatMap(LaneTiles::divisor))
        .reduce(0, LaneTiles::commonDivisor);
  }

  private static int commonDivisor(int left, int right) {
    return right == 0 ? left : commonDivisor(right, left % right);
  }

  /// `c` of an expression `x / c`.
  private static Stream<Integer> divisor(Expr node) {
    return node instanceof Expr.Binary(BinaryOp op, Expr _, Expr.IntLiteral(_, long value)) && op == BinaryOp.DIV
        ? Stream.of((int) value) : node instanceof Expr.Binary(BinaryOp op, Expr _, Expr.Extent(Size size)) && op == BinaryOp.DIV
        ? size.constant().map(Long::intValue).stream() : Stream.empty();
  }
}
