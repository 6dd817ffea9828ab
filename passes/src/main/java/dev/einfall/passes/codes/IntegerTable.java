package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What codes stand for, as integers at equal distances: `low + step * i`.
///
/// @param low the least of them
/// @param step the distance
record IntegerTable(long low, long step) {
  /// Each code is itself.
  static final IntegerTable SAME = new IntegerTable(0, 1);
  /// Larger numbers are not looked for.
  private static final double LARGEST = 1 << 20;

  /// The table that `definition` computes, if it has fewer than `count` places.
  static Optional<IntegerTable> of(Einsum definition, int count) {
    if (definition == null || definition.ranks().size() != 1) {
      return Optional.empty();
    }
    List<Long> values = new ArrayList<>();
    for (int i = 0; i < definition.ranks().getFirst().size().value(); i++) {
      Optional<Double> value = value(definition.value(), i).filter(number -> number == Math.rint(number) && Math.abs(number) <= LARGEST);
      if (value.isEmpty()) {
        return Optional.empty();
      }
      values.add(Math.round(value.get()));
    }
    long low = values.stream().mapToLong(Long::longValue).min().orElse(0);
    long high = values.stream().mapToLong(Long::longValue).max().orElse(0);
    long step = values.stream().map(value -> value - low).reduce(0L, IntegerTable::divisor);
    return step > 0 && (high - low) / step < count ? Optional.of(new IntegerTable(low, step)) : Optional.empty();
  }

  private static long divisor(long a, long b) {
    return b == 0 ? a : divisor(b, a % b);
  }

  /// The number that `expr` is where the only coordinate in it is `coordinate`; empty for what no table is made of.
  private static Optional<Double> value(Expr expr, int coordinate) {
    return switch (expr) {
      case Expr.Coordinate _ -> Optional.of((double) coordinate);
      case Expr.IntLiteral literal -> Optional.of((double) literal.value());
      case Expr.FloatLiteral literal -> Optional.of(literal.value());
      case Expr.Cast(ElementType to, Expr operand) -> value(operand, coordinate).filter(number -> to.isFloat() || number == Math.rint(number));
      case Expr.Binary(BinaryOp op, Expr left, Expr right) -> value(left, coordinate).flatMap(a -> value(right, coordinate).flatMap(b -> value(op, a, b)));
      default -> Optional.empty();
    };
  }

  private static Optional<Double> value(BinaryOp op, double a, double b) {
    return switch (op) {
      case ADD -> Optional.of(a + b);
      case SUB -> Optional.of(a - b);
      case MUL -> Optional.of(a * b);
      case MIN -> Optional.of(Math.min(a, b));
      case MAX -> Optional.of(Math.max(a, b));
      case DIV, MOD, POW, EQ, NE, LT, LE, GT, GE, AND, OR, XOR, SHL, SHR -> Optional.empty();
    };
  }

  /// The place of `value`, which the table has, as a float.
  Expr place(Expr value) {
    Expr above = low == 0 ? value : new Expr.Binary(BinaryOp.SUB, value, Expr.literal(ElementType.F32, low));
    return step == 1 ? above : new Expr.Binary(BinaryOp.DIV, above, Expr.literal(ElementType.F32, step));
  }

  /// What the table has at `place`, a float, as a multiple of a difference.
  Expr value(Expr place) {
    Expr above = low == 0 ? place : new Expr.Binary(BinaryOp.SUB, place, Expr.literal(ElementType.F32, (double) -low / step));
    return step == 1 ? above : new Expr.Binary(BinaryOp.MUL, above, Expr.literal(ElementType.F32, step));
  }
}
