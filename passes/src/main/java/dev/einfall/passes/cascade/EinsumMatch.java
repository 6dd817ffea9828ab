package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Size;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Numerics;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// Whether two Einsums compute the same, whatever their ranks are called, in whatever order commutative operands stand, and up to
/// the order of the ranks of the result:
///
/// ```
/// S[p, m] = sum[e](Q[p, e] * K[m, e])
/// T[i, j] = sum[k](K[i, k] * Q[j, k])          T[i, j] is S[j, i]
/// ```
///
/// `a > b` is `b < a`, `a - b` is `-b + a`, and sums and products of several are the same in any order where the contract allows
/// that. Operands are tried in turn, up to a number of steps.
final class EinsumMatch {
  private static final int MOST_STEPS = 20_000;

  private final Numerics numerics;
  private int steps;

  /// The ranks paired so far, and the scopes in which those of both sides are bound.
  private record Pairs(Map<Rank, Rank> ranks, Map<Rank, Integer> left, Map<Rank, Integer> right) {

    /// With `a` and `b` as one, unless they are others or bound in other scopes.
    Optional<Pairs> with(Rank a, Rank b) {
      if (ranks.get(a) == b) {
        return Optional.of(this);
      }
      boolean open = !ranks.containsKey(a) && !ranks.containsValue(b) && a.size().equals(b.size())
          && left.containsKey(a) && left.get(a).equals(right.get(b));
      if (!open) {
        return Optional.empty();
      }
      Map<Rank, Rank> more = new HashMap<>(ranks);
      more.put(a, b);
      return Optional.of(new Pairs(more, left, right));
    }

    /// In the scope of two reductions; their ranks may be known from other places.
    Pairs inside(List<Rank> a, List<Rank> b, int scope) {
      Map<Rank, Rank> outer = new HashMap<>(ranks);
      a.forEach(outer::remove);
      outer.values().removeAll(b);
      return new Pairs(outer, scope(left, a, scope), scope(right, b, scope));
    }

    private static Map<Rank, Integer> scope(Map<Rank, Integer> scopes, List<Rank> ranks, int scope) {
      Map<Rank, Integer> more = new HashMap<>(scopes);
      ranks.forEach(rank -> more.put(rank, scope));
      return more;
    }
  }

  private EinsumMatch(Numerics numerics) {
    this.numerics = numerics;
  }

  /// For each rank of `a`, the place of the one of `b` that it is; empty if the two differ. The order of the ranks is that of `a`
  /// if possible, and no other unless `mayTranspose`.
  static Optional<List<Integer>> of(Einsum a, Einsum b, Numerics numerics, boolean mayTranspose) {
    if (a.tensor().type() != b.tensor().type() || !sorted(a.ranks()).equals(sorted(b.ranks()))) {
      return Optional.empty();
    }
    EinsumMatch match = new EinsumMatch(numerics);
    List<Pairs> found = new ArrayList<>();
    Pairs none = new Pairs(Map.of(), Map.of(), Map.of()).inside(a.ranks(), b.ranks(), 0);
    Optional<Pairs> straight = Optional.of(none);
    for (int i = 0; i < a.ranks().size(); i++) {
      Rank left = a.ranks().get(i);
      Rank right = b.ranks().get(i);
      straight = straight.flatMap(pairs -> pairs.with(left, right));
    }
    boolean same = straight.filter(pairs -> match.match(a.value(), b.value(), pairs, found::add)).isPresent()
        || mayTranspose && match.match(a.value(), b.value(), none, pairs -> places(a, b, pairs).isPresent() && found.add(pairs));
    return same ? places(a, b, found.getFirst()) : Optional.empty();
  }

  private static List<String> sorted(List<Rank> ranks) {
    return ranks.stream().map(rank -> rank.size().toString()).sorted().toList();
  }

  /// The places of the ranks of `a` among those of `b`; empty if one is in no value.
  private static Optional<List<Integer>> places(Einsum a, Einsum b, Pairs pairs) {
    List<Integer> places = a.ranks().stream().map(rank -> b.ranks().indexOf(pairs.ranks.get(rank))).toList();
    return places.contains(-1) ? Optional.empty() : Optional.of(places);
  }

