package dev.einfall.passes.codes;

import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.loop.Interval;
import dev.einfall.passes.Scalars;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.LongStream;

/// What functions of a code are for its numbers.
final class Evaluation {
  private Evaluation() {}

  /// What `function` of `code` is for each value that fits into the bits of the code, from the least one on; for those that it never has, as for the last. Empty if other
  /// things than the code determine it.
  static Optional<double[]> values(Expr function, Expr code) {
    Interval range = Codes.range(code);
    OptionalDouble[] values = LongStream.range(0, 1L << Codes.bits(range)).mapToObj(place -> of(function, code, Math.min(range.low() + place, range.high()))).toArray(OptionalDouble[]::new);
    return Arrays.stream(values).allMatch(OptionalDouble::isPresent) ? Optional.of(Arrays.stream(values).mapToDouble(OptionalDouble::getAsDouble).toArray()) : Optional.empty();
  }

  /// The value of `expr` where `code` has the given one, unless other things determine it.
  private static OptionalDouble of(Expr expr, Expr code, double value) {
    if (expr.equals(code)) {
      return OptionalDouble.of(value);
    }
    return switch (expr) {
      case Expr.FloatLiteral literal -> OptionalDouble.of(literal.value());
      case Expr.IntLiteral literal -> OptionalDouble.of(literal.value());
      case Expr.Extent extent -> OptionalDouble.of(extent.size().value());
      case Expr.Unary unary -> {
        OptionalDouble operand = of(unary.operand(), code, value);
        yield operand.isEmpty() ? operand : OptionalDouble.of(Scalars.apply(unary.op(), unary.type(), operand.getAsDouble()));
      }
      case Expr.Binary binary -> {
        OptionalDouble left = of(binary.left(), code, value);
        OptionalDouble right = of(binary.right(), code, value);
        yield left.isEmpty() || right.isEmpty() ? OptionalDouble.empty() : Scalars.apply(binary.op(), binary.left().type(), left.getAsDouble(), right.getAsDouble());
      }
      case Expr.Select select -> {
        OptionalDouble condition = of(select.condition(), code, value);
        yield condition.isEmpty() ? condition : of(condition.getAsDouble() != 0 ? select.whenTrue() : select.whenFalse(), code, value);
      }
      case Expr.Cast cast -> {
        OptionalDouble operand = of(cast.operand(), code, value);
        yield operand.isEmpty() ? operand : OptionalDouble.of(Scalars.cast(cast.operand().type(), cast.type(), operand.getAsDouble()));
      }
      case Expr.Bitcast bitcast -> {
        OptionalDouble operand = of(bitcast.operand(), code, value);
        yield operand.isEmpty() ? operand : Scalars.bitcast(bitcast.operand().type(), bitcast.type(), operand.getAsDouble());
      }
      case Expr.Coordinate _, Expr.Access _, Expr.Reduce _, Expr.Fold _, Expr.Ref _ -> OptionalDouble.empty();
    };
  }
}
