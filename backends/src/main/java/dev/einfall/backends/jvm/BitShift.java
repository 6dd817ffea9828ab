package dev.einfall.backends.jvm;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.loop.Expr;
import java.util.Optional;

/// Shifts of the bits of all lanes by one number, each of which is one instruction although it takes several operations to write: `operand` shifted to the right with
/// zeros in front, `shr(x, 8) && 0x00ffffff`, and rotated to the right, `shr(x, 8) && 0x00ffffff || shl(x, 24)`.
///
/// @param operator its name in the Vector API
record BitShift(Expr operand, String operator, Expr.IntLiteral distance) {

  /// `binary` as such a shift, if it is one.
  static Optional<BitShift> of(Expr.Binary binary) {
    return switch (binary.op()) {
      case AND -> shifted(binary.left(), binary.right()).or(() -> shifted(binary.right(), binary.left()));
      case OR -> rotated(binary.left(), binary.right()).or(() -> rotated(binary.right(), binary.left()));
      case ADD, SUB, MUL, DIV, MOD, MIN, MAX, POW, EQ, NE, LT, LE, GT, GE, XOR, SHL, SHR -> Optional.empty();
    };
  }

  private static Optional<BitShift> shifted(Expr shift, Expr mask) {
    return shift instanceof Expr.Binary(BinaryOp op, Expr operand, Expr.Broadcast(Expr.IntLiteral distance, _)) && op == BinaryOp.SHR
        && mask instanceof Expr.Broadcast(Expr.IntLiteral(_, long kept), _) && distance.value() > 0 && distance.value() < bits(shift)
        && kept == (1L << bits(shift) - distance.value()) - 1 ? Optional.of(new BitShift(operand, "LSHR", distance)) : Optional.empty();
  }

  private static Optional<BitShift> rotated(Expr right, Expr left) {
    return right instanceof Expr.Binary low && low.op() == BinaryOp.AND
        && left instanceof Expr.Binary(BinaryOp op, Expr operand, Expr.Broadcast(Expr.IntLiteral(_, long distance), _)) && op == BinaryOp.SHL
        ? of(low).filter(shift -> shift.operand.equals(operand) && shift.distance.value() + distance == bits(left))
            .map(shift -> new BitShift(operand, "ROR", shift.distance)) : Optional.empty();
  }

  private static int bits(Expr vector) {
    return vector.type().element().bytes() * Byte.SIZE;
  }
}