  /// Whether `a` is `b` with some pairs more than `pairs` for which `then` holds.
  private boolean match(Expr a, Expr b, Pairs pairs, Predicate<Pairs> then) {
    if (steps++ > MOST_STEPS) {
      return false;
    }
    return switch (a) {
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Extent _, Expr.Ref _ -> a.equals(b) && then.test(pairs);
      case Expr.Coordinate(Rank rank) ->
          b instanceof Expr.Coordinate(Rank other) && pairs.with(rank, other).filter(then).isPresent();
      case Expr.Access(Tensor tensor, _, Optional<Expr> outside) -> b instanceof Expr.Access other && tensor == other.tensor()
          && outside.isPresent() == other.outside().isPresent() && inOrder(a.children().toList(), b.children().toList(), pairs, then);
      case Expr.Unary unary -> b instanceof Expr.Unary other && unary.op() == other.op()
          && match(unary.operand(), other.operand(), pairs, then);
      case Expr.Binary binary -> b instanceof Expr.Binary other && binary(binary, other, pairs, then);
      case Expr.Select select -> b instanceof Expr.Select other
          && (inOrder(a.children().toList(), b.children().toList(), pairs, then) || negated(select, other, pairs, then));
      case Expr.Cast cast -> b instanceof Expr.Cast other && cast.type() == other.type()
          && match(cast.operand(), other.operand(), pairs, then);
      case Expr.Bitcast bitcast -> b instanceof Expr.Bitcast other && bitcast.type() == other.type()
          && match(bitcast.operand(), other.operand(), pairs, then);
      case Expr.Reduce reduce -> b instanceof Expr.Reduce other && reduce.reduction() == other.reduction()
          && reduced(a, b, !reduce.reduction().isPosition() && numerics.mayReorder(reduce.reduction().combine(), reduce.type()), pairs, then);
      case Expr.Fold fold -> b instanceof Expr.Fold other && fold.combiner().equals(other.combiner())
          && fold.component() == other.component() && reduced(a, b, false, pairs, then);
    };
  }

  private boolean inOrder(List<Expr> as, List<Expr> bs, Pairs pairs, Predicate<Pairs> then) {
    if (as.isEmpty() || bs.isEmpty()) {
      return as.size() == bs.size() && then.test(pairs);
    }
    return match(as.getFirst(), bs.getFirst(), pairs, more -> inOrder(as.subList(1, as.size()), bs.subList(1, bs.size()), more, then));
  }

  /// `where(!c, x, y)` is `where(c, y, x)`.
  private boolean negated(Expr.Select a, Expr.Select b, Pairs pairs, Predicate<Pairs> then) {
    return withoutNot(a).map(plain -> match(plain, b, pairs, then)).orElse(false)
        || withoutNot(b).map(plain -> match(a, plain, pairs, then)).orElse(false);
  }

  private static Optional<Expr> withoutNot(Expr.Select select) {
    return select.condition() instanceof Expr.Unary(UnaryOp op, Expr condition) && op == UnaryOp.NOT
        ? Optional.of(new Expr.Select(condition, select.whenFalse(), select.whenTrue())) : Optional.empty();
  }

  private boolean reduced(Expr a, Expr b, boolean anyOrder, Pairs pairs, Predicate<Pairs> then) {
    if (!sorted(a.bound()).equals(sorted(b.bound()))) {
      return false;
    }
    Pairs inside = pairs.inside(a.bound(), b.bound(), steps);
    for (int i = 0; i < a.bound().size() && !anyOrder; i++) {
      Optional<Pairs> next = inside.with(a.bound().get(i), b.bound().get(i));
      if (next.isEmpty()) {
        return false;
      }
      inside = next.get();
    }
    return inOrder(a.children().toList(), b.children().toList(), inside, then);
  }

