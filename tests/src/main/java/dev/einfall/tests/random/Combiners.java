package dev.einfall.tests.random;

import static dev.einfall.ir.ElementType.I32;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Span;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Combiner;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Var;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

/// Reductions that a program may define. What they promise is true.
final class Combiners {
  private Combiners() {}

  /// Makes the components of the result from those of the operands.
  private interface Combined extends BiFunction<List<Expr>, List<Expr>, List<Expr>> {}

  private static Combiner combiner(
      String name, List<Expr> identity, boolean associative, boolean commutative, Combined combined) {
    List<Var> left = operands("a", identity);
    List<Var> right = operands("b", identity);
    List<Expr> result = combined.apply(left.stream().<Expr>map(Expr.Ref::new).toList(), right.stream().<Expr>map(Expr.Ref::new).toList());
    return new Combiner(name, left, right, result, identity, associative, commutative, Span.NONE);
  }

  private static List<Var> operands(String letter, List<Expr> like) {
    List<Var> operands = new ArrayList<>();
    like.forEach(value -> operands.add(new Var(letter + (like.size() == 1 ? "" : operands.size() + 1), value.type())));
    return operands;
  }

  private static Expr binary(BinaryOp op, Expr left, Expr right) {
    return new Expr.Binary(op, left, right);
  }

  private static Expr unary(UnaryOp op, Expr operand) {
    return new Expr.Unary(op, operand);
  }

  private static Expr lowest(ElementType type) {
    return Reduction.MAX.identity(type);
  }

  /// `log(exp(a) + exp(b))`.
  static Combiner logaddexp(ElementType type) {
    return combiner("logaddexp", List.of(lowest(type)), true, true, (a, b) -> {
      Expr distance = unary(UnaryOp.ABS, binary(BinaryOp.SUB, a.getFirst(), b.getFirst()));
      Expr rest = unary(UnaryOp.LOG, binary(BinaryOp.ADD, Expr.literal(type, 1), unary(UnaryOp.EXP, unary(UnaryOp.NEG, distance))));
      return List.of(binary(BinaryOp.ADD, binary(BinaryOp.MAX, a.getFirst(), b.getFirst()), rest));
    });
  }

  /// The largest two values.
  static Combiner top2(ElementType type) {
    return combiner("top2", List.of(lowest(type), lowest(type)), true, true, (a, b) -> List.of(
        binary(BinaryOp.MAX, a.getFirst(), b.getFirst()),
        binary(BinaryOp.MAX, binary(BinaryOp.MIN, a.getFirst(), b.getFirst()), binary(BinaryOp.MAX, a.getLast(), b.getLast()))));
  }

  /// The number of values, their mean, and the sum of squared distances from it.
  static Combiner welford(ElementType type) {
    Expr zero = Expr.literal(type, 0);
    return combiner("welford", List.of(zero, zero, zero), true, true, (a, b) -> {
      Expr count = binary(BinaryOp.ADD, a.get(0), b.get(0));
      Expr share = binary(BinaryOp.DIV, b.get(0), binary(BinaryOp.MAX, count, Expr.literal(type, 1)));
      Expr distance = binary(BinaryOp.SUB, b.get(1), a.get(1));
      Expr square = binary(BinaryOp.MUL, binary(BinaryOp.MUL, distance, distance), binary(BinaryOp.MUL, a.get(0), share));
      return List.of(count, binary(BinaryOp.ADD, a.get(1), binary(BinaryOp.MUL, distance, share)),
          binary(BinaryOp.ADD, binary(BinaryOp.ADD, a.get(2), b.get(2)), square));
    });
  }

  /// The largest value so far, and the sum of the exponentials of all below it.
  static Combiner softmax(ElementType type) {
    return combiner("softmax", List.of(lowest(type), Expr.literal(type, 0)), true, true, (a, b) -> {
      Expr largest = binary(BinaryOp.MAX, a.getFirst(), b.getFirst());
      return List.of(largest, binary(BinaryOp.ADD, scaled(a, largest), scaled(b, largest)));
    });
  }

  private static Expr scaled(List<Expr> pair, Expr largest) {
    return binary(BinaryOp.MUL, pair.getLast(), unary(UnaryOp.EXP, binary(BinaryOp.SUB, pair.getFirst(), largest)));
  }

  /// `a / 2 + b`: depends on the order.
  static Combiner decay(ElementType type) {
    return combiner("decay", List.of(Expr.literal(type, 0)), false, false, (a, b) ->
        List.of(binary(BinaryOp.ADD, binary(BinaryOp.MUL, a.getFirst(), Expr.literal(type, 0.5)), b.getFirst())));
  }

  /// `31 a + b`: depends on the order.
  static Combiner hash(ElementType type) {
    return combiner("hash", List.of(Expr.literal(type, 7)), false, false, (a, b) ->
        List.of(binary(BinaryOp.ADD, binary(BinaryOp.MUL, a.getFirst(), Expr.literal(type, 31)), b.getFirst())));
  }

  /// Two linear functions one after the other: depends on the order, but not on the grouping.
  static Combiner linear(ElementType type) {
    return combiner("linear", List.of(Expr.literal(type, 1), Expr.literal(type, 0)), true, false, (a, b) -> List.of(
        binary(BinaryOp.MUL, a.getFirst(), b.getFirst()),
        binary(BinaryOp.ADD, binary(BinaryOp.MUL, a.getLast(), b.getFirst()), b.getLast())));
  }

  /// The first largest value and its position.
  static Combiner best(ElementType type) {
    return combiner("best", List.of(lowest(type), Expr.literal(I32, -1)), true, false, (a, b) -> {
      Expr greater = binary(BinaryOp.GT, b.getFirst(), a.getFirst());
      return List.of(new Expr.Select(greater, b.getFirst(), a.getFirst()), new Expr.Select(greater, b.getLast(), a.getLast()));
    });
  }

  /// Each component by itself the largest, the smallest or the sum.
  static Combiner each(List<ElementType> types, List<Reduction> reductions) {
    List<Expr> identity = new ArrayList<>();
    for (int i = 0; i < types.size(); i++) {
      identity.add(reductions.get(i).identity(types.get(i)));
    }
    return combiner("each", identity, true, true, (a, b) -> {
      List<Expr> combined = new ArrayList<>();
      for (int i = 0; i < types.size(); i++) {
        combined.add(binary(reductions.get(i).combine(), a.get(i), b.get(i)));
      }
      return combined;
    });
  }
}
