package dev.einfall.tests.random;

import static dev.einfall.ir.ElementType.BOOL;
import static dev.einfall.ir.ElementType.I32;
import static dev.einfall.ir.ElementType.U8;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import java.util.List;
import java.util.Optional;

/// Makes integers and truth values. They are the same in all precisions, whatever happens to them on the way.
final class Integers {
  private final Scope scope;
  private final Chance chance;
  private final Accesses accesses;
  private final Folds folds;

  Integers(Scope scope) {
    this.scope = scope;
    this.chance = scope.chance();
    this.accesses = new Accesses(scope);
    this.folds = new Folds(scope);
  }

  Expr integer(ElementType type, int depth) {
    return switch (chance.below(depth <= 0 ? 6 : 17)) {
      case 0 -> literal(type);
      case 1, 2 -> converted(coordinate(), type);
      case 3, 4 -> scope.pick(tensor -> tensor.type() == type).map(accesses::element).orElseGet(() -> other(type));
      case 5 -> other(type);
      case 6, 7, 8 -> arithmetic(type, depth);
      case 9 -> divided(type, depth);
      case 10 -> new Expr.Binary(chance.of(BinaryOp.SHL, BinaryOp.SHR), integer(type, depth - 1), integer(type, depth - 1));
      case 11 -> new Expr.Unary(
          chance.of(UnaryOp.POPCOUNT, UnaryOp.NEG, UnaryOp.ABS, UnaryOp.SIGN), integer(type, depth - 1));
      case 12 -> new Expr.Select(condition(depth - 1), integer(type, depth - 1), integer(type, depth - 1));
      case 13, 14 -> reduction(type, depth);
      case 15 -> converted(position(), type);
      default -> folds.integer(type, one -> integer(one, depth - 2)).orElseGet(() -> literal(type));
    };
  }

  private Expr literal(ElementType type) {
    int bits = chance.oneIn(4) ? 8 * type.bytes() : 3;
    long value = chance.number() >> 64 - bits;
    return new Expr.IntLiteral(type, type == U8 ? value & 0xFF : value);
  }

  private Expr coordinate() {
    return scope.ranks().isEmpty() ? new Expr.Extent(scope.anySize()) : new Expr.Coordinate(chance.any(scope.ranks()));
  }

  private static Expr converted(Expr value, ElementType type) {
    return value.type() == type ? value : new Expr.Cast(type, value);
  }

  /// A value of another type, converted: a wider integer wraps, a number is cut.
  private Expr other(ElementType type) {
    Optional<Tensor> tensor = scope.pick(found -> scope.draft().isExact(found));
    return tensor.map(found -> {
      Expr element = accesses.element(found);
      boolean scales = found.type().isFloat() && !chance.oneIn(3);
      return converted(scales ? new Expr.Binary(BinaryOp.MUL, element, Expr.literal(found.type(), 16)) : element, type);
    }).orElseGet(() -> converted(coordinate(), type));
  }

  private Expr arithmetic(ElementType type, int depth) {
    BinaryOp op = chance.of(BinaryOp.ADD, BinaryOp.ADD, BinaryOp.SUB, BinaryOp.MUL, BinaryOp.MIN, BinaryOp.MAX,
        BinaryOp.AND, BinaryOp.OR, BinaryOp.XOR);
    return new Expr.Binary(op, integer(type, depth - 1), integer(type, depth - 1));
  }

  /// By a number other than 0, or by something made so.
  private Expr divided(ElementType type, int depth) {
    int number = chance.below(7) + 1;
    Expr divisor = switch (chance.below(4)) {
      case 0 -> new Expr.Binary(BinaryOp.OR, integer(type, depth - 2), new Expr.IntLiteral(type, 1));
      case 1 -> new Expr.IntLiteral(type, type == U8 ? 200 + number : -number);
      default -> new Expr.IntLiteral(type, number);
    };
    return new Expr.Binary(chance.of(BinaryOp.DIV, BinaryOp.MOD), integer(type, depth - 1), divisor);
  }

