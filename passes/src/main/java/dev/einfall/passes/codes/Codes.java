package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.loop.Interval;
import dev.einfall.passes.analysis.ValueRanges;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// What is a code in an expression that decodes elements along a rank: an integer of few values that differs from one coordinate to the next.
///
/// ```
/// f32((shr(i32(C[n, k / 2]), k % 2 * 4) && 15) - 8) * S[n, k / 64]       the code is shr(..) && 15, and groups are of 64
/// ```
///
/// @param rank the rank
/// @param chosen the codes
record Codes(Rank rank, List<Expr> chosen) {
  /// A code has at most this many bits, or, where that leaves something, as many as two bytes.
  private static final int MOST_BITS = 8;
  /// Fewer neighbours are no group: what they share is no less than what they have of their own.
  private static final int LEAST_GROUP = 8;

  /// The codes in `parts`. Of several ways to cut what is fine from its surroundings, the innermost of those with the fewest bits; where that makes several codes of
  /// one number, such as its sign and its exponent, the number itself if it has fewer bits than they have together.
  static Codes of(Rank rank, List<Expr> parts) {
    Codes bytes = of(rank, parts, MOST_BITS);
    Codes wide = parts.stream().allMatch(bytes::areAll) ? bytes : of(rank, parts, 2 * MOST_BITS);
    return parts.stream().allMatch(wide::areAll) ? wide : bytes;
  }

  private static Codes of(Rank rank, List<Expr> parts, int most) {
    Codes none = new Codes(rank, List.of());
    List<Expr> narrow = parts.stream().flatMap(part -> none.narrowest(part, most)).distinct().toList();
    List<Expr> sources = narrow.stream().flatMap(Expr::nodes).filter(node -> none.bits(node) <= most).distinct().toList();
    List<Expr> chosen = new ArrayList<>(narrow);
    for (Expr source : sources) {
      Codes one = new Codes(rank, List.of(source));
      List<Expr> covered = chosen.stream().filter(one::areAll).toList();
      if (covered.size() > 1 && none.bits(source) < covered.stream().mapToInt(none::bits).sum()) {
        chosen.removeAll(covered);
        chosen.add(source);
      }
    }
    return new Codes(rank, chosen);
  }

  /// Whether `expr` has a value of its own for each coordinate of the rank.
  boolean isFine(Expr expr) {
    return switch (expr) {
      case Expr.Coordinate(Rank other) -> other == rank;
      case Expr.Binary binary when group(binary).isPresent() -> false;
      case Expr _ -> expr.children().anyMatch(this::isFine);
    };
  }

  /// How many neighbours along the rank share the value of the quotient that `expr` is.
  private Optional<Integer> group(Expr.Binary expr) {
    return expr.op() == BinaryOp.DIV && expr.right() instanceof Expr.IntLiteral literal && literal.value() >= LEAST_GROUP && literal.value() <= rank.size().value()
        && isPlace(expr.left(), literal.value()) ? Optional.of(Math.toIntExact(literal.value())) : Optional.empty();
  }

  /// Whether `expr` is the coordinate of the rank, or its place in what has whole groups.
  private boolean isPlace(Expr expr, long group) {
    return switch (expr) {
      case Expr.Coordinate(Rank other) -> other == rank;
      case Expr.Binary(BinaryOp op, Expr.Coordinate(Rank other), Expr.IntLiteral around) -> op == BinaryOp.MOD && other == rank && around.value() > 0 && around.value() % group == 0;
      case Expr _ -> false;
    };
  }

  /// How many neighbours along the rank share what is no code in `expr`, for each place where that depends on the rank.
  Stream<Integer> groups(Expr expr) {
    if (isCode(expr)) {
      return Stream.empty();
    }
    Optional<Integer> own = expr instanceof Expr.Binary binary ? group(binary) : Optional.empty();
    return own.isPresent() ? own.stream() : expr.children().flatMap(this::groups);
  }

  boolean isCode(Expr expr) {
    return chosen.contains(expr);
  }

  /// Whether some of several codes in `expr` is there only for some coordinates of other ranks, as where products were merged whose weights are decoded in other ways:
  /// alone it would be read outside of its tensor.
  boolean isGuarded(Expr expr) {
    return isFine(expr) && !isCode(expr) && (expr instanceof Expr.Select(Expr condition, Expr _, Expr _) && isOfOtherRanks(condition)
        || expr.children().anyMatch(this::isGuarded));
  }

  private boolean isOfOtherRanks(Expr condition) {
    return Exprs.accesses(condition).findAny().isEmpty() && !Exprs.freeRanks(condition).isEmpty() && !Exprs.freeRanks(condition).contains(rank);
  }

  private Stream<Expr> narrowest(Expr expr, int most) {
    return !isFine(expr) ? Stream.empty() : bits(expr) <= most && fewest(expr) == expr ? Stream.of(expr) : expr.children().flatMap(child -> narrowest(child, most));
  }

  /// The node in the chain from `expr` down to what is read for it that has the fewest bits.
  private Expr fewest(Expr expr) {
    List<Expr> inside = expr.children().filter(this::isFine).toList();
    if (inside.size() != 1 || Exprs.accesses(inside.getFirst()).findAny().isEmpty()) {
      return expr;
    }
    Expr further = fewest(inside.getFirst());
    return bits(further) <= bits(expr) ? further : expr;
  }

  /// How many bits tell the values of `expr` apart; more than any code has where that is not known.
  private int bits(Expr expr) {
    if (!expr.type().isInteger() || !isFine(expr) || Exprs.hasReduction(expr) || Exprs.accesses(expr).findAny().isEmpty()) {
      return Integer.MAX_VALUE;
    }
    return bits(range(expr));
  }

  /// What a code is in.
  static Interval range(Expr code) {
    return new ValueRanges().of(code);
  }

  /// Whether nothing but `code` and numbers determine `expr`.
  static boolean isFunction(Expr expr, Expr code) {
    return expr.equals(code) || !(expr instanceof Expr.Coordinate) && expr.children().allMatch(child -> isFunction(child, code));
  }

  static int bits(Interval range) {
    return range.isBounded() && range.high() - range.low() >= 0 ? Math.max(1, Long.SIZE - Long.numberOfLeadingZeros(range.high() - range.low())) : Long.SIZE;
  }

  /// The codes in `expr`, each once.
  List<Expr> of(Expr expr) {
    return found(expr).distinct().toList();
  }

  private Stream<Expr> found(Expr expr) {
    return !isFine(expr) ? Stream.empty() : isCode(expr) ? Stream.of(expr) : expr.children().flatMap(this::found);
  }

  /// Whether all that is fine in `expr` is in codes.
  boolean areAll(Expr expr) {
    return !isFine(expr) || isCode(expr) || !(expr instanceof Expr.Coordinate) && expr.children().allMatch(this::areAll);
  }
}
