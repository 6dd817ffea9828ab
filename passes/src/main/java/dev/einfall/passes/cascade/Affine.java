package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.IdentityHashMap;
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
      case Expr.Coordinate(Rank rank) -> {
        Map<Rank, Long> one = new IdentityHashMap<>();
        one.put(rank, 1L);
        yield Optional.of(new Affine(one, 0));
      }
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

  private static Affine constant(long value) {
    return new Affine(new IdentityHashMap<>(), value);
  }

  private Affine times(long factor) {
    return constant(0).plus(this, factor);
  }

  private Affine plus(Affine other, long factor) {
    Map<Rank, Long> sum = new IdentityHashMap<>(coefficients);
    other.coefficients.forEach((rank, coefficient) -> sum.merge(rank, coefficient * factor, Long::sum));
    sum.values().removeIf(coefficient -> coefficient == 0);
    return new Affine(sum, constant + other.constant * factor);
  }

  /// How many elements apart the elements of an access at neighbouring coordinates of `rank` are, in row-major order;
  /// empty if that differs from place to place.
  public static Optional<Long> stride(Expr.Access access, Rank rank) {
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
