package dev.einfall.ir.loop;

import static dev.einfall.ir.ElementType.BOOL;
import static dev.einfall.ir.ElementType.I32;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/// A pure expression of the loop level; its value has one or more lanes.
///
/// Operands of one operation have the same lanes. Operands are evaluated in any order; both branches of a [Select]
/// are evaluated, so an access in either must be in bounds (the `Verifier` proves it).
public sealed interface Expr {

  record FloatLiteral(ElementType element, double value) implements Expr {
    public FloatLiteral {
      require(element.isFloat(), () -> "float literal of type " + element);
    }

    /// Equal bits, so that NaN equals itself and `0.0` differs from `-0.0`.
    @Override
    public boolean equals(Object other) {
      return other instanceof FloatLiteral that && element == that.element
          && Double.doubleToLongBits(value) == Double.doubleToLongBits(that.value);
    }

    @Override
    public int hashCode() {
      return 31 * element.ordinal() + Double.hashCode(value);
    }
  }

  /// An integer, or a `bool` as 0 or 1.
  record IntLiteral(ElementType element, long value) implements Expr {
    public IntLiteral {
      require(!element.isFloat(), () -> "int literal of type " + element);
    }
  }

  /// The value of a variable in scope.
  record Ref(Var var) implements Expr {}

  /// The element of `buffer` at `indices`, all `i32`. If indices have lanes, one element a lane; scalar indices beside
  /// vector ones count for every lane.
  record Load(Buffer buffer, List<Expr> indices) implements Expr {
    public Load {
      indices = List.copyOf(indices);
      requireIndices(buffer, indices);
    }
  }

  record Unary(UnaryOp op, Expr operand) implements Expr {
    public Unary {
      require(op.accepts(operand.type().element()), () -> op + " of " + operand.type());
    }
  }

  record Binary(BinaryOp op, Expr left, Expr right) implements Expr {
    public Binary {
      require(left.type().equals(right.type()), () -> op + " of " + left.type() + " and " + right.type());
      require(op.accepts(left.type().element()), () -> op + " of " + left.type());
    }
  }

  /// `a * b + c` rounded once.
  record Fma(Expr a, Expr b, Expr c) implements Expr {
    public Fma {
      require(a.type().equals(b.type()) && b.type().equals(c.type()) && a.type().element().isFloat(),
          () -> "fma of " + a.type() + ", " + b.type() + ", " + c.type());
    }
  }

  record Select(Expr condition, Expr whenTrue, Expr whenFalse) implements Expr {
    public Select {
      require(condition.type().element() == BOOL && condition.type().lanes() == whenTrue.type().lanes()
          && whenTrue.type().equals(whenFalse.type()),
          () -> "select of " + condition.type() + ", " + whenTrue.type() + ", " + whenFalse.type());
    }
  }

  /// The operand converted: floats round to nearest; floats become integers toward zero, saturating, NaN as 0;
  /// integers wrap; `bool` is 0 or 1, and a number is true unless it is 0.
  record Cast(ElementType element, Expr operand) implements Expr {}

  /// The operand's bits as another type of the same size.
  record Bitcast(ElementType element, Expr operand) implements Expr {
    public Bitcast {
      require(element.bytes() == operand.type().element().bytes(), () -> "bitcast of " + operand.type() + " to " + element);
    }
  }

  /// The `lanes` integers `base, base + stride, base + 2 * stride, ...`.
  record Ramp(Expr base, int stride, int lanes) implements Expr {
    public Ramp {
      require(base.type().equals(ValueType.scalar(I32)) && lanes > 1, () -> "ramp of " + lanes + " lanes over " + base.type());
    }
  }

  /// A scalar in every lane.
  record Broadcast(Expr operand, int lanes) implements Expr {
    public Broadcast {
      require(!operand.type().isVector() && lanes > 1, () -> "broadcast of " + operand.type() + " to " + lanes + " lanes");
    }
  }

  /// The lanes of `operand` combined by a commutative `op`, in any order.
  record ReduceLanes(BinaryOp op, Expr operand) implements Expr {
    public ReduceLanes {
      require(operand.type().isVector(), () -> "lane reduction of " + operand.type());
    }
  }

