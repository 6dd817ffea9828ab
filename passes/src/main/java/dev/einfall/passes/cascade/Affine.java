package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// An index as `constant + sum of coefficient * coordinate`.
public record Affine(Map<Rank, Long> coefficients, long constant) {

  /// The coefficient of `rank`; 0 if the index does not depend on it.
  public long coefficient(Rank rank) {
    return coefficients.getOrDefault(rank, 0L);
  }

  /// `expr` as an affine index, if it is one.
  public static Optional<Affine> of(Expr expr) {
    return switch (expr) {
      case Expr.IntLiteral literal -> Optional.of(constant(literal.value()));
      case Expr.Extent extent -> extent.size().constant().map(Affine::constant);
      case Expr.Coordinate(Rank rank) -> Optional.of(coordinate(rank));
      case Expr.Cast cast when cast.type().isInteger() -> of(cast.operand());
      case Expr.Binary binary -> binary(binary);
      default -> Optional.empty();
    };
  }

  private static Optional<Affine> binary(Expr.Binary binary) {
    Optional<Affine> left = of(binary.left());
    Optional<Affine> right = of(binary.right());
    if (left.isEmpty() || right.isEmpty()) {
      return Optional.empty();
    }
    return switch (binary.op()) {
      case ADD -> Optional.of(left.get().plus(right.get(), 1));
      case SUB -> Optional.of(left.get().plus(right.get(), -1));
      case MUL -> left.get().coefficients.isEmpty() ? Optional.of(right.get().times(left.get().constant))
          : right.get().coefficients.isEmpty() ? Optional.of(left.get().times(right.get().constant))
          : Optional.empty();
      default -> Optional.empty();
    };
  }

  static Affine constant(long value) {
    return new Affine(new LinkedHashMap<>(), value);
  }

  private Affine times(long factor) {
    return constant(0).plus(this, factor);
  }

  Affine plus(Affine other, long factor) {
    Map<Rank, Long> sum = new LinkedHashMap<>(coefficients);
    other.coefficients.forEach((rank, coefficient) -> sum.merge(rank, coefficient * factor, Long::sum));
    sum.values().removeIf(coefficient -> coefficient == 0);
    return new Affine(sum, constant + other.constant * factor);
  }

  static Affine coordinate(Rank rank) {
    Map<Rank, Long> one = new LinkedHashMap<>();
    one.put(rank, 1L);
    return new Affine(one, 0);
  }

  Affine plusCoordinate(Rank rank, long factor) {
    return plus(coordinate(rank), factor);
  }

  /// This divided by a number other than 0, if that leaves no rest anywhere.
  Optional<Affine> dividedBy(long divisor) {
    boolean exact = constant % divisor == 0 && coefficients.values().stream().allMatch(coefficient -> coefficient % divisor == 0);
    Map<Rank, Long> quotient = new LinkedHashMap<>();
    coefficients.forEach((rank, coefficient) -> quotient.put(rank, coefficient / divisor));
    return exact ? Optional.of(new Affine(quotient, constant / divisor)) : Optional.empty();
  }

  /// Whether every value is 0 or more and less than `size`.
  boolean isWithin(long size) {
    long low = constant;
    long high = constant;
    for (Map.Entry<Rank, Long> term : coefficients.entrySet()) {
      long last = term.getValue() * Math.max(0, term.getKey().size().value() - 1);
      low += Math.min(0, last);
      high += Math.max(0, last);
    }
    return low >= 0 && high < size;
  }

  /// The index as an `i32` expression.
  Expr expr() {
    Expr sum = null;
    for (Rank rank : coefficients.keySet()) {
      long coefficient = coefficients.get(rank);
      Expr coordinate = new Expr.Coordinate(rank);
      Expr term = coefficient == 1 ? coordinate : new Expr.Binary(BinaryOp.MUL, coordinate, Expr.index(coefficient));
      sum = sum == null ? term : new Expr.Binary(BinaryOp.ADD, sum, term);
    }
    return sum == null ? Expr.index(constant) : constant == 0 ? sum
        : constant < 0 ? new Expr.Binary(BinaryOp.SUB, sum, Expr.index(-constant))
        : new Expr.Binary(BinaryOp.ADD, sum, Expr.index(constant));
  }

  /// How many elements apart the elements of an access at neighbouring coordinates of `rank` are, in row-major order;
  /// empty if that differs from place to place.
  public static Optional<Long> stride(Expr.Access given, Rank rank) {
    Expr.Access access = ReshapedAccess.joined(given);
    Tensor tensor = access.tensor();
    long stride = 0;
    long width = 1;
    List<Expr> indices = access.indices();
    for (int i = indices.size() - 1; i >= 0; i--) {
      if (Exprs.freeRanks(indices.get(i)).contains(rank)) {
        Optional<Affine> affine = of(indices.get(i));
        if (affine.isEmpty()) {
          return Optional.empty();
        }
        stride += affine.get().coefficient(rank) * width;
      }
      width *= tensor.shape().get(i).value();
    }
    return Optional.of(stride);
  }
}
