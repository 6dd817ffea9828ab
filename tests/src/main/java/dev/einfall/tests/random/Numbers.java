package dev.einfall.tests.random;

import static dev.einfall.ir.ElementType.F32;
import static dev.einfall.ir.ElementType.F64;
import static dev.einfall.ir.ElementType.I32;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import java.util.List;

/// Makes floating-point values. What jumps, such as comparisons, `floor` and `argmax`, is applied only to values that are
/// the same in all precisions: integers, and the tensors that the draft calls exact.
final class Numbers {
  /// Sums of exact numbers stay exact up to this: elements of inputs are multiples of 2^-11.
  private static final double LARGEST_EXACT = 4096;

  private final Scope scope;
  private final Chance chance;
  private final Accesses accesses;
  private final Integers integers;
  private final Folds folds;

  Numbers(Scope scope) {
    this.scope = scope;
    this.chance = scope.chance();
    this.accesses = new Accesses(scope);
    this.integers = new Integers(scope);
    this.folds = new Folds(scope);
  }

  /// A value of any floating-point type. Half-precision types hold results, and few operations are done in them.
  Bounded number(ElementType type, int depth) {
    if (type == F32 || type == F64) {
      return wide(type, depth);
    }
    if (chance.oneIn(2)) {
      return wide(F32, depth).converted(type);
    }
    Bounded a = leaf(type);
    Bounded b = leaf(type);
    return a.binary(chance.of(BinaryOp.MAX, BinaryOp.MIN, BinaryOp.ADD), b, a.bound() + b.bound()).tamed();
  }

  private Bounded wide(ElementType type, int depth) {
    return (depth <= 0 ? leaf(type) : switch (chance.below(16)) {
      case 0, 1 -> leaf(type);
      case 2, 3, 4, 5 -> binary(type, depth);
      case 6, 7, 8 -> unary(type, depth);
      case 9 -> select(type, depth);
      case 10, 11, 12 -> reduction(type, depth);
      case 13 -> folds.number(type, () -> wide(type, depth - 2)).orElseGet(() -> leaf(type));
      case 14 -> wide(type == F32 ? F64 : F32, depth - 1).converted(type);
      default -> ofInteger(integers.integer(I32, depth - 1), type);
    }).tamed();
  }

  private Bounded leaf(ElementType type) {
    if (chance.oneIn(5)) {
      return literal(type);
    }
    Tensor best = anyNumber(type);
    for (int i = 0; i < 3; i++) {
      Tensor other = anyNumber(type);
      best = fitting(other) > fitting(best) ? other : best;
    }
    return new Bounded(accesses.element(best), scope.draft().bound(best) + 2).converted(type);
  }

  private Tensor anyNumber(ElementType type) {
    boolean same = !chance.oneIn(6);
    return scope.pick(tensor -> same ? tensor.type() == type : tensor.type().isFloat())
        .or(() -> scope.pick(tensor -> tensor.type().isFloat())).orElseThrow();
  }

  /// How many dimensions more of a tensor a coordinate in scope fits than not; those computed here come first.
  private int fitting(Tensor tensor) {
    int fitting = scope.draft().isDefined(tensor) ? 1 : 0;
    for (Size size : tensor.shape()) {
      fitting += scope.ranks().stream().anyMatch(rank -> rank.size().equals(size)) ? 2 : -2;
    }
    return fitting;
  }

  private Bounded literal(ElementType type) {
    return Bounded.literal(type, (chance.below(33) - 16) / 8.0);
  }

  /// Integers are small here, or scaled: `f32(m) * 0.125`.
  private static Bounded ofInteger(Expr integer, ElementType type) {
    Expr limited = new Expr.Binary(BinaryOp.MIN, integer, Expr.index(64));
    Expr clamped = new Expr.Binary(BinaryOp.MAX, limited, Expr.index(-64));
    return new Bounded(new Expr.Cast(type, clamped), 64).within(2);
  }

  private Bounded binary(ElementType type, int depth) {
    Bounded a = wide(type, depth - 1);
    Bounded b = wide(type, depth - 1);
    return switch (chance.below(7)) {
      case 0, 1 -> a.plus(b);
      case 2 -> a.binary(BinaryOp.SUB, b, a.bound() + b.bound());
      case 3, 4 -> a.binary(BinaryOp.MUL, b, a.bound() * b.bound());
      case 5 -> a.binary(chance.of(BinaryOp.MIN, BinaryOp.MAX), b, Math.max(a.bound(), b.bound()));
      default -> a.binary(BinaryOp.DIV, b.magnitude().plus(1), a.bound());
    };
  }

