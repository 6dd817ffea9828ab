package dev.einfall.runtime.quantize;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// What the elements of a tensor are multiplied with, by their coordinates in some of its dimensions.
///
/// @param dimensions in order
/// @param values by rows over these dimensions; NaN for elements that nobody reads
record ColumnFactors(List<Integer> dimensions, double[] values) {

  /// What `access` has to give multiplied with `values` for each point of `ranks`: what its tensor has to be multiplied with, if that is the same wherever it reads
  /// an element. What is read outside of the tensor has to be 0.
  static Optional<ColumnFactors> of(Expr.Access access, List<Rank> ranks, double[] values) {
    List<Integer> dimensions = new ArrayList<>();
    for (int i = 0; i < access.indices().size(); i++) {
      if (access.indices().get(i).nodes().anyMatch(node -> node instanceof Expr.Coordinate(Rank rank) && ranks.contains(rank))) {
        dimensions.add(i);
      }
    }
    boolean isOpen = !dimensions.isEmpty() && access.outside().stream().allMatch(ColumnFactors::isZero)
        && dimensions.stream().allMatch(dimension -> access.tensor().shape().get(dimension).constant().isPresent());
    return isOpen ? at(access, ranks, values, dimensions) : Optional.empty();
  }

  private static Optional<ColumnFactors> at(Expr.Access access, List<Rank> ranks, double[] values, List<Integer> dimensions) {
    double[] found = new double[size(access.tensor(), dimensions)];
    Arrays.fill(found, Double.NaN);
    int[] point = new int[ranks.size()];
    for (double value : values) {
      OptionalLong place = place(access, ranks, point, dimensions);
      if (place.isEmpty()) {
        return Optional.empty();
      }
      if (place.getAsLong() >= 0 && !isMerged(found, (int) place.getAsLong(), value)) {
        return Optional.empty();
      }
      advance(point, ranks);
    }
    return Optional.of(new ColumnFactors(dimensions, found));
  }

  private static int size(Tensor tensor, List<Integer> dimensions) {
    return dimensions.stream().mapToInt(dimension -> tensor.shape().get(dimension).value()).reduce(1, Math::multiplyExact);
  }

  static void advance(int[] point, List<Rank> ranks) {
    for (int i = point.length - 1; i >= 0 && ++point[i] == ranks.get(i).size().value(); i--) {
      point[i] = 0;
    }
  }

  /// Where `access` reads among the elements of `dimensions`, -1 outside; empty where that depends on more than `ranks`.
  private static OptionalLong place(Expr.Access access, List<Rank> ranks, int[] point, List<Integer> dimensions) {
    long place = 0;
    boolean isInside = true;
    for (int dimension : dimensions) {
      OptionalLong index = number(access.indices().get(dimension), ranks, point);
      if (index.isEmpty()) {
        return index;
      }
      int size = access.tensor().shape().get(dimension).value();
      isInside &= index.getAsLong() >= 0 && index.getAsLong() < size;
      place = place * size + index.getAsLong();
    }
    return OptionalLong.of(isInside ? place : -1);
  }

  static OptionalLong number(Expr index, List<Rank> ranks, int[] point) {
    return switch (index) {
      case Expr.Coordinate(Rank rank) when ranks.contains(rank) -> OptionalLong.of(point[ranks.indexOf(rank)]);
      case Expr.IntLiteral literal -> OptionalLong.of(literal.value());
      case Expr.Extent(var size) when size.constant().isPresent() -> OptionalLong.of(size.value());
      case Expr.Cast(var type, Expr operand) when type.isInteger() && operand.type().isInteger() -> number(operand, ranks, point);
      case Expr.Binary(BinaryOp op, Expr left, Expr right) -> number(op, number(left, ranks, point), number(right, ranks, point));
      case Expr _ -> OptionalLong.empty();
    };
  }

  private static OptionalLong number(BinaryOp op, OptionalLong left, OptionalLong right) {
    if (left.isEmpty() || right.isEmpty() || right.getAsLong() == 0 && (op == BinaryOp.DIV || op == BinaryOp.MOD)) {
      return OptionalLong.empty();
    }
    long first = left.getAsLong();
    long second = right.getAsLong();
    return switch (op) {
      case ADD -> OptionalLong.of(first + second);
      case SUB -> OptionalLong.of(first - second);
      case MUL -> OptionalLong.of(first * second);
      case DIV -> OptionalLong.of(Math.floorDiv(first, second));
      case MOD -> OptionalLong.of(Math.floorMod(first, second));
      case MIN -> OptionalLong.of(Math.min(first, second));
      case MAX -> OptionalLong.of(Math.max(first, second));
      case POW, EQ, NE, LT, LE, GT, GE, AND, OR, XOR, SHL, SHR -> OptionalLong.empty();
    };
  }

  private static boolean isZero(Expr value) {
    return value instanceof Expr.FloatLiteral literal && literal.value() == 0;
  }

  /// Whether a reader may find `value` there beside what others find.
  private static boolean isMerged(double[] found, int place, double value) {
    boolean isFree = Double.isNaN(found[place]) || Double.isNaN(value) || found[place] == value;
    found[place] = Double.isNaN(found[place]) ? value : found[place];
    return isFree;
  }

  /// For readers of both, if these agree.
  Optional<ColumnFactors> and(ColumnFactors other) {
    if (!dimensions.equals(other.dimensions)) {
      return Optional.empty();
    }
    double[] merged = values.clone();
    boolean agree = true;
    for (int i = 0; i < merged.length; i++) {
      agree &= isMerged(merged, i, other.values[i]);
    }
    return agree ? Optional.of(new ColumnFactors(dimensions, merged)) : Optional.empty();
  }

  /// Multiplies the elements of a tensor of this shape.
  float[] times(float[] elements, List<Long> shape) {
    float[] product = new float[elements.length];
    for (int i = 0; i < elements.length; i++) {
      double factor = values[place(i, shape)];
      product[i] = Double.isNaN(factor) ? elements[i] : (float) (elements[i] * factor);
    }
    return product;
  }

  private int place(int element, List<Long> shape) {
    int rest = element;
    int place = 0;
    int stride = 1;
    for (int i = shape.size() - 1; i >= 0; i--) {
      int size = Math.toIntExact(shape.get(i));
      if (dimensions.contains(i)) {
        place += rest % size * stride;
        stride *= size;
      }
      rest /= size;
    }
    return place;
  }
}