  private boolean binary(Expr.Binary a, Expr.Binary b, Pairs pairs, Predicate<Pairs> then) {
    if (isMirrored(a.op())) {
      return binary(mirrored(a), b, pairs, then);
    }
    if (isMirrored(b.op())) {
      return binary(a, mirrored(b), pairs, then);
    }
    BinaryOp op = joined(a.op());
    if (op != joined(b.op())) {
      return false;
    }
    if (!op.isCommutative()) {
      return match(a.left(), b.left(), pairs, more -> match(a.right(), b.right(), more, then));
    }
    boolean flat = !op.isComparison() && numerics.mayReorder(op, a.type());
    return anyOrder(operands(a, op, flat), operands(b, op, flat), pairs, then);
  }

  private static boolean isMirrored(BinaryOp op) {
    return op == BinaryOp.GT || op == BinaryOp.GE;
  }

  private static Expr.Binary mirrored(Expr.Binary binary) {
    return new Expr.Binary(binary.op() == BinaryOp.GT ? BinaryOp.LT : BinaryOp.LE, binary.right(), binary.left());
  }

  private static BinaryOp joined(BinaryOp op) {
    return op == BinaryOp.SUB ? BinaryOp.ADD : op;
  }

  /// One operand of a sum or of another operation whose operands may stand in any order.
  private record Operand(Expr expr, boolean isSubtracted) {}

  private static List<Operand> operands(Expr.Binary binary, BinaryOp op, boolean flat) {
    List<Operand> operands = new ArrayList<>();
    collect(binary.left(), op, flat, false, operands);
    collect(binary.right(), op, flat, binary.op() == BinaryOp.SUB, operands);
    return operands;
  }

  private static void collect(Expr expr, BinaryOp op, boolean flat, boolean subtracted, List<Operand> operands) {
    if (flat && expr instanceof Expr.Binary inner && joined(inner.op()) == op) {
      collect(inner.left(), op, true, subtracted, operands);
      collect(inner.right(), op, true, subtracted ^ inner.op() == BinaryOp.SUB, operands);
    } else if (op == BinaryOp.ADD && expr instanceof Expr.Unary(UnaryOp negation, Expr operand) && negation == UnaryOp.NEG) {
      collect(operand, op, flat, !subtracted, operands);
    } else {
      operands.add(new Operand(expr, subtracted));
    }
  }

  private boolean anyOrder(List<Operand> as, List<Operand> bs, Pairs pairs, Predicate<Pairs> then) {
    if (as.size() != bs.size()) {
      return false;
    }
    if (as.isEmpty()) {
      return then.test(pairs);
    }
    Operand first = as.getFirst();
    for (int i = 0; i < bs.size(); i++) {
      List<Operand> rest = new ArrayList<>(bs);
      Operand other = rest.remove(i);
      boolean matches = first.isSubtracted == other.isSubtracted
          && match(first.expr, other.expr, pairs, more -> anyOrder(as.subList(1, as.size()), rest, more, then));
      if (matches) {
        return true;
      }
    }
    return false;
  }

  /// Equal for Einsums that may be the same; nearly always another for those that are not.
  static Object signature(Einsum einsum) {
    int nodes = einsum.value().nodes().mapToInt(EinsumMatch::signature).sum();
    List<String> sizes = Stream.concat(einsum.ranks().stream(), einsum.value().nodes().flatMap(node -> node.bound().stream()))
        .map(Rank::size).map(Size::toString).sorted().toList();
    return List.of(einsum.tensor().type(), nodes, sizes);
  }

  private static int signature(Expr node) {
    return switch (node) {
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Extent _ -> node.hashCode();
      case Expr.Access access -> System.identityHashCode(access.tensor());
      case Expr.Unary unary -> unary.op() == UnaryOp.NOT || unary.op() == UnaryOp.NEG ? 0 : unary.op().ordinal() + 1000;
      case Expr.Binary binary -> (isMirrored(binary.op()) ? mirrored(binary).op() : joined(binary.op())).ordinal() + 2000;
      case Expr.Cast cast -> cast.type().ordinal() + 3000;
      case Expr.Bitcast bitcast -> bitcast.type().ordinal() + 5000;
      case Expr.Reduce reduce -> reduce.reduction().ordinal() + 4000;
      case Expr.Coordinate _, Expr.Select _, Expr.Fold _, Expr.Ref _ -> 1;
    };
  }
}
