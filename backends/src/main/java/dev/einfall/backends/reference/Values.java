package dev.einfall.backends.reference;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.LongBinaryOperator;

/// Compiled expressions of the operations that both levels share.
final class Values {
  private Values() {}

  static Value number(double value) {
    return (Value.OfNumber) (_, _) -> value;
  }

  static Value integer(long value) {
    return (Value.OfInteger) (_, _) -> value;
  }

  /// The variable in `slot` of the frame; a lane is that many slots further if `lanes` is above 1.
  static Value variable(ElementType type, int slot, int lanes) {
    if (type.isFloat()) {
      return lanes > 1 ? (Value.OfNumber) (frame, lane) -> frame.numbers()[slot + lane]
          : (Value.OfNumber) (frame, _) -> frame.numbers()[slot];
    }
    return lanes > 1 ? (Value.OfInteger) (frame, lane) -> frame.integers()[slot + lane]
        : (Value.OfInteger) (frame, _) -> frame.integers()[slot];
  }

  static Value unary(UnaryOp op, ElementType type, Value x) {
    if (type.isFloat()) {
      DoubleUnaryOperator function = op.onNumbers();
      return (Value.OfNumber) (frame, lane) -> function.applyAsDouble(x.number(frame, lane));
    }
    return (Value.OfInteger) (frame, lane) -> Arithmetic.wrap(type, Arithmetic.ofInteger(op, type, x.integer(frame, lane)));
  }

  static Value binary(BinaryOp op, ElementType type, Value x, Value y) {
    if (type.isFloat()) {
      return op.isComparison() ? compareNumbers(op, x, y) : binaryNumbers(op, x, y);
    }
    if (type.isBool() && (op == BinaryOp.AND || op == BinaryOp.OR)) {
      long decided = op == BinaryOp.AND ? 0 : 1;
      return (Value.OfInteger) (frame, lane) -> x.integer(frame, lane) == decided ? decided : y.integer(frame, lane);
    }
    LongBinaryOperator function = Arithmetic.ofIntegers(op, type);
    return (Value.OfInteger) (frame, lane) -> function.applyAsLong(x.integer(frame, lane), y.integer(frame, lane));
  }

  private static Value compareNumbers(BinaryOp op, Value x, Value y) {
    return (Value.OfInteger) (frame, lane) ->
        op.holds(x.number(frame, lane), y.number(frame, lane)) ? 1 : 0;
  }

  /// The two most frequent operations have a closure of their own: most of a run is spent in them.
  private static Value binaryNumbers(BinaryOp op, Value x, Value y) {
    if (op == BinaryOp.MUL) {
      return (Value.OfNumber) (frame, lane) -> x.number(frame, lane) * y.number(frame, lane);
    }
    if (op == BinaryOp.ADD) {
      return (Value.OfNumber) (frame, lane) -> x.number(frame, lane) + y.number(frame, lane);
    }
    DoubleBinaryOperator function = op.onNumbers();
    return (Value.OfNumber) (frame, lane) -> function.applyAsDouble(x.number(frame, lane), y.number(frame, lane));
  }

  /// Only the branch that is taken is evaluated.
  static Value select(ElementType type, Value condition, Value whenTrue, Value whenFalse) {
    if (type.isFloat()) {
      return (Value.OfNumber) (frame, lane) ->
          (condition.integer(frame, lane) != 0 ? whenTrue : whenFalse).number(frame, lane);
    }
    return (Value.OfInteger) (frame, lane) ->
        (condition.integer(frame, lane) != 0 ? whenTrue : whenFalse).integer(frame, lane);
  }

  /// A conversion; from one floating-point type to another nothing is rounded.
  static Value cast(ElementType from, ElementType to, Value x) {
    if (from.isFloat()) {
      return to.isFloat() ? x : (Value.OfInteger) (frame, lane) -> Arithmetic.truncate(to, x.number(frame, lane));
    }
    return to.isFloat() ? (Value.OfNumber) (frame, lane) -> x.integer(frame, lane)
        : (Value.OfInteger) (frame, lane) -> Arithmetic.wrap(to, x.integer(frame, lane));
  }

  /// The bits of a floating-point value are those it has when rounded to its type.
  static Value bitcast(ElementType from, ElementType to, Value x) {
    if (from == to) {
      return x;
    }
    if (from.isFloat()) {
      return to.isFloat()
          ? (Value.OfNumber) (frame, lane) -> Arithmetic.ofBits(to, Arithmetic.bits(from, x.number(frame, lane)))
          : (Value.OfInteger) (frame, lane) -> Arithmetic.bits(from, x.number(frame, lane));
    }
    return to.isFloat() ? (Value.OfNumber) (frame, lane) -> Arithmetic.ofBits(to, x.integer(frame, lane))
        : (Value.OfInteger) (frame, lane) -> Arithmetic.wrap(to, x.integer(frame, lane));
  }
}
