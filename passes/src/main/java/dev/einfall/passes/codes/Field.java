package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.passes.cascade.Exprs;
import java.util.Optional;

/// A part of a word: `shr(word, place * bits) && mask`.
///
/// @param whole all of it
/// @param bits how far apart the fields of a word are
record Field(Expr whole, Expr word, int bits, long mask) {

  /// The field at `place`, a rank, if `expr` is one.
  static Optional<Field> of(Expr expr, Rank place) {
    return expr instanceof Expr.Binary(BinaryOp and, Expr.Binary(BinaryOp shift, Expr word, Expr distance), Expr.IntLiteral mask)
        && and == BinaryOp.AND && shift == BinaryOp.SHR && !Exprs.freeRanks(word).contains(place)
        ? bits(distance, place).filter(bits -> mask.value() >= 0 && mask.value() < 1L << bits).map(bits -> new Field(expr, word, bits, mask.value()))
        : Optional.empty();
  }

  private static Optional<Integer> bits(Expr distance, Rank place) {
    return switch (distance) {
      case Expr.Coordinate(Rank rank) when rank == place -> Optional.of(1);
      case Expr.Binary(BinaryOp op, Expr.Coordinate(Rank rank), Expr.IntLiteral bits) when op == BinaryOp.MUL && rank == place ->
          Optional.of(Math.toIntExact(bits.value()));
      case Expr _ -> Optional.empty();
    };
  }

  /// What cuts the field at `place` from `word`.
  static Expr cut(Expr word, Expr place, int bits, long mask) {
    Expr distance = bits == 1 ? place : new Expr.Binary(BinaryOp.MUL, place, Expr.index(bits));
    return new Expr.Binary(BinaryOp.AND, new Expr.Binary(BinaryOp.SHR, word, distance), Expr.index(mask));
  }
}