  private Bounded unary(ElementType type, int depth) {
    Bounded x = wide(type, depth - 1);
    return switch (chance.below(12)) {
      case 0 -> x.unary(UnaryOp.TANH, 1);
      case 1 -> x.unary(UnaryOp.ERF, 1);
      case 2 -> x.unary(UnaryOp.SIN, 1);
      case 3 -> x.unary(UnaryOp.COS, 1);
      case 4 -> x.magnitude();
      case 5 -> x.unary(UnaryOp.NEG, x.bound());
      case 6, 7 -> x.within(2).unary(UnaryOp.EXP, 8);
      case 8 -> x.magnitude().plus(0.5).unary(UnaryOp.SQRT, Math.sqrt(x.bound() + 0.5));
      case 9 -> x.magnitude().plus(0.5).unary(UnaryOp.RSQRT, 1.5);
      case 10 -> rounded(type);
      default -> x.magnitude().plus(1).unary(UnaryOp.LOG, Math.log(x.bound() + 1));
    };
  }

  private Bounded rounded(ElementType type) {
    Bounded x = exact(type, 1);
    return x.unary(chance.of(UnaryOp.FLOOR, UnaryOp.CEIL, UnaryOp.ROUND, UnaryOp.SIGN), x.bound() + 1);
  }

  private Bounded select(ElementType type, int depth) {
    Expr condition = integers.condition(depth - 1);
    Bounded a = wide(type, depth - 1);
    Bounded b = wide(type, depth - 1);
    return new Bounded(new Expr.Select(condition, a.expr(), b.expr()), Math.max(a.bound(), b.bound()));
  }

  private Bounded reduction(ElementType type, int depth) {
    List<Rank> ranks = scope.enter(2);
    if (ranks.isEmpty()) {
      return leaf(type);
    }
    Reduction reduction = chance.of(Reduction.SUM, Reduction.SUM, Reduction.SUM, Reduction.MAX, Reduction.MIN, Reduction.PROD);
    Bounded body = wide(type, depth - 1).within(reduction == Reduction.PROD ? 1 : 8);
    Expr filtered = integers.filtered(body.expr(), reduction, depth);
    scope.leave(ranks);
    Expr reduced = new Expr.Reduce(reduction, ranks, filtered);
    return switch (reduction) {
      case SUM -> new Bounded(reduced, body.bound() * scope.points(ranks));
      case PROD -> new Bounded(reduced, 1);
      default -> filtered == body.expr() ? new Bounded(reduced, body.bound())
          : new Bounded(reduced, Double.POSITIVE_INFINITY).clamped(body.bound());
    };
  }

  /// A value that is the same in all precisions, of `f32` or `f64`.
  Bounded exact(ElementType type, int depth) {
    return switch (chance.below(depth <= 0 ? 3 : 8)) {
      case 0 -> literal(type);
      case 1, 2 -> scope.pick(tensor -> tensor.type().isFloat() && scope.draft().isExact(tensor))
          .map(tensor -> new Bounded(accesses.element(tensor), Math.max(1, scope.draft().bound(tensor))).converted(type))
          .orElseGet(() -> literal(type));
      case 3, 4 -> {
        Bounded a = exact(type, depth - 1);
        Bounded b = exact(type, depth - 1);
        yield a.binary(chance.of(BinaryOp.ADD, BinaryOp.SUB, BinaryOp.MIN, BinaryOp.MAX), b, a.bound() + b.bound())
            .clamped(LARGEST_EXACT);
      }
      case 5 -> {
        Bounded x = exact(type, depth - 1);
        yield x.unary(chance.of(UnaryOp.NEG, UnaryOp.ABS), x.bound());
      }
      case 6 -> {
        Bounded a = exact(type, depth - 1);
        Bounded b = exact(type, depth - 1);
        yield new Bounded(
            new Expr.Select(integers.condition(depth - 1), a.expr(), b.expr()), Math.max(a.bound(), b.bound()));
      }
      default -> exactReduction(type, depth);
    };
  }

  private Bounded exactReduction(ElementType type, int depth) {
    List<Rank> ranks = scope.enter(1);
    if (ranks.isEmpty()) {
      return literal(type);
    }
    Bounded body = exact(type, depth - 1).clamped(64);
    scope.leave(ranks);
    Reduction reduction = chance.of(Reduction.MAX, Reduction.MIN, Reduction.SUM);
    double bound = reduction == Reduction.SUM ? body.bound() * scope.points(ranks) : body.bound();
    return new Bounded(new Expr.Reduce(reduction, ranks, body.expr()), bound).clamped(LARGEST_EXACT);
  }
}
