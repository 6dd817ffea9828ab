package dev.einfall.runtime.quantize;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Size;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Tensor;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.DoubleUnaryOperator;

/// The numbers of expressions that are the same everywhere and in each run: of literals, sizes, and tensors without dimensions that are made of these.
final class KnownNumbers {

  private KnownNumbers() {}

  /// What an expression is; empty if that is not known.
  ///
  /// @param definitions of the tensors that it may read
  static OptionalDouble of(Expr expr, Map<Tensor, Definition> definitions) {
    return switch (expr) {
      case Expr.FloatLiteral literal -> OptionalDouble.of(literal.value());
      case Expr.IntLiteral literal -> OptionalDouble.of(literal.value());
      case Expr.Extent(Size size) -> size.constant().map(OptionalDouble::of).orElse(OptionalDouble.empty());
      case Expr.Cast(_, Expr operand) -> of(operand, definitions);
      case Expr.Access access -> access.tensor().shape().isEmpty() && definitions.get(access.tensor()) instanceof Einsum einsum ? of(einsum.value(), definitions) : OptionalDouble.empty();
      case Expr.Unary(UnaryOp op, Expr operand) -> switch (op) {
        case NEG -> map(of(operand, definitions), x -> -x);
        case SQRT -> map(of(operand, definitions), Math::sqrt);
        case RSQRT -> map(of(operand, definitions), x -> 1 / Math.sqrt(x));
        case NOT, ABS, SIGN, EXP, LOG, TANH, ERF, SIN, COS, FLOOR, CEIL, ROUND, POPCOUNT -> OptionalDouble.empty();
      };
      case Expr.Binary(BinaryOp op, Expr left, Expr right) -> number(op, of(left, definitions), of(right, definitions));
      case Expr.Bitcast _, Expr.Select _, Expr.Coordinate _, Expr.Reduce _, Expr.Fold _, Expr.Ref _ -> OptionalDouble.empty();
    };
  }

  private static OptionalDouble map(OptionalDouble value, DoubleUnaryOperator change) {
    return value.isPresent() ? OptionalDouble.of(change.applyAsDouble(value.getAsDouble())) : value;
  }

  private static OptionalDouble number(BinaryOp op, OptionalDouble left, OptionalDouble right) {
    if (left.isEmpty() || right.isEmpty()) {
      return OptionalDouble.empty();
    }
    return switch (op) {
      case ADD -> OptionalDouble.of(left.getAsDouble() + right.getAsDouble());
      case SUB -> OptionalDouble.of(left.getAsDouble() - right.getAsDouble());
      case MUL -> OptionalDouble.of(left.getAsDouble() * right.getAsDouble());
      case DIV -> OptionalDouble.of(left.getAsDouble() / right.getAsDouble());
      case POW -> OptionalDouble.of(Math.pow(left.getAsDouble(), right.getAsDouble()));
      case MIN, MAX, MOD, EQ, NE, LT, LE, GT, GE, AND, OR, XOR, SHL, SHR -> OptionalDouble.empty();
    };
  }
}
