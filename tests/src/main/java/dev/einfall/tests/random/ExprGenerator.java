package dev.einfall.tests.random;

import static dev.einfall.ir.ElementType.BOOL;
import static dev.einfall.ir.ElementType.F32;
import static dev.einfall.ir.ElementType.I32;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Predicate;

/// Makes the value of one Einsum. What jumps, such as comparisons, `floor` and `argmax`, is applied only to values that are
/// the same in all precisions: integers and elements of inputs.
final class ExprGenerator {
  private static final long MOST_POINTS = 40_000;
  private static final int DEEPEST_REDUCTION = 2;

  private final SplittableRandom random;
  private final Sample known;
  private final List<Tensor> tensors;
  private final Map<Tensor, Double> bounds;
  private final List<Rank> scope;
  private long points = 1;
  private int reductions;
  private int names;

  /// @param known the sizes and limits of the program
  /// @param tensors what may be read
  /// @param bounds how far from 0 the elements of computed tensors can be; those of inputs stay within 1
  /// @param ranks the ranks of the tensor to define
  ExprGenerator(SplittableRandom random, Sample known, List<Tensor> tensors, Map<Tensor, Double> bounds, List<Rank> ranks) {
    this.random = random;
    this.known = known;
    this.tensors = tensors;
    this.bounds = bounds;
    this.scope = new ArrayList<>(ranks);
    ranks.forEach(rank -> points *= known.value(rank.size()));
  }

  // Numbers.

  Bounded number(int depth) {
    return (depth == 0 ? leaf() : switch (random.nextInt(14)) {
      case 0, 1 -> leaf();
      case 2, 3, 4, 5 -> binary(depth);
      case 6, 7, 8 -> unary(depth);
      case 9 -> select(depth);
      case 10, 11, 12 -> reduction(depth);
      default -> converted(integer(depth - 1));
    }).tamed();
  }

  private Bounded leaf() {
    if (random.nextInt(5) == 0) {
      return literal();
    }
    Tensor best = pick(tensor -> tensor.type() == F32).orElseThrow();
    for (int i = 0; i < 3; i++) {
      Tensor other = pick(tensor -> tensor.type() == F32).orElseThrow();
      best = fitting(other) > fitting(best) ? other : best;
    }
    return access(best);
  }

  /// How many dimensions more of a tensor a coordinate in scope fits than not; those computed here come first.
  private int fitting(Tensor tensor) {
    int fitting = bounds.containsKey(tensor) ? 1 : 0;
    for (Size size : tensor.shape()) {
      fitting += scope.stream().anyMatch(rank -> rank.size().equals(size)) ? 2 : -2;
    }
    return fitting;
  }

  private Bounded literal() {
    return Bounded.literal(F32, (random.nextInt(33) - 16) / 8.0);
  }

  /// Integers are small here, or scaled: `f32(m) * 0.125`.
  private static Bounded converted(Expr integer) {
    Expr limited = new Expr.Binary(BinaryOp.MIN, integer, Expr.index(64));
    Expr clamped = new Expr.Binary(BinaryOp.MAX, limited, Expr.index(-64));
    return new Bounded(new Expr.Cast(F32, clamped), 64).within(2);
  }

  private Bounded binary(int depth) {
    Bounded a = number(depth - 1);
    Bounded b = number(depth - 1);
    return switch (random.nextInt(7)) {
      case 0, 1 -> a.binary(BinaryOp.ADD, b, a.bound() + b.bound());
      case 2 -> a.binary(BinaryOp.SUB, b, a.bound() + b.bound());
      case 3, 4 -> a.binary(BinaryOp.MUL, b, a.bound() * b.bound());
      case 5 -> a.binary(random.nextBoolean() ? BinaryOp.MIN : BinaryOp.MAX, b, Math.max(a.bound(), b.bound()));
      default -> a.binary(BinaryOp.DIV, b.magnitude().plus(1), a.bound());
    };
  }

  private Bounded unary(int depth) {
    Bounded x = number(depth - 1);
    return switch (random.nextInt(11)) {
      case 0 -> x.unary(UnaryOp.TANH, 1);
      case 1 -> x.unary(UnaryOp.ERF, 1);
      case 2 -> x.unary(UnaryOp.SIN, 1);
      case 3 -> x.unary(UnaryOp.COS, 1);
      case 4 -> x.magnitude();
      case 5 -> x.unary(UnaryOp.NEG, x.bound());
      case 6, 7 -> x.within(2).unary(UnaryOp.EXP, 8);
      case 8 -> x.magnitude().plus(0.5).unary(UnaryOp.SQRT, Math.sqrt(x.bound() + 0.5));
      case 9 -> x.magnitude().plus(0.5).unary(UnaryOp.RSQRT, 1.5);
      default -> x.magnitude().plus(1).unary(UnaryOp.LOG, Math.log(x.bound() + 1));
    };
  }

