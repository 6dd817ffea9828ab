package dev.einfall.passes.reduce;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.passes.algebra.Atom;
import dev.einfall.passes.algebra.Monomial;
import dev.einfall.passes.algebra.Polynomial;
import dev.einfall.passes.algebra.Rational;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Bounds of whole numbers over a tile of the reduced rank and `rows` coordinates of the last common rank, as expressions that are
/// the same for all of the tile.
record TileBounds(Chain chain, Steps steps, int rows) {

  /// The least value of `value` over the tile, or something less.
  Optional<Polynomial> least(Polynomial value) {
    Polynomial sum = Polynomial.ZERO;
    for (Map.Entry<Monomial, Rational> term : value.terms().entrySet()) {
      Optional<Expr> bound = bound(term.getKey(), term.getValue().signum() < 0);
      boolean constant = term.getKey().isOne();
      if (!constant && bound.isEmpty()) {
        return Optional.empty();
      }
      Polynomial part = constant ? Polynomial.ONE : Polynomial.of(new Atom.Leaf(bound.get()));
      sum = sum.plus(part.times(term.getValue()));
    }
    return Optional.of(sum);
  }

  private Optional<Expr> bound(Monomial monomial, boolean most) {
    boolean single = monomial.powers().size() == 1 && monomial.exponent().isZero() && monomial.powers().values().iterator().next().isOne();
    return single && monomial.atoms().findFirst().orElseThrow() instanceof Atom.Leaf(Expr expr) ? bound(expr, most) : Optional.empty();
  }

  /// The least or greatest value of `expr` over the tile.
  private Optional<Expr> bound(Expr expr, boolean most) {
    return switch (expr) {
      case Expr.Coordinate(Rank rank) when rank == chain.rank() -> Optional.of(most
          ? plus(steps.firstElement(), steps.shape().lanes() - 1) : steps.firstElement());
      case Expr.Coordinate(Rank rank) when isRow(rank) -> {
        Expr first = new Expr.Binary(BinaryOp.MUL, new Expr.Binary(BinaryOp.DIV, expr, Expr.index(rows)), Expr.index(rows));
        yield Optional.of(most ? plus(first, rows - 1) : first);
      }
      case Expr.Binary(BinaryOp op, Expr left, Expr.IntLiteral right) when op == BinaryOp.DIV && right.value() > 0 ->
          bound(left, most).map(inner -> new Expr.Binary(op, inner, right));
      case Expr.Cast(ElementType type, Expr inner) when type.isInteger() && inner.type().isInteger() ->
          bound(inner, most).map(value -> new Expr.Cast(type, value));
      case Expr _ -> isSame(expr) ? Optional.of(expr) : Optional.empty();
    };
  }

  private static Expr plus(Expr left, long right) {
    return right == 0 ? left : new Expr.Binary(BinaryOp.ADD, left, Expr.index(right));
  }

  private boolean isRow(Rank rank) {
    return rows > 1 && Guards.rowRank(chain).filter(row -> row == rank).isPresent();
  }

  /// Whether `expr` has one value for all of the tile.
  private boolean isSame(Expr expr) {
    Set<Rank> free = Exprs.freeRanks(expr);
    return !free.contains(chain.rank()) && free.stream().noneMatch(this::isRow)
        && chain.common().containsAll(free);
  }

  /// `expr`, an element of a tensor, if it is the same one for the whole tile: indices by blocks that tiles fill.
  Optional<Expr> uniform(Expr expr) {
    if (!(expr instanceof Expr.Access access) || access.outside().isPresent()) {
      return Optional.empty();
    }
    List<Expr> indices = new ArrayList<>();
    for (Expr index : access.indices()) {
      Optional<Expr> block = isSame(index) ? Optional.of(index) : block(index);
      if (block.isEmpty()) {
        return Optional.empty();
      }
      indices.add(block.get());
    }
    return Optional.of(new Expr.Access(access.tensor(), indices));
  }

  /// The number of the block, if blocks begin where tiles begin.
  private Optional<Expr> block(Expr index) {
    if (!(index instanceof Expr.Binary(BinaryOp op, Expr.Coordinate(Rank rank), Expr.IntLiteral size)) || op != BinaryOp.DIV) {
      return Optional.empty();
    }
    long tile = rank == chain.rank() ? steps.shape().lanes() : isRow(rank) ? rows : 0;
    return tile > 0 && size.value() % tile == 0 ? bound(index, false) : Optional.empty();
  }
}