  /// The lanes of the lower half of `left` and of that of `right` in turn; of the upper halves, if it is `upper`.
  record Zip(Expr left, Expr right, boolean upper) implements Expr {
    public Zip {
      require(left.type().equals(right.type()) && left.type().lanes() % 2 == 0 && left.type().element() != BOOL,
          () -> "zip of " + left.type() + " and " + right.type());
    }
  }

  /// Lanes of a table: lane `i` of the result is lane `indices[i]` of `tables`, which are vectors one after the other. The indices are as many as a
  /// vector of these has lanes, and within the table (the `Verifier` proves it).
  record Permute(Expr indices, List<Expr> tables) implements Expr {
    public Permute {
      tables = List.copyOf(tables);
      require(!tables.isEmpty(), () -> "permute of no table");
      ValueType table = tables.getFirst().type();
      require(table.isVector() && table.element() != BOOL && indices.type().equals(table.with(I32))
          && tables.stream().allMatch(other -> other.type().equals(table)), () -> "permute of " + table + " by " + indices.type());
    }

    /// How many lanes the table has.
    public int length() {
      return tables.size() * type().lanes();
    }
  }

  /// Bytes of a table: all operands are `i32`, of as many lanes, a power of two, and taken as four bytes a lane, of which the lowest comes first. In place of each byte
  /// of `words` stands the byte of `tables`, one, two or four vectors one after the other, whose number its lowest bits are, as many as it takes to number them all.
  ///
  /// ```
  /// permute_bytes([0x01000302, 0x04040705], [0x33221100, 0x77665544]) = [0x11003322, 0x44447755]
  /// ```
  record PermuteBytes(Expr words, List<Expr> tables) implements Expr {
    /// A byte numbers no more bytes than this.
    private static final int MOST_BYTES = 256;

    public PermuteBytes {
      tables = List.copyOf(tables);
      ValueType type = words.type();
      int count = tables.size();
      boolean isTable = Integer.bitCount(count) == 1 && count <= 4 && tables.stream().allMatch(table -> table.type().equals(type));
      require(type.isVector() && type.element() == I32 && Integer.bitCount(type.lanes()) == 1 && isTable,
          () -> "permute_bytes of " + count + " vectors by " + type);
      require(count == 1 || count * Integer.BYTES * type.lanes() <= MOST_BYTES, () -> "permute_bytes of more than " + MOST_BYTES + " bytes");
    }

    /// How many bytes the table has.
    public int length() {
      return tables.size() * Integer.BYTES * type().lanes();
    }
  }

  /// Sums of numbers of 16 bits, of which each lane of the operands, `i32`, holds two: what goes beyond 16 bits is lost.
  ///
  /// ```
  /// add_halves([0x0001ffff, 0x80000001], [0x00010001, 0x80000001]) = [0x00020000, 0x00000002]
  /// ```
  record AddHalves(Expr left, Expr right) implements Expr {
    public AddHalves {
      require(left.type().isVector() && left.type().element() == I32 && right.type().equals(left.type()),
          () -> "add_halves of " + left.type() + " and " + right.type());
    }
  }

  /// To each lane of `sum` are added the products of as many neighbouring lanes of `left` and `right` as these have for each: lane `i` is
  /// `sum[i] + left[i * n] * right[i * n] + ... + left[i * n + n - 1] * right[i * n + n - 1]`, computed in the type of `sum`. Integers wrap
  /// around. Floats are added in any order, and a sum may be rounded, or a number that is subnormal taken for 0, at any step of that.
  record Dot(Expr sum, Expr left, Expr right) implements Expr {
    public Dot {
      ValueType sums = sum.type();
      require(left.type().lanes() == right.type().lanes() && left.type().lanes() % sums.lanes() == 0,
          () -> "dot of " + sums + ", " + left.type() + ", " + right.type());
      shape(sum, left, right);
    }

    /// What an instruction that computes it is for.
    public DotShape shape() {
      return shape(sum, left, right);
    }

