package dev.einfall.tests.random;

import static dev.einfall.ir.ElementType.I32;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Combiner;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/// Makes reductions by operations of the program's own, and values of their components.
final class Folds {
  private static final double LARGEST = 4;

  private final Scope scope;
  private final Chance chance;

  Folds(Scope scope) {
    this.scope = scope;
    this.chance = scope.chance();
  }

  /// @param value makes what is reduced
  Optional<Bounded> number(ElementType type, Supplier<Bounded> value) {
    List<Rank> ranks = scope.enter(2);
    if (ranks.isEmpty()) {
      return Optional.empty();
    }
    Bounded x = value.get().within(LARGEST);
    Bounded y = value.get().within(LARGEST);
    scope.leave(ranks);
    double points = scope.points(ranks);
    return Optional.of(switch (chance.below(6)) {
      case 0 -> new Bounded(fold(Combiners.logaddexp(type), ranks, 0, x.expr()), LARGEST + Math.log(points));
      case 1 -> top2(Combiners.top2(type), ranks, x);
      case 2 -> welford(Combiners.welford(type), ranks, x);
      case 3 -> new Bounded(fold(Combiners.decay(type), ranks, 0, x.expr()), 2 * x.bound());
      case 4 -> softmax(Combiners.softmax(type), ranks, x, points);
      default -> {
        Combiner each = Combiners.each(List.of(type, type), List.of(extreme(), Reduction.SUM));
        yield new Bounded(fold(each, ranks, 0, x.expr(), y.expr()), x.bound())
            .plus(new Bounded(fold(each, ranks, 1, x.expr(), y.expr()), y.bound() * points));
      }
    });
  }

  private Reduction extreme() {
    return chance.of(Reduction.MAX, Reduction.MIN);
  }

  private static Expr fold(Combiner combiner, List<Rank> ranks, int component, Expr... bodies) {
    return new Expr.Fold(combiner, ranks, List.of(bodies), component);
  }

  /// There may be no second.
  private Bounded top2(Combiner top2, List<Rank> ranks, Bounded x) {
    Expr none = Reduction.MAX.identity(x.expr().type());
    Bounded first = new Bounded(fold(top2, ranks, 0, x.expr(), none), x.bound());
    Bounded second = new Bounded(fold(top2, ranks, 1, x.expr(), none), Double.POSITIVE_INFINITY).clamped(LARGEST);
    return switch (chance.below(3)) {
      case 0 -> first;
      case 1 -> second;
      default -> first.binary(BinaryOp.SUB, second, first.bound() + second.bound());
    };
  }

  private Bounded welford(Combiner welford, List<Rank> ranks, Bounded x) {
    ElementType type = x.expr().type();
    Expr[] bodies = {Expr.literal(type, 1), x.expr(), Expr.literal(type, 0)};
    Bounded mean = new Bounded(fold(welford, ranks, 1, bodies), x.bound());
    Bounded count = new Bounded(fold(welford, ranks, 0, bodies), 1);
    Bounded variance = new Bounded(fold(welford, ranks, 2, bodies), 0).binary(BinaryOp.DIV, count, x.bound() * x.bound());
    return chance.of(mean, variance, mean.plus(variance));
  }

  private static Bounded softmax(Combiner softmax, List<Rank> ranks, Bounded x, double points) {
    Expr one = Expr.literal(x.expr().type(), 1);
    Bounded largest = new Bounded(fold(softmax, ranks, 0, x.expr(), one), x.bound());
    return new Bounded(fold(softmax, ranks, 1, x.expr(), one), 0).unary(UnaryOp.LOG, Math.log(points)).plus(largest);
  }

  /// @param value makes what is reduced, of the type given
  Optional<Expr> integer(ElementType type, Function<ElementType, Expr> value) {
    List<Rank> ranks = scope.enter(2);
    if (ranks.isEmpty()) {
      return Optional.empty();
    }
    Expr x = value.apply(type);
    Expr y = value.apply(type);
    scope.leave(ranks);
    int component = chance.below(2);
    return Optional.of(switch (chance.below(6)) {
      case 0, 1 -> fold(Combiners.hash(type), ranks, 0, x);
      case 2 -> fold(Combiners.linear(type), ranks, component, x, y);
      case 3 -> fold(Combiners.top2(type), ranks, component, x, Reduction.MAX.identity(type));
      case 4 -> {
        Expr position = fold(Combiners.best(type), ranks, 1, x, new Expr.Coordinate(chance.any(ranks)));
        yield type == I32 ? position : new Expr.Cast(type, position);
      }
      default -> fold(Combiners.each(List.of(type, type), List.of(extreme(), chance.of(Reduction.SUM, Reduction.PROD))),
          ranks, component, x, y);
    });
  }

  /// An operation that can combine what lands on one element, if it is one of these.
  Optional<Combiner> ofOne(ElementType type) {
    if (type.isBool()) {
      return Optional.empty();
    }
    Combiner each = Combiners.each(List.of(type), List.of(extreme()));
    if (type.isFloat()) {
      return Optional.of(chance.of(each, Combiners.logaddexp(type), Combiners.decay(type)));
    }
    return Optional.of(chance.of(each, Combiners.hash(type)));
  }
}
