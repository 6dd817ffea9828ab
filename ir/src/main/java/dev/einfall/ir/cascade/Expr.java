package dev.einfall.ir.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.UnaryOp;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/// A pure scalar expression of the cascade level: the value of one point of an iteration space.
///
/// Operands are evaluated in any order, and a sub-expression whose value is not needed may be evaluated or not.
/// Both operands of a [Binary] have one type; there are no implicit conversions. Index expressions are `i32` or `i64`.
public sealed interface Expr {

  /// A floating-point number, rounded to `type` where it is used.
  record FloatLiteral(ElementType type, double value) implements Expr {
    public FloatLiteral {
      require(type.isFloat(), () -> "float literal of type " + type);
    }

    /// Equal bits, so that NaN equals itself and `0.0` differs from `-0.0`.
    @Override
    public boolean equals(Object other) {
      return other instanceof FloatLiteral that && type == that.type
          && Double.doubleToLongBits(value) == Double.doubleToLongBits(that.value);
    }

    @Override
    public int hashCode() {
      return 31 * type.ordinal() + Double.hashCode(value);
    }
  }

  /// An integer, or a `bool` as 0 or 1.
  record IntLiteral(ElementType type, long value) implements Expr {
    public IntLiteral {
      require(!type.isFloat(), () -> "int literal of type " + type);
    }
  }

  /// The coordinate of `rank` at this point, as an `i32`.
  record Coordinate(Rank rank) implements Expr {}

  /// A size as an `i32` value.
  record Extent(Size size) implements Expr {}

  /// An element of `tensor`. An index outside the bounds gives `outside`; without one it is an error, of the
  /// compilation if it can be seen there and of the run otherwise (data-dependent indices).
  record Access(Tensor tensor, List<Expr> indices, Optional<Expr> outside) implements Expr {
    public Access {
      indices = List.copyOf(indices);
      requireIndices(tensor, indices);
      outside.ifPresent(value -> require(value.type() == tensor.type(), () -> "`or` value of type " + value.type()));
    }

    public Access(Tensor tensor, List<Expr> indices) {
      this(tensor, indices, Optional.empty());
    }
  }

  record Unary(UnaryOp op, Expr operand) implements Expr {
    public Unary {
      require(op.accepts(operand.type()), () -> op + " of " + operand.type());
    }
  }

  record Binary(BinaryOp op, Expr left, Expr right) implements Expr {
    public Binary {
      require(left.type() == right.type(), () -> op + " of " + left.type() + " and " + right.type());
      require(op.accepts(left.type()), () -> op + " of " + left.type());
    }
  }

  /// `whenTrue` where `condition` holds, else `whenFalse`. An access out of bounds in the branch that is not taken
  /// is no error.
  record Select(Expr condition, Expr whenTrue, Expr whenFalse) implements Expr {
    public Select {
      require(condition.type().isBool(), () -> "condition of type " + condition.type());
      require(whenTrue.type() == whenFalse.type(), () -> "branches of " + whenTrue.type() + " and " + whenFalse.type());
    }
  }

  /// The operand converted: floats round to nearest; floats become integers toward zero, saturating, NaN as 0;
  /// integers wrap; `bool` is 0 or 1, and a number is true unless it is 0.
  record Cast(ElementType type, Expr operand) implements Expr {}

  /// The operand's bits as another type of the same size.
  record Bitcast(ElementType type, Expr operand) implements Expr {
    public Bitcast {
      require(type.bytes() == operand.type().bytes(), () -> "bitcast of " + operand.type() + " to " + type);
      require(!type.isBool() && !operand.type().isBool(), () -> "bitcast of " + operand.type() + " to " + type);
    }
  }

  /// The values of `body` over all points of `ranks`, combined. Only these ranks are bound here. Equal reductions, of
  /// the same ranks, may stand in several places of one value: they are one.
  record Reduce(Reduction reduction, List<Rank> ranks, Expr body) implements Expr {
    public Reduce {
      ranks = List.copyOf(ranks);
      require(!ranks.isEmpty(), () -> "reduction over no rank");
      require(reduction.accepts(body.type()), () -> reduction.text() + " of " + body.type());
      require(!reduction.isPosition() || ranks.size() == 1, () -> reduction.text() + " over several ranks");
    }
  }

  /// The component `component` of the tuples of `bodies` over all points of `ranks`, combined in row-major order by a
  /// reduction that the program defines. Folds that differ in the component alone are one computation.
  record Fold(Combiner combiner, List<Rank> ranks, List<Expr> bodies, int component) implements Expr {
    public Fold {
      ranks = List.copyOf(ranks);
      bodies = List.copyOf(bodies);
      require(!ranks.isEmpty(), () -> "reduction over no rank");
      require(combiner.types().equals(bodies.stream().map(Expr::type).toList()), () -> combiner.name() + " of other types");
      require(component >= 0 && component < bodies.size(), () -> "component " + component + " of " + combiner.name());
    }

    public Fold withComponent(int newComponent) {
      return new Fold(combiner, ranks, bodies, newComponent);
    }
  }

  /// The reduction that this node is, whichever component of its result it takes: equal for folds that differ in that alone.
  default Expr computation() {
    return this instanceof Fold fold && fold.component != 0 ? fold.withComponent(0) : this;
  }

  /// An operand, inside a [Combiner].
  record Ref(Var var) implements Expr {}