    private static DotShape shape(Expr sum, Expr left, Expr right) {
      return new DotShape(sum.type().element(), left.type().element(), right.type().element(), sum.type().lanes(),
          left.type().lanes() / sum.type().lanes());
    }
  }

  /// The product of two tiles added to a third: to the sum of a row and a column are added the products of that row of `left` and that column of
  /// `right`, as [TileShape] lays them out over the lanes. It is computed in the type of `sum`: integers wrap around; floats are added in any order,
  /// and a sum may be rounded, or a number that is subnormal taken for 0, at any step of that.
  ///
  /// ```
  /// tile_product(c, a, b, 2, 1) = [c0 + a0 * b0 + a1 * b3, c1 + a0 * b1 + a1 * b4, c2 + a0 * b2 + a1 * b5,
  ///                                c3 + a2 * b0 + a3 * b3, c4 + a2 * b1 + a3 * b4, c5 + a2 * b2 + a3 * b5]
  /// ```
  record TileProduct(Expr sum, Expr left, Expr right, TileShape shape) implements Expr {
    public TileProduct {
      require(sum.type().equals(shape.sums()) && left.type().equals(shape.lefts()) && right.type().equals(shape.rights()),
          () -> shape + " of " + sum.type() + ", " + left.type() + ", " + right.type());
    }

    /// The product of tiles of so many `rows`, of which the right one has `packed` steps side by side.
    public static TileProduct of(Expr sum, Expr left, Expr right, int rows, int packed) {
      int sums = sum.type().lanes();
      require(rows > 0 && sums % rows == 0 && left.type().lanes() % rows == 0, () -> rows + " rows of " + sum.type() + " and " + left.type());
      return new TileProduct(sum, left, right, new TileShape(sum.type().element(), left.type().element(), right.type().element(), rows, sums / rows,
          left.type().lanes() / rows, packed));
    }
  }

  default ValueType type() {
    return switch (this) {
      case FloatLiteral literal -> ValueType.scalar(literal.element);
      case IntLiteral literal -> ValueType.scalar(literal.element);
      case Ref ref -> ref.var.type();
      case Load load -> new ValueType(load.buffer.type(), lanes(load.indices));
      case Unary unary -> unary.operand.type();
      case Binary binary -> {
        ValueType operands = binary.left.type();
        yield operands.with(binary.op.result(operands.element()));
      }
      case Fma fma -> fma.a.type();
      case Select select -> select.whenTrue.type();
      case Cast cast -> cast.operand.type().with(cast.element);
      case Bitcast bitcast -> bitcast.operand.type().with(bitcast.element);
      case Ramp ramp -> new ValueType(I32, ramp.lanes);
      case Broadcast broadcast -> new ValueType(broadcast.operand.type().element(), broadcast.lanes);
      case ReduceLanes reduce -> ValueType.scalar(reduce.operand.type().element());
      case Zip zip -> zip.left.type();
      case Permute permute -> permute.tables.getFirst().type();
      case PermuteBytes permute -> permute.words.type();
      case AddHalves add -> add.left.type();
      case Dot dot -> dot.sum.type();
      case TileProduct product -> product.shape.sums();
    };
  }

  default List<Expr> operands() {
    return switch (this) {
      case FloatLiteral _, IntLiteral _, Ref _ -> List.of();
      case Load load -> load.indices;
      case Unary unary -> List.of(unary.operand);
      case Binary binary -> List.of(binary.left, binary.right);
      case Fma fma -> List.of(fma.a, fma.b, fma.c);
      case Select select -> List.of(select.condition, select.whenTrue, select.whenFalse);
      case Cast cast -> List.of(cast.operand);
      case Bitcast bitcast -> List.of(bitcast.operand);
      case Ramp ramp -> List.of(ramp.base);
      case Broadcast broadcast -> List.of(broadcast.operand);
      case ReduceLanes reduce -> List.of(reduce.operand);
      case Zip zip -> List.of(zip.left, zip.right);
      case Permute permute -> Stream.concat(Stream.of(permute.indices), permute.tables.stream()).toList();
      case PermuteBytes permute -> Stream.concat(Stream.of(permute.words), permute.tables.stream()).toList();
      case AddHalves add -> List.of(add.left, add.right);
      case Dot dot -> List.of(dot.sum, dot.left, dot.right);
      case TileProduct product -> List.of(product.sum, product.left, product.right);
    };
  }