  private Bounded select(int depth) {
    Expr condition = condition(depth - 1);
    Bounded a = number(depth - 1);
    Bounded b = number(depth - 1);
    return new Bounded(new Expr.Select(condition, a.expr(), b.expr()), Math.max(a.bound(), b.bound()));
  }

  private Bounded reduction(int depth) {
    List<Rank> ranks = newRanks();
    if (ranks.isEmpty()) {
      return leaf();
    }
    scope.addAll(ranks);
    Bounded body = number(depth - 1);
    leave(ranks);
    long terms = ranks.stream().mapToLong(rank -> known.value(rank.size())).reduce(1, (a, b) -> a * b);
    int choice = random.nextInt(5);
    Reduction reduction = choice < 3 ? Reduction.SUM : choice == 3 ? Reduction.MAX : Reduction.MIN;
    double bound = reduction == Reduction.SUM ? body.bound() * terms : body.bound();
    return new Bounded(new Expr.Reduce(reduction, ranks, body.expr()), bound);
  }

  /// Ranks for a reduction, or none if there are enough points or reductions already.
  private List<Rank> newRanks() {
    List<Rank> ranks = new ArrayList<>();
    int count = random.nextInt(4) == 0 ? 2 : 1;
    for (int i = 0; i < count && reductions < DEEPEST_REDUCTION; i++) {
      Size size = pick(tensor -> !tensor.shape().isEmpty()).map(tensor -> any(tensor.shape())).orElseThrow();
      if (points * known.value(size) <= MOST_POINTS) {
        points *= known.value(size);
        ranks.add(new Rank("r" + names++, size));
      }
    }
    reductions += ranks.isEmpty() ? 0 : 1;
    return ranks;
  }

  private void leave(List<Rank> ranks) {
    scope.removeAll(ranks);
    reductions--;
    ranks.forEach(rank -> points /= known.value(rank.size()));
  }

  private Bounded access(Tensor tensor) {
    return new Bounded(element(tensor), bounds.getOrDefault(tensor, 1.0) + 2);
  }

  // Accesses.

  private Expr element(Tensor tensor) {
    List<Expr> indices = new ArrayList<>();
    boolean mayLeave = false;
    for (Size dimension : tensor.shape()) {
      Optional<Expr> inside = insideIndex(dimension);
      mayLeave |= inside.isEmpty();
      indices.add(inside.orElseGet(this::affineIndex));
    }
    Optional<Expr> outside = mayLeave ? Optional.of(outside(tensor)) : Optional.empty();
    return new Expr.Access(tensor, indices, outside);
  }

  private Expr outside(Tensor tensor) {
    return Expr.literal(tensor.type(), tensor.type().isFloat() ? random.nextInt(3) - 1 : random.nextInt(2));
  }

  /// A coordinate or an element of an index tensor that never leaves a dimension of this size.
  private Optional<Expr> insideIndex(Size dimension) {
    List<Rank> fitting = scope.stream().filter(rank -> rank.size().equals(dimension)).toList();
    if (!fitting.isEmpty() && random.nextInt(8) != 0) {
      return Optional.of(new Expr.Coordinate(random.nextInt(3) == 0 ? any(fitting) : fitting.getLast()));
    }
    Optional<Tensor> table = pick(tensor -> dimension.equals(known.limits().get(tensor)) && isReadable(tensor));
    return random.nextBoolean() ? table.map(this::gathered) : Optional.empty();
  }

  private boolean isReadable(Tensor table) {
    return table.shape().stream().allMatch(size -> scope.stream().anyMatch(rank -> rank.size().equals(size)));
  }

  private Expr gathered(Tensor table) {
    return new Expr.Access(table, table.shape().stream().<Expr>map(size ->
        new Expr.Coordinate(any(scope.stream().filter(rank -> rank.size().equals(size)).toList()))).toList());
  }

  private Expr affineIndex() {
    if (scope.isEmpty()) {
      return Expr.index(0);
    }
    Expr coordinate = new Expr.Coordinate(any(scope));
    return switch (random.nextInt(4)) {
      case 0 -> offset(coordinate, random.nextInt(5) - 2);
      case 1 -> offset(new Expr.Binary(BinaryOp.MUL, Expr.index(2), coordinate), random.nextInt(3) - 1);
      case 2 -> new Expr.Binary(BinaryOp.ADD, coordinate, new Expr.Coordinate(any(scope)));
      default -> new Expr.Binary(BinaryOp.SUB, Expr.index(random.nextInt(6)), coordinate);
    };
  }

