package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import java.util.Map;

/// Elements that groups of neighbours along a rank share, such as the scales of a format: `S[m, n / 32]` is one element for all lanes of a vector of 16 along `n`, since
/// vectors begin at multiples of their length.
final class SharedLanes {
  private SharedLanes() {}

  /// Whether all lanes of a vector of `lanes` along `rank`, and so of a shorter one, read one element through `access`, though not all vectors do.
  static boolean isShared(Expr.Access access, Rank rank, int lanes) {
    return lanes > 1 && access.outside().isEmpty() && Exprs.freeRanks(access).contains(rank)
        && access.indices().stream().allMatch(index -> isShared(index, rank, lanes));
  }

  private static boolean isShared(Expr index, Rank rank, int lanes) {
    if (!Exprs.freeRanks(index).contains(rank)) {
      return true;
    }
    Rank vector = new Rank(rank.name(), Size.of(Math.ceilDiv(rank.size().value(), lanes)));
    Rank lane = new Rank(rank.name(), Size.of(lanes));
    Expr place = new Expr.Binary(BinaryOp.ADD, new Expr.Binary(BinaryOp.MUL, new Expr.Coordinate(vector), Expr.index(lanes)), new Expr.Coordinate(lane));
    Expr simple = IndexForm.of(Exprs.substitute(index, Map.of(rank, place))).expr(index.type());
    return !Exprs.freeRanks(simple).contains(lane);
  }
}
