package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.loop.Expr;
import java.util.Optional;

/// The bits of each lane, `i32`, turned to the right: `shr(bits, 2) && 0x3fffffff || shl(bits, 30)`.
///
/// @param distance less than 32
record Turn(Expr bits, long distance) {

  static Optional<Turn> of(Expr expr) {
    return expr instanceof Expr.Binary(BinaryOp or, Expr.Binary(BinaryOp and, Expr.Binary(BinaryOp shr, Expr bits, Expr right), Expr mask), Expr.Binary(BinaryOp shl, Expr same, Expr left))
        && or == BinaryOp.OR && and == BinaryOp.AND && shr == BinaryOp.SHR && shl == BinaryOp.SHL && bits.equals(same)
        ? number(right).filter(distance -> distance > 0 && distance < Integer.SIZE && number(left).equals(Optional.of(Integer.SIZE - distance))
            && number(mask).equals(Optional.of(mask(distance)))).map(distance -> new Turn(bits, distance)) : Optional.empty();
  }

  private static Optional<Long> number(Expr expr) {
    return expr instanceof Expr.Broadcast(Expr.IntLiteral literal, _) ? Optional.of(literal.value()) : Optional.empty();
  }

  private static long mask(long distance) {
    return (1L << Integer.SIZE - distance) - 1;
  }

  /// The bits turned that much further to the right, or, if it is negative, less far.
  Expr further(long more) {
    long all = Math.floorMod(distance + more, Integer.SIZE);
    int lanes = bits.type().lanes();
    return all == 0 ? bits : new Expr.Binary(BinaryOp.OR,
        new Expr.Binary(BinaryOp.AND, new Expr.Binary(BinaryOp.SHR, bits, ByteTerm.number(all, lanes)), ByteTerm.number(mask(all), lanes)),
        new Expr.Binary(BinaryOp.SHL, bits, ByteTerm.number(Integer.SIZE - all, lanes)));
  }
}
