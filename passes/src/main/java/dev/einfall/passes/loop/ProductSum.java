package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
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
  private static final int WHOLE_MASK = 255;

  /// A field of a byte: `byte >> distance & mask`.
  private record Field(int distance, int mask) {
    static final Field WHOLE = new Field(0, WHOLE_MASK);

    Expr of(Expr bytes) {
      int lanes = bytes.type().lanes();
      Expr shifted = distance == 0 ? bytes : new Expr.Binary(BinaryOp.SHR, bytes, new Expr.Broadcast(new Expr.IntLiteral(ElementType.U8, distance), lanes));
      return mask == WHOLE_MASK ? shifted : new Expr.Binary(BinaryOp.AND, shifted, new Expr.Broadcast(new Expr.IntLiteral(ElementType.U8, mask), lanes));
    }
  }

  /// @param element of one lane
  /// @param row its last index is a [Expr.Ramp]
  /// @param field what is multiplied of the row
  record Product(Expr.Load element, Expr.Load row, Field field) {

    static Optional<Product> of(Expr left, Expr right) {
      return ofRow(left, right).or(() -> ofRow(right, left));
    }

    private static Optional<Product> ofRow(Expr one, Expr other) {
      return other instanceof Expr.Binary ? field(other).flatMap(field -> of(one, word(other), field)) : of(one, other, Field.WHOLE);
    }

    private static Optional<Product> of(Expr one, Expr other, Field field) {
      return element(one).flatMap(element -> row(other).filter(row -> field == Field.WHOLE || row.buffer().type() == ElementType.U8)
          .map(row -> new Product(element, row, field)));
    }

    /// The field that `expr` is, if it is one; what it is one of, is [#word].
    private static Optional<Field> field(Expr expr) {
      return switch (expr) {
        case Expr.Binary(BinaryOp op, Expr shifted, Expr.Broadcast(Expr.IntLiteral(_, long mask), _)) when op == BinaryOp.AND && mask >= 0 && mask <= WHOLE_MASK ->
            distance(shifted).map(distance -> new Field(distance, (int) mask));
        case Expr.Binary _ -> distance(expr).filter(distance -> distance > 0).map(distance -> new Field(distance, WHOLE_MASK));
        default -> Optional.empty();
      };
    }

    private static Optional<Integer> distance(Expr expr) {
      return switch (expr) {
        case Expr.Binary(BinaryOp op, Expr.Cast _, Expr.Broadcast(Expr.IntLiteral(_, long distance), _)) when op == BinaryOp.SHR && distance >= 0 && distance < Byte.SIZE ->
            Optional.of((int) distance);
        case Expr.Cast _ -> Optional.of(0);
        default -> Optional.empty();
      };
    }

    private static Expr word(Expr field) {
      return field instanceof Expr.Binary binary ? word(binary.left()) : field;
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
      return field.equals(other.field) && isBehind(element, other.element, distance) && isBehind(row, other.row, distance);
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
      Expr whole = field.of(withLast(row, new Expr.Ramp(lanes.base(), 1, all)));
      boolean isInOrder = DotShape.isIn(element.buffer().type(), shape.left()) && DotShape.isIn(row.buffer().type(), shape.right());
      boolean isTurned = DotShape.isIn(row.buffer().type(), shape.left()) && DotShape.isIn(element.buffer().type(), shape.right());
      return isInOrder ? Optional.of(new Expr.Dot(sum, as(shape.left(), repeated), as(shape.right(), whole)))
          : isTurned ? Optional.of(new Expr.Dot(sum, as(shape.left(), whole), as(shape.right(), repeated))) : Optional.empty();
    }

    private static Expr as(ElementType type, Expr operand) {
      return operand.type().element() == type ? operand : new Expr.Cast(type, operand);
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
