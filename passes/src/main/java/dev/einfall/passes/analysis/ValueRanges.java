package dev.einfall.passes.analysis;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.Interval;
import java.util.IdentityHashMap;
import java.util.Map;

/// What the values of expressions of a cascade are in. Of a float it is the whole numbers around it, so that a cast of what `min` and `max` leave of
/// it is known; NaN is in every range, and a cast makes 0 of it.
public final class ValueRanges {
  private static final Interval BITS = new Interval(0, 64);

  private final Map<Tensor, Interval> tensors = new IdentityHashMap<>();

  /// Learns what the elements of a tensor are in.
  void define(Einsum einsum) {
    tensors.put(einsum.tensor(), of(einsum.value()));
  }

  /// How many points `reduce` goes over at most.
  static long points(Expr.Reduce reduce) {
    return reduce.ranks().stream().mapToLong(rank -> rank.size().value()).reduce(1, Math::multiplyExact);
  }

  /// What every sum of some of the values that `reduce` adds is in.
  Interval parts(Expr.Reduce reduce) {
    Interval body = of(reduce.body());
    return new Interval(Math.min(body.low(), 0), Math.max(body.high(), 0)).times(points(reduce));
  }

  /// What the value of `expr` is in, whatever tensors hold of which nothing has been learnt.
  public Interval of(Expr expr) {
    return fitted(switch (expr) {
      case Expr.FloatLiteral literal -> around(literal.value());
      case Expr.IntLiteral literal -> Interval.of(literal.value());
      case Expr.Coordinate coordinate -> Interval.below(coordinate.rank().size().value());
      case Expr.Extent extent -> Interval.of(extent.size().value());
      case Expr.Access access -> access.outside().map(this::of).map(tensor(access.tensor())::union).orElse(tensor(access.tensor()));
      case Expr.Unary unary -> unary(unary);
      case Expr.Binary binary -> binary(binary, of(binary.left()), of(binary.right()));
      case Expr.Select select -> of(select.whenTrue()).union(of(select.whenFalse()));
      case Expr.Cast cast -> cast(cast);
      case Expr.Reduce reduce -> reduce(reduce);
      case Expr.Bitcast _, Expr.Fold _, Expr.Ref _ -> Interval.ALL;
    }, expr.type());
  }

  /// A value that leaves its type comes around, and may be anything.
  private static Interval fitted(Interval range, ElementType type) {
    return type.isFloat() || Interval.of(type).contains(range) ? range : Interval.of(type);
  }

  private static Interval around(double value) {
    return Double.isNaN(value) ? Interval.ALL : new Interval((long) Math.floor(value), (long) Math.ceil(value));
  }

  private Interval tensor(Tensor tensor) {
    return tensors.getOrDefault(tensor, tensor.type().isFloat() ? Interval.ALL : Interval.of(tensor.type()));
  }

  private Interval unary(Expr.Unary unary) {
    Interval operand = of(unary.operand());
    return switch (unary.op()) {
      case NEG -> operand.negate();
      case ABS -> operand.low() >= 0 ? operand : new Interval(0, Math.max(operand.negate().high(), operand.high()));
      case SIGN, TANH, ERF, SIN, COS -> new Interval(-1, 1);
      case FLOOR, CEIL, ROUND -> operand;
      case POPCOUNT -> BITS;
      case NOT, EXP, LOG, SQRT, RSQRT -> Interval.ALL;
    };
  }

  private static Interval binary(Expr.Binary binary, Interval left, Interval right) {
    boolean isWhole = binary.left().type().isInteger();
    return switch (binary.op()) {
      case ADD -> left.plus(right);
      case SUB -> left.plus(right.negate());
      case MUL -> left.times(right);
      case DIV -> isWhole ? left.floorDivide(right) : Interval.ALL;
      case MOD -> isWhole ? left.floorRemainder(right) : Interval.ALL;
      case MIN -> left.minimum(right);
      case MAX -> left.maximum(right);
      case EQ, NE, LT, LE, GT, GE -> new Interval(0, 1);
      case AND -> left.low() >= 0 || right.low() >= 0 ? new Interval(0, common(left, right)) : Interval.ALL;
      case OR, XOR -> left.low() >= 0 && right.low() >= 0 ? new Interval(0, ones(Math.max(left.high(), right.high()))) : Interval.ALL;
      case SHL -> BITS.contains(right) && right.high() < 63
          ? left.times(1L << right.low()).union(left.times(1L << right.high())) : Interval.ALL;
      case SHR -> BITS.contains(right) && right.high() < 63
          ? left.floorDivide(Interval.of(1L << right.low())).union(left.floorDivide(Interval.of(1L << right.high()))) : left;
      case POW -> Interval.ALL;
    };
  }

  /// The bits that a number from 0 up has in common with another are no more than those of either that is not negative.
  private static long common(Interval left, Interval right) {
    return Math.min(left.low() >= 0 ? left.high() : Long.MAX_VALUE, right.low() >= 0 ? right.high() : Long.MAX_VALUE);
  }

  /// The largest number of as many bits as `most` has.
  private static long ones(long most) {
    return most == 0 ? 0 : -1L >>> Long.numberOfLeadingZeros(most);
  }

  private Interval cast(Expr.Cast cast) {
    if (cast.type().isBool()) {
      return Interval.of(ElementType.BOOL);
    }
    Interval operand = of(cast.operand());
    if (cast.type().isFloat() || !cast.operand().type().isFloat()) {
      return operand;
    }
    // Floats that are too large become the largest, and NaN becomes 0.
    Interval type = Interval.of(cast.type());
    Interval cut = operand.meets(type) ? operand.intersect(type) : type;
    return cut.union(Interval.of(0));
  }

  private Interval reduce(Expr.Reduce reduce) {
    boolean isWhole = reduce.type().isInteger();
    return switch (reduce.reduction()) {
      case SUM -> isWhole ? parts(reduce) : Interval.ALL;
      // Over no points they are the ends of the type.
      case MAX, MIN -> points(reduce) > 0 && reduce.ranks().stream().allMatch(rank -> rank.size().value() > 0) ? of(reduce.body()) : Interval.ALL;
      case ARGMAX, ARGMIN -> Interval.below(points(reduce));
      case PROD, ANY, ALL -> Interval.ALL;
    };
  }
}
