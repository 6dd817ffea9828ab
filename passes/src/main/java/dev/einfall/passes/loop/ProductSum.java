package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.DotShape;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Repetition;
import dev.einfall.ir.loop.Stmt;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A statement that adds products to a vector register, each of an element in all lanes and of a vector, both from memory and converted to the type
/// of the sum.
///
/// @param register what is added to
record ProductSum(Stmt.Store store, Expr.Load register, List<Product> products) {

  /// @param element of one lane
  /// @param row its last index is a [Expr.Ramp]
  record Product(Expr.Load element, Expr.Load row) {

    static Optional<Product> of(Expr left, Expr right) {
      return of(element(left), row(right)).or(() -> of(element(right), row(left)));
    }

    private static Optional<Product> of(Optional<Expr.Load> element, Optional<Expr.Load> row) {
      return element.flatMap(one -> row.map(other -> new Product(one, other)));
    }

    private static Optional<Expr.Load> element(Expr factor) {
      return switch (factor) {
        case Expr.Broadcast(Expr.Cast(_, Expr.Load load), _) when isFromMemory(load) -> Optional.of(load);
        case Expr.Cast(_, Expr.Broadcast(Expr.Load load, _)) when isFromMemory(load) -> Optional.of(load);
        default -> Optional.empty();
      };
    }

    private static Optional<Expr.Load> row(Expr factor) {
      return factor instanceof Expr.Cast(_, Expr.Load load) && isFromMemory(load) && load.indices().getLast() instanceof Expr.Ramp
          && Expr.lanes(load.indices().subList(0, load.indices().size() - 1)) == 1 ? Optional.of(load) : Optional.empty();
    }

    private static boolean isFromMemory(Expr.Load load) {
      return load.buffer().space() != Buffer.Space.REGISTER && !load.indices().isEmpty();
    }

    /// Whether both factors lie `distance` elements behind those of `other`.
    boolean isBehind(Product other, int distance) {
      return isBehind(element, other.element, distance) && isBehind(row, other.row, distance);
    }

    private static boolean isBehind(Expr.Load load, Expr.Load other, int distance) {
      int last = load.indices().size() - 1;
      return load.buffer() == other.buffer() && load.indices().subList(0, last).equals(other.indices().subList(0, last))
          && isBehind(load.indices().get(last), other.indices().get(last), distance);
    }

    private static boolean isBehind(Expr index, Expr other, int distance) {
      if (index instanceof Expr.Ramp one && other instanceof Expr.Ramp two) {
        return one.stride() == two.stride() && one.lanes() == two.lanes() && isBehind(one.base(), two.base(), distance);
      }
      return !index.type().isVector() && !other.type().isVector()
          && IndexSum.of(index).equals(IndexSum.of(other).plus(new IndexSum(Map.of(), distance)));
    }

    /// The dot of `sum` and this and the products behind it; empty if it has not this shape.
    Optional<Expr> dot(Expr sum, DotShape shape) {
      Expr.Ramp lanes = (Expr.Ramp) row.indices().getLast();
      int all = shape.lanes() * shape.terms();
      if (lanes.stride() != shape.terms() || lanes.lanes() != shape.lanes()) {
        return Optional.empty();
      }
      Expr repeated = withLast(element, new Repetition(element.indices().getLast(), shape.terms()).index(all));
      Expr whole = withLast(row, new Expr.Ramp(lanes.base(), 1, all));
      boolean isInOrder = element.buffer().type() == shape.left() && row.buffer().type() == shape.right();
      boolean isTurned = row.buffer().type() == shape.left() && element.buffer().type() == shape.right();
      return isInOrder ? Optional.of(new Expr.Dot(sum, repeated, whole))
          : isTurned ? Optional.of(new Expr.Dot(sum, whole, repeated)) : Optional.empty();
    }

    private static Expr withLast(Expr.Load load, Expr last) {
      List<Expr> others = load.indices().subList(0, load.indices().size() - 1);
      return new Expr.Load(load.buffer(), Stream.concat(others.stream(), Stream.of(last)).toList());
    }
  }

  /// The sum that `statement` adds to, if it does.
  static Optional<ProductSum> of(Stmt statement) {
    if (!(statement instanceof Stmt.Store store) || store.buffer().space() != Buffer.Space.REGISTER || !store.value().type().isVector()) {
      return Optional.empty();
    }
    Expr.Load register = new Expr.Load(store.buffer(), store.indices());
    List<Product> products = new ArrayList<>();
    Expr rest = store.value();
    while (!rest.equals(register)) {
      Optional<Step> step = step(rest);
      if (step.isEmpty()) {
        return Optional.empty();
      }
      products.addFirst(step.get().product);
      rest = step.get().rest;
    }
    return products.isEmpty() ? Optional.empty() : Optional.of(new ProductSum(store, register, products));
  }

  /// A sum as a product and what it is added to.
  private record Step(Product product, Expr rest) {}

  private static Optional<Step> step(Expr sum) {
    return switch (sum) {
      case Expr.Fma(Expr a, Expr b, Expr c) -> Product.of(a, b).map(product -> new Step(product, c));
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.ADD ->
          product(right).map(product -> new Step(product, left)).or(() -> product(left).map(product -> new Step(product, right)));
      default -> Optional.empty();
    };
  }

  private static Optional<Product> product(Expr expr) {
    return expr instanceof Expr.Binary(BinaryOp op, Expr left, Expr right) && op == BinaryOp.MUL ? Product.of(left, right) : Optional.empty();
  }
}