  private Expr reduction(ElementType type, int depth) {
    List<Rank> ranks = scope.enter(2);
    if (ranks.isEmpty()) {
      return literal(type);
    }
    Reduction reduction = chance.of(Reduction.SUM, Reduction.SUM, Reduction.PROD, Reduction.MAX, Reduction.MIN);
    Expr body = filtered(integer(type, depth - 1), reduction, depth);
    scope.leave(ranks);
    return new Expr.Reduce(reduction, ranks, body);
  }

  /// Sometimes `where(condition, body, identity)`: a reduction over some points.
  Expr filtered(Expr body, Reduction reduction, int depth) {
    return chance.oneIn(4) ? new Expr.Select(condition(Math.min(1, depth - 1)), body, reduction.identity(body.type())) : body;
  }

  /// The position of an extreme value, sometimes among some of the points.
  private Expr position() {
    List<Rank> ranks = scope.enter(2);
    if (ranks.isEmpty()) {
      return coordinate();
    }
    Reduction reduction = chance.of(Reduction.ARGMAX, Reduction.ARGMIN);
    Expr body = scope.pick(tensor -> !tensor.type().isBool() && scope.draft().isExact(tensor))
        .map(accesses::element).orElseGet(() -> integer(I32, 1));
    Reduction compared = reduction == Reduction.ARGMAX ? Reduction.MAX : Reduction.MIN;
    Expr position = new Expr.Reduce(reduction, List.of(ranks.getLast()), filtered(body, compared, 1));
    scope.leave(ranks);
    return ranks.size() == 1 ? position : new Expr.Reduce(
        chance.of(Reduction.MAX, Reduction.MIN, Reduction.SUM), List.of(ranks.getFirst()), position);
  }

  Expr condition(int depth) {
    return switch (chance.below(depth <= 0 ? 4 : 8)) {
      case 0 -> comparison(coordinate(), integer(I32, depth - 1));
      case 1 -> {
        ElementType type = anyType();
        yield comparison(integer(type, depth - 1), integer(type, depth - 1));
      }
      case 2 -> scope.pick(tensor -> tensor.type() == BOOL).map(accesses::element).orElseGet(this::ofNumbers);
      case 3 -> ofNumbers();
      case 4 -> new Expr.Binary(
          chance.of(BinaryOp.AND, BinaryOp.OR, BinaryOp.XOR), condition(depth - 1), condition(depth - 1));
      case 5 -> new Expr.Unary(UnaryOp.NOT, condition(depth - 1));
      case 6 -> new Expr.Cast(BOOL, integer(anyType(), depth - 1));
      default -> quantified(depth);
    };
  }

  private ElementType anyType() {
    return scope.pick(tensor -> tensor.type().isInteger()).map(Tensor::type).orElse(I32);
  }

  private Expr ofNumbers() {
    return scope.pick(tensor -> tensor.type().isFloat() && scope.draft().isExact(tensor))
        .map(tensor -> comparison(accesses.element(tensor), Expr.literal(tensor.type(), (chance.below(17) - 8) / 8.0)))
        .orElseGet(() -> comparison(coordinate(), Expr.index(chance.below(5))));
  }

  private Expr quantified(int depth) {
    List<Rank> ranks = scope.enter(2);
    if (ranks.isEmpty()) {
      return new Expr.IntLiteral(BOOL, 1);
    }
    Expr body = condition(depth - 1);
    scope.leave(ranks);
    return new Expr.Reduce(chance.of(Reduction.ANY, Reduction.ALL), ranks, body);
  }

  Expr comparison(Expr left, Expr right) {
    BinaryOp op = chance.of(BinaryOp.EQ, BinaryOp.NE, BinaryOp.LT, BinaryOp.LE, BinaryOp.GT, BinaryOp.GE);
    return new Expr.Binary(op, left, right);
  }
}