  /// The operands, in order.
  default Stream<Expr> children() {
    return operands().stream();
  }

  /// This node with each operand replaced by what `change` makes of it; the same object if no operand changes.
  default Expr mapChildren(UnaryOperator<Expr> change) {
    List<Expr> old = operands();
    List<Expr> operands = new ArrayList<>(old.size());
    for (Expr operand : old) {
      operands.add(change.apply(operand));
    }
    return same(old, operands) ? this : switch (this) {
      case FloatLiteral _, IntLiteral _, Ref _ -> this;
      case Load load -> new Load(load.buffer, operands);
      case Unary unary -> new Unary(unary.op, operands.get(0));
      case Binary binary -> new Binary(binary.op, operands.get(0), operands.get(1));
      case Fma _ -> new Fma(operands.get(0), operands.get(1), operands.get(2));
      case Select _ -> new Select(operands.get(0), operands.get(1), operands.get(2));
      case Cast cast -> new Cast(cast.element, operands.get(0));
      case Bitcast bitcast -> new Bitcast(bitcast.element, operands.get(0));
      case Ramp ramp -> new Ramp(operands.get(0), ramp.stride, ramp.lanes);
      case Broadcast broadcast -> new Broadcast(operands.get(0), broadcast.lanes);
      case ReduceLanes reduce -> new ReduceLanes(reduce.op, operands.get(0));
      case Zip zip -> new Zip(operands.get(0), operands.get(1), zip.upper);
      case Permute _ -> new Permute(operands.getFirst(), operands.subList(1, operands.size()));
      case PermuteBytes _ -> new PermuteBytes(operands.getFirst(), operands.subList(1, operands.size()));
      case AddHalves _ -> new AddHalves(operands.get(0), operands.get(1));
      case Dot _ -> new Dot(operands.get(0), operands.get(1), operands.get(2));
      case TileProduct product -> new TileProduct(operands.get(0), operands.get(1), operands.get(2), product.shape);
    };
  }

  /// This node and all below it, each before its operands.
  default Stream<Expr> nodes() {
    List<Expr> found = new ArrayList<>();
    collect(this, found);
    return found.stream();
  }

  /// Passes ask for nodes all the time: a list is many times as fast as streams of streams.
  private static void collect(Expr expr, List<Expr> found) {
    found.add(expr);
    for (Expr operand : expr.operands()) {
      collect(operand, found);
    }
  }

  /// The `i32` number `value`.
  static Expr index(long value) {
    return new IntLiteral(I32, value);
  }

  /// The literal `value` of `element`.
  static Expr literal(ElementType element, double value) {
    return element.isFloat() ? new FloatLiteral(element, value) : new IntLiteral(element, (long) value);
  }

  /// The lanes of an access with these indices: those of the widest.
  static int lanes(List<Expr> indices) {
    return indices.stream().mapToInt(index -> index.type().lanes()).max().orElse(1);
  }

  /// Checks the number, types and lanes of the indices of an access.
  ///
  /// @throws IllegalArgumentException when they do not fit the buffer
  static void requireIndices(Buffer buffer, List<Expr> indices) {
    require(indices.size() == buffer.extents().size(), () -> "access to " + buffer + " with " + indices.size() + " indices");
    int lanes = lanes(indices);
    for (Expr index : indices) {
      require(index.type().element() == I32, () -> "index of type " + index.type());
      require(index.type().lanes() == 1 || index.type().lanes() == lanes, () -> "indices of different lanes");
    }
  }

  private static boolean same(List<Expr> left, List<Expr> right) {
    for (int i = 0; i < left.size(); i++) {
      if (left.get(i) != right.get(i)) {
        return false;
      }
    }
    return true;
  }

  private static void require(boolean holds, Supplier<String> message) {
    if (!holds) {
      throw new IllegalArgumentException(message.get());
    }
  }
}
