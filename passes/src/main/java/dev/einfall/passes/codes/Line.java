package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.loop.Interval;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// An integer as `step * code + offset + shared`.
///
/// @param code what differs from one coordinate of a rank to the next, an `i32`, if anything does
/// @param shared what does not, each an `i32`
record Line(Optional<Expr> code, long step, long offset, List<Expr> shared) {
  /// Larger numbers are not taken out of a code.
  private static final long LARGEST = 1 << 20;

  private static Line of(long number) {
    return new Line(Optional.empty(), 0, number, List.of());
  }

  /// The line that `number` is, which may be a float that stands for an integer.
  ///
  /// @param codes says what differs
  /// @return nothing for what is no such line
  static Optional<Line> of(Expr number, Codes codes) {
    return switch (number) {
      case Expr.FloatLiteral literal -> Optional.of(literal.value()).filter(value -> value == Math.rint(value) && Math.abs(value) <= LARGEST).map(value -> of(Math.round(value)));
      case Expr.IntLiteral literal -> Optional.of(literal.value()).filter(value -> Math.abs(value) <= LARGEST).map(Line::of);
      case Expr.Unary(UnaryOp op, Expr operand) when op == UnaryOp.NEG -> of(operand, codes).map(line -> line.times(-1));
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.ADD || op == BinaryOp.SUB || op == BinaryOp.MUL || op == BinaryOp.SHL ->
          of(left, codes).flatMap(one -> of(right, codes).flatMap(other -> one.with(op, other))).or(() -> leaf(number, codes));
      case Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) when codes.isFine(condition) ->
          of(whenTrue, codes).flatMap(one -> of(whenFalse, codes).flatMap(other -> choice(condition, one, other))).or(() -> leaf(number, codes));
      case Expr.Cast(ElementType to, Expr operand) when to.isFloat() && operand.type().isInteger() -> of(operand, codes);
      case Expr.Cast(ElementType _, Expr operand) when operand.type().isBool() -> leaf(new Expr.Cast(ElementType.I32, operand), codes);
      case Expr _ -> leaf(number, codes);
    };
  }

  private static Optional<Line> leaf(Expr number, Codes codes) {
    if (!number.type().isInteger() || !Interval.of(ElementType.I32).contains(Codes.range(number))) {
      return Optional.empty();
    }
    Expr integer = number.type() == ElementType.I32 ? number : new Expr.Cast(ElementType.I32, number);
    return Optional.of(codes.isFine(number) ? new Line(Optional.of(integer), 1, 0, List.of()) : new Line(Optional.empty(), 0, 0, List.of(integer)));
  }

  /// One of two numbers, by a condition.
  private static Optional<Line> choice(Expr condition, Line one, Line other) {
    boolean areNumbers = one.isNumber() && other.isNumber() && one.offset != other.offset;
    return areNumbers ? Optional.of(new Line(Optional.of(new Expr.Cast(ElementType.I32, condition)), one.offset - other.offset, other.offset, List.of())) : Optional.empty();
  }

  private boolean isNumber() {
    return code.isEmpty() && shared.isEmpty();
  }

  private Optional<Line> with(BinaryOp op, Line other) {
    return switch (op) {
      case ADD -> plus(other);
      case SUB -> plus(other.times(-1));
      case MUL -> other.isNumber() ? Optional.of(times(other.offset)) : isNumber() ? Optional.of(other.times(offset)) : Optional.empty();
      case SHL -> other.isNumber() && other.offset >= 0 && other.offset < Long.numberOfTrailingZeros(LARGEST) ? Optional.of(times(1L << other.offset)) : Optional.empty();
      case DIV, MOD, MIN, MAX, POW, AND, OR, XOR, SHR, EQ, NE, LT, LE, GT, GE -> Optional.empty();
    };
  }

  private Optional<Line> plus(Line other) {
    Optional<Expr> both = code.or(() -> other.code);
    List<Expr> all = Stream.concat(shared.stream(), other.shared.stream()).toList();
    return code.isPresent() && other.code.isPresent() ? Optional.empty() : Optional.of(new Line(both, step + other.step, offset + other.offset, all));
  }

  private Line times(long factor) {
    List<Expr> scaled = new ArrayList<>();
    shared.forEach(expr -> scaled.add(factor == 1 ? expr : factor == -1 ? new Expr.Unary(UnaryOp.NEG, expr) : new Expr.Binary(BinaryOp.MUL, expr, Expr.index(factor))));
    return factor == 0 ? of(0) : new Line(code, step * factor, offset * factor, scaled);
  }
}