  /// The type of the value.
  default ElementType type() {
    return switch (this) {
      case FloatLiteral literal -> literal.type;
      case IntLiteral literal -> literal.type;
      case Coordinate _, Extent _ -> ElementType.I32;
      case Access access -> access.tensor.type();
      case Unary unary -> unary.operand.type();
      case Binary binary -> binary.op.result(binary.left.type());
      case Select select -> select.whenTrue.type();
      case Cast cast -> cast.type;
      case Bitcast bitcast -> bitcast.type;
      case Reduce reduce -> reduce.reduction.isPosition() ? ElementType.I32 : reduce.body.type();
      case Fold fold -> fold.combiner.types().get(fold.component);
      case Ref ref -> ref.var.type();
    };
  }

  /// The operands, in order.
  default List<Expr> operands() {
    return switch (this) {
      case FloatLiteral _, IntLiteral _, Coordinate _, Extent _, Ref _ -> List.of();
      case Access access -> access.outside.map(outside -> {
        List<Expr> operands = new ArrayList<>(access.indices);
        operands.add(outside);
        return operands;
      }).orElse(access.indices);
      case Unary unary -> List.of(unary.operand);
      case Binary binary -> List.of(binary.left, binary.right);
      case Select select -> List.of(select.condition, select.whenTrue, select.whenFalse);
      case Cast cast -> List.of(cast.operand);
      case Bitcast bitcast -> List.of(bitcast.operand);
      case Reduce reduce -> List.of(reduce.body);
      case Fold fold -> fold.bodies;
    };
  }

  /// The operands, in order.
  default Stream<Expr> children() {
    return operands().stream();
  }

  /// The ranks that this node binds in its operands.
  default List<Rank> bound() {
    return switch (this) {
      case Reduce reduce -> reduce.ranks;
      case Fold fold -> fold.ranks;
      case FloatLiteral _, IntLiteral _, Coordinate _, Extent _, Ref _, Access _, Unary _, Binary _, Select _, Cast _, Bitcast _ -> List.of();
    };
  }

  /// This node with each operand replaced by what `change` makes of it; the same object if no operand changes.
  default Expr mapChildren(UnaryOperator<Expr> change) {
    return switch (this) {
      case FloatLiteral _, IntLiteral _, Coordinate _, Extent _, Ref _ -> this;
      case Access access -> {
        List<Expr> indices = changed(access.indices, change);
        Optional<Expr> outside = access.outside.map(change);
        yield same(indices, access.indices) && outside.orElse(null) == access.outside.orElse(null)
            ? this : new Access(access.tensor, indices, outside);
      }
      case Unary unary -> {
        Expr operand = change.apply(unary.operand);
        yield operand == unary.operand ? this : new Unary(unary.op, operand);
      }
      case Binary binary -> {
        Expr left = change.apply(binary.left);
        Expr right = change.apply(binary.right);
        yield left == binary.left && right == binary.right ? this : new Binary(binary.op, left, right);
      }
      case Select select -> {
        Expr condition = change.apply(select.condition);
        Expr whenTrue = change.apply(select.whenTrue);
        Expr whenFalse = change.apply(select.whenFalse);
        yield condition == select.condition && whenTrue == select.whenTrue && whenFalse == select.whenFalse
            ? this : new Select(condition, whenTrue, whenFalse);
      }
      case Cast cast -> {
        Expr operand = change.apply(cast.operand);
        yield operand == cast.operand ? this : new Cast(cast.type, operand);
      }
      case Bitcast bitcast -> {
        Expr operand = change.apply(bitcast.operand);
        yield operand == bitcast.operand ? this : new Bitcast(bitcast.type, operand);
      }
      case Reduce reduce -> {
        Expr body = change.apply(reduce.body);
        yield body == reduce.body ? this : new Reduce(reduce.reduction, reduce.ranks, body);
      }
      case Fold fold -> {
        List<Expr> bodies = changed(fold.bodies, change);
        yield same(bodies, fold.bodies) ? this : new Fold(fold.combiner, fold.ranks, bodies, fold.component);
      }
    };
  }

  private static List<Expr> changed(List<Expr> exprs, UnaryOperator<Expr> change) {
    List<Expr> changed = new ArrayList<>(exprs.size());
    for (Expr expr : exprs) {
      changed.add(change.apply(expr));
    }
    return changed;
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

  /// The literal `value` of `type`.
  static Expr literal(ElementType type, double value) {
    return type.isFloat() ? new FloatLiteral(type, value) : new IntLiteral(type, (long) value);
  }

  /// The integer `value` as an index.
  static Expr index(long value) {
    return new IntLiteral(ElementType.I32, value);
  }

  /// Whether both lists have the same objects.
  static boolean same(List<Expr> left, List<Expr> right) {
    for (int i = 0; i < left.size(); i++) {
      if (left.get(i) != right.get(i)) {
        return false;
      }
    }
    return true;
  }

  private static void requireIndices(Tensor tensor, List<Expr> indices) {
    require(indices.size() == tensor.shape().size(), () -> "access to " + tensor + " with " + indices.size() + " indices");
    for (Expr index : indices) {
      require(index.type().isInteger(), () -> "index of type " + index.type());
    }
  }

  private static void require(boolean holds, Supplier<String> message) {
    if (!holds) {
      throw new IllegalArgumentException(message.get());
    }
  }
}
