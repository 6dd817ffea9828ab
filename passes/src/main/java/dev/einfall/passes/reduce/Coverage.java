package dev.einfall.passes.reduce;

import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Which share of the tiles that a chain goes through its guards leave.
///
/// @param share of the tiles of [#tile] elements; 1 if there is no guard, or it is known only when the program runs
record Coverage(double share, int tile) {
  static final Coverage ALL = new Coverage(1, 1);
  /// Coordinates of a rank that are looked at, spread over it.
  private static final int SAMPLES = 32;

  /// That of a chain which runs as `recurrence`, in tiles of `tile` elements.
  static Coverage of(Recurrence recurrence, int tile) {
    Optional<Expr> guard = recurrence.updates().stream().flatMap(update -> update.where().stream()).findFirst();
    return guard.flatMap(Coverage::share).map(share -> new Coverage(share, tile)).orElse(ALL);
  }

  /// The share for tiles of another size, of `extent` elements in all: the edge of what is left cuts them in half.
  double in(int elements, double extent) {
    return share == 1 ? 1 : Math.clamp(share + (elements - tile) / (2 * extent), 0, 1);
  }

  private static Optional<Double> share(Expr guard) {
    List<Rank> ranks = List.copyOf(Exprs.freeRanks(guard));
    List<Long> held = new ArrayList<>();
    boolean isKnown = visit(guard, ranks, new HashMap<>(), held);
    return isKnown && !held.isEmpty()
        ? Optional.of(held.stream().mapToLong(Long::longValue).sum() / (double) held.size()) : Optional.empty();
  }

  /// Adds what `guard` is at samples of `ranks`, 1 or 0; returns whether it could be told for all.
  private static boolean visit(Expr guard, List<Rank> ranks, Map<Rank, Long> at, List<Long> held) {
    if (ranks.isEmpty()) {
      Optional<Long> value = value(guard, at);
      value.ifPresent(held::add);
      return value.isPresent();
    }
    long extent = ranks.getFirst().size().value();
    long samples = Math.min(extent, SAMPLES);
    for (long i = 0; i < samples; i++) {
      at.put(ranks.getFirst(), i * extent / samples);
      if (!visit(guard, ranks.subList(1, ranks.size()), at, held)) {
        return false;
      }
    }
    return true;
  }

  private static Optional<Long> value(Expr expr, Map<Rank, Long> at) {
    return switch (expr) {
      case Expr.IntLiteral(_, long value) -> Optional.of(value);
      case Expr.Coordinate(Rank rank) -> Optional.ofNullable(at.get(rank));
      case Expr.Extent(var size) -> size.constant();
      case Expr.Cast(var type, Expr operand) when type.isInteger() -> value(operand, at);
      case Expr.Binary binary -> value(binary.left(), at).flatMap(left -> value(binary.right(), at).flatMap(right -> value(binary, left, right)));
      case Expr.FloatLiteral _, Expr.Access _, Expr.Unary _, Expr.Select _, Expr.Cast _, Expr.Bitcast _, Expr.Reduce _, Expr.Fold _,
          Expr.Ref _ -> Optional.empty();
    };
  }

  private static Optional<Long> value(Expr.Binary binary, long left, long right) {
    return switch (binary.op()) {
      case ADD -> Optional.of(left + right);
      case SUB -> Optional.of(left - right);
      case MUL -> Optional.of(left * right);
      case DIV -> right == 0 ? Optional.empty() : Optional.of(Math.floorDiv(left, right));
      case MOD -> right == 0 ? Optional.empty() : Optional.of(Math.floorMod(left, right));
      case MIN -> Optional.of(Math.min(left, right));
      case MAX -> Optional.of(Math.max(left, right));
      case LT -> truth(left < right);
      case LE -> truth(left <= right);
      case GT -> truth(left > right);
      case GE -> truth(left >= right);
      case EQ -> truth(left == right);
      case NE -> truth(left != right);
      case AND -> Optional.of(left & right);
      case OR -> Optional.of(left | right);
      case XOR, POW, SHL, SHR -> Optional.empty();
    };
  }

  private static Optional<Long> truth(boolean holds) {
    return Optional.of(holds ? 1L : 0L);
  }
}