  private static Expr offset(Expr index, int by) {
    return by == 0 ? index
        : new Expr.Binary(by < 0 ? BinaryOp.SUB : BinaryOp.ADD, index, Expr.index(Math.abs(by)));
  }

  // Integers and truth values.

  Expr integer(int depth) {
    Optional<Tensor> table = pick(tensor -> tensor.type() == I32);
    return switch (random.nextInt(depth <= 0 ? 4 : 9)) {
      case 0 -> Expr.index(random.nextInt(9) - 4);
      case 1, 2 -> scope.isEmpty() ? Expr.index(2) : new Expr.Coordinate(any(scope));
      case 3 -> table.map(this::element).orElseGet(() -> new Expr.Extent(anySize()));
      case 4 -> new Expr.Binary(BinaryOp.ADD, integer(depth - 1), integer(depth - 1));
      case 5 -> new Expr.Binary(BinaryOp.SUB, integer(depth - 1), integer(depth - 1));
      case 6 -> new Expr.Binary(
          random.nextBoolean() ? BinaryOp.DIV : BinaryOp.MOD, integer(depth - 1), Expr.index(random.nextInt(4) + 1));
      case 7 -> new Expr.Select(condition(depth - 1), integer(depth - 1), integer(depth - 1));
      default -> position();
    };
  }

  private Expr position() {
    List<Rank> ranks = newRanks();
    if (ranks.isEmpty()) {
      return Expr.index(1);
    }
    scope.addAll(ranks);
    Tensor input = inputs().getFirst();
    Expr body = element(input);
    leave(ranks);
    Rank last = ranks.getLast();
    Expr position = new Expr.Reduce(random.nextBoolean() ? Reduction.ARGMAX : Reduction.ARGMIN, List.of(last), body);
    return ranks.size() == 1 ? position : new Expr.Reduce(Reduction.MAX, List.of(ranks.getFirst()), position);
  }

  private List<Tensor> inputs() {
    return known.cascade().inputs().stream().filter(tensor -> tensor.type() == F32).toList();
  }

  Expr condition(int depth) {
    return switch (random.nextInt(depth <= 0 ? 3 : 6)) {
      case 0, 1 -> comparison(integer(depth - 1), integer(depth - 1));
      case 2 -> pick(tensor -> tensor.type() == BOOL).map(this::element)
          .orElseGet(() -> comparison(element(any(inputs())), literal().expr()));
      case 3 -> new Expr.Binary(random.nextBoolean() ? BinaryOp.AND : BinaryOp.OR, condition(depth - 1), condition(depth - 1));
      case 4 -> new Expr.Unary(UnaryOp.NOT, condition(depth - 1));
      default -> quantified(depth);
    };
  }

  private Expr quantified(int depth) {
    List<Rank> ranks = newRanks();
    if (ranks.isEmpty()) {
      return new Expr.IntLiteral(BOOL, 1);
    }
    scope.addAll(ranks);
    Expr body = condition(depth - 1);
    leave(ranks);
    return new Expr.Reduce(random.nextBoolean() ? Reduction.ANY : Reduction.ALL, ranks, body);
  }

  private Expr comparison(Expr left, Expr right) {
    BinaryOp[] comparisons = {BinaryOp.EQ, BinaryOp.NE, BinaryOp.LT, BinaryOp.LE, BinaryOp.GT, BinaryOp.GE};
    return new Expr.Binary(comparisons[random.nextInt(comparisons.length)], left, right);
  }

  /// The value of an Einsum that defines a tensor of `type`.
  Bounded value(ElementType type, int depth) {
    return switch (type) {
      case F32 -> number(depth);
      case I32 -> new Bounded(integer(depth), 0);
      case BOOL -> new Bounded(condition(depth), 0);
      default -> throw new IllegalArgumentException("values of type " + type);
    };
  }

  // Choices.

  private Optional<Tensor> pick(Predicate<Tensor> suitable) {
    List<Tensor> found = tensors.stream().filter(suitable).toList();
    return found.isEmpty() ? Optional.empty() : Optional.of(any(found));
  }

  private Size anySize() {
    return pick(tensor -> !tensor.shape().isEmpty()).map(tensor -> any(tensor.shape())).orElseThrow();
  }

  private <T> T any(List<T> choices) {
    return choices.get(random.nextInt(choices.size()));
  }
}
