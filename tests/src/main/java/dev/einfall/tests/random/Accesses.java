package dev.einfall.tests.random;

import static dev.einfall.ir.ElementType.I32;
import static dev.einfall.ir.ElementType.I64;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Makes elements of tensors: at coordinates, at affine indices, at places that other tensors say.
final class Accesses {
  private final Scope scope;
  private final Chance chance;

  Accesses(Scope scope) {
    this.scope = scope;
    this.chance = scope.chance();
  }

  /// An element of `tensor`. Where an index may leave the bounds, it has `or`, or `where` around it.
  Expr element(Tensor tensor) {
    List<Expr> indices = new ArrayList<>();
    List<Integer> leaving = new ArrayList<>();
    for (int i = 0; i < tensor.shape().size(); i++) {
      Optional<Expr> inside = chance.oneIn(10) ? Optional.empty() : inside(tensor.shape().get(i));
      if (inside.isEmpty()) {
        leaving.add(i);
      }
      indices.add(inside.orElseGet(this::affine));
    }
    Expr outside = outside(tensor.type());
    if (leaving.isEmpty() || !chance.oneIn(4)) {
      return new Expr.Access(tensor, indices, leaving.isEmpty() ? Optional.empty() : Optional.of(outside));
    }
    Expr condition = leaving.stream().map(i -> isInside(indices.get(i), tensor.shape().get(i)))
        .reduce((left, right) -> new Expr.Binary(BinaryOp.AND, left, right)).orElseThrow();
    return new Expr.Select(condition, new Expr.Access(tensor, indices), outside);
  }

  private Expr outside(ElementType type) {
    boolean mayBeNegative = type.isFloat() || type.isInteger() && type != ElementType.U8;
    return Expr.literal(type, mayBeNegative ? chance.below(3) - 1 : chance.below(2));
  }

  private static Expr isInside(Expr index, Size size) {
    return new Expr.Binary(BinaryOp.AND, new Expr.Binary(BinaryOp.GE, index, Expr.index(0)),
        new Expr.Binary(BinaryOp.LT, index, new Expr.Extent(size)));
  }

  /// An index that never leaves a dimension of this size, if one is found.
  Optional<Expr> inside(Size dimension) {
    List<Rank> same = scope.ranks().stream().filter(rank -> rank.size().equals(dimension)).toList();
    if (!same.isEmpty() && !chance.oneIn(6)) {
      return Optional.of(new Expr.Coordinate(chance.oneIn(3) ? chance.any(same) : same.getLast()));
    }
    return switch (chance.below(4)) {
      case 0, 1 -> shifted(dimension).or(() -> data(dimension));
      case 2 -> data(dimension).or(() -> shifted(dimension));
      default -> chance.oneIn(2) ? Optional.of(Expr.index(0))
          : Optional.of(new Expr.Binary(BinaryOp.SUB, new Expr.Extent(dimension), Expr.index(1)));
    };
  }

  /// `t`, `t + 1`, `N - 1 - t`: the coordinate of a rank that is no larger than the dimension by a known number.
  private Optional<Expr> shifted(Size dimension) {
    return chance.pick(scope.ranks().stream().filter(rank -> slack(dimension, rank) >= 0).toList()).map(rank -> {
      int by = chance.below(slack(dimension, rank) + 1);
      Expr coordinate = new Expr.Coordinate(rank);
      return chance.oneIn(3) ? new Expr.Binary(BinaryOp.SUB, before(dimension, by), coordinate) : offset(coordinate, by);
    });
  }

  private static Expr before(Size dimension, int by) {
    return new Expr.Binary(BinaryOp.SUB, new Expr.Extent(dimension), Expr.index(1 + by));
  }

  /// How much larger the dimension is than the rank, as far as that is a small number; below 0 otherwise.
  private static int slack(Size dimension, Rank rank) {
    Size difference = dimension.minus(rank.size());
    return difference.constant().filter(number -> number >= 0 && number < 8).map(Math::toIntExact).orElse(-1);
  }

  /// An element of a table of indices, or `X[i] % N` for integers of any value.
  Optional<Expr> data(Size dimension) {
    Optional<Expr> table = scope.pick(tensor ->
        isReadable(tensor) && scope.draft().limit(tensor).filter(dimension::equals).isPresent()).map(this::here);
    if (table.isPresent() && !chance.oneIn(4)) {
      return table;
    }
    return scope.pick(tensor -> (tensor.type() == I32 || tensor.type() == I64) && isReadable(tensor)).map(tensor -> {
      Expr extent = new Expr.Extent(dimension);
      return new Expr.Binary(BinaryOp.MOD, here(tensor), tensor.type() == I32 ? extent : new Expr.Cast(I64, extent));
    });
  }

  private boolean isReadable(Tensor table) {
    return table.shape().stream().allMatch(size -> scope.ranks().stream().anyMatch(rank -> rank.size().equals(size)));
  }

  /// The element at coordinates, which [#isReadable] has found.
  private Expr here(Tensor table) {
    return new Expr.Access(table, table.shape().stream().<Expr>map(size -> new Expr.Coordinate(
        chance.any(scope.ranks().stream().filter(rank -> rank.size().equals(size)).toList()))).toList());
  }

  private Expr affine() {
    if (scope.ranks().isEmpty()) {
      return Expr.index(0);
    }
    Expr coordinate = new Expr.Coordinate(chance.any(scope.ranks()));
    return switch (chance.below(4)) {
      case 0 -> offset(coordinate, chance.below(5) - 2);
      case 1 -> offset(new Expr.Binary(BinaryOp.MUL, Expr.index(2), coordinate), chance.below(3) - 1);
      case 2 -> new Expr.Binary(BinaryOp.ADD, coordinate, new Expr.Coordinate(chance.any(scope.ranks())));
      default -> new Expr.Binary(BinaryOp.SUB, Expr.index(chance.below(6)), coordinate);
    };
  }

  static Expr offset(Expr index, int by) {
    return by == 0 ? index
        : new Expr.Binary(by < 0 ? BinaryOp.SUB : BinaryOp.ADD, index, Expr.index(Math.abs(by)));
  }
}
