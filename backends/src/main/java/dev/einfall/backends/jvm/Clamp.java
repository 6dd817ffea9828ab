package dev.einfall.backends.jvm;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.loop.Expr;
import java.util.Optional;

/// A minimum or maximum of floats with a number: `bound` where `operand` is `beyond` it, else `operand`, so a NaN stays one.
/// That is a comparison and a blend, where the instructions of x86 for maxima need four more to treat NaN and -0 as Java does.
///
/// @param beyond holds of equal numbers too: the maximum of -0 and 0 is 0
record Clamp(Expr operand, BinaryOp beyond, Expr.FloatLiteral bound) {

  /// `binary` as a clamp, if one of its operands is a number for which it can be one.
  static Optional<Clamp> of(Expr.Binary binary) {
    if (binary.op() != BinaryOp.MIN && binary.op() != BinaryOp.MAX) {
      return Optional.empty();
    }
    BinaryOp beyond = binary.op() == BinaryOp.MAX ? BinaryOp.LE : BinaryOp.GE;
    return bound(binary.right(), binary.op()).map(bound -> new Clamp(binary.left(), beyond, bound))
        .or(() -> bound(binary.left(), binary.op()).map(bound -> new Clamp(binary.right(), beyond, bound)));
  }

  /// The number in all lanes of `expr`; not -0 for a maximum or 0 for a minimum, which would replace the other zero.
  private static Optional<Expr.FloatLiteral> bound(Expr expr, BinaryOp op) {
    return expr instanceof Expr.Broadcast(Expr.FloatLiteral literal, _) && !Double.isNaN(literal.value())
        && Double.compare(literal.value(), op == BinaryOp.MAX ? -0.0 : 0.0) != 0
        ? Optional.of(literal) : Optional.empty();
  }
}
