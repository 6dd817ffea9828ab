package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Expr;
import java.util.List;
import java.util.Optional;

/// A term `f32(shr(permute(shr(words, field) && mask, table), 8 * place) && 255) - offset` of a sum: one of the four bytes of the word of a table that a field chooses.
///
/// @param offset a whole number
record ByteTerm(Expr words, long field, long mask, Expr table, int place, long offset) {
  /// Beyond so much, sums of whole numbers are not exact.
  private static final double MOST_OFFSET = 256;

  /// How far up the number of a byte the number is of what a field chooses from.
  private static final int TABLE_BITS = 2;

  /// A shift, and what is cut out after it.
  private record Cut(Expr from, long distance, long mask) {

    static Optional<Cut> of(Expr expr) {
      return expr instanceof Expr.Binary(BinaryOp and, Expr.Binary(BinaryOp shift, Expr from, Expr.Broadcast(Expr.IntLiteral distance, _)), Expr.Broadcast(Expr.IntLiteral mask, _))
          && and == BinaryOp.AND && shift == BinaryOp.SHR ? Optional.of(new Cut(from, distance.value(), mask.value())) : Optional.empty();
    }
  }

  /// Whether `term` is a byte of a word, less a number, whatever the word is.
  static boolean isByte(Expr term) {
    Expr number = term instanceof Expr.Binary(BinaryOp op, Expr left, Expr.Broadcast(Expr.FloatLiteral _, _)) && op == BinaryOp.SUB ? left : term;
    return number instanceof Expr.Cast(ElementType type, Expr cut) && type == ElementType.F32 && cut instanceof Expr.Binary(BinaryOp and, Expr.Binary(BinaryOp shift, _, _), Expr.Broadcast(Expr.IntLiteral mask, _))
        && and == BinaryOp.AND && shift == BinaryOp.SHR && mask.value() == 0xff;
  }

  static Optional<ByteTerm> of(Expr expr) {
    if (expr instanceof Expr.Binary(BinaryOp op, Expr term, Expr.Broadcast(Expr.FloatLiteral(_, double offset), _)) && op == BinaryOp.SUB
        && offset == Math.rint(offset) && Math.abs(offset) <= MOST_OFFSET) {
      return of(term, (long) offset);
    }
    return of(expr, 0);
  }

  private static Optional<ByteTerm> of(Expr expr, long offset) {
    return expr instanceof Expr.Cast(ElementType type, Expr number) && type == ElementType.F32 ? Cut.of(number).flatMap(outer -> of(outer, offset)) : Optional.empty();
  }

  private static Optional<ByteTerm> of(Cut outer, long offset) {
    return outer.mask() == 0xff && outer.distance() % Byte.SIZE == 0 && outer.distance() < Integer.SIZE
        && outer.from() instanceof Expr.Permute(Expr indices, List<Expr> tables) && tables.size() == 1 && tables.getFirst().type().element() == ElementType.I32
        ? Cut.of(indices).map(inner -> new ByteTerm(inner.from(), inner.distance(), inner.mask(), tables.getFirst(), (int) outer.distance() / Byte.SIZE, offset)) : Optional.empty();
  }

  /// Whether `other` is the byte of the same words and the same table that lies `distance` further, by the field of the byte that does.
  boolean isFollowedBy(ByteTerm other, int distance) {
    return other.place == place + distance && other.field == field + (long) distance * Byte.SIZE && other.mask == mask && other.offset == offset
        && other.words.equals(words) && other.table.equals(table);
  }

  /// The first one of four in a lane.
  boolean isFirst() {
    return place == 0 && field >= 0 && field < Byte.SIZE && mask >= 0 && mask < Math.min(words.type().lanes(), 1L << Byte.SIZE - field)
        && Integer.bitCount(words.type().lanes()) == 1 && table.type().equals(words.type());
  }

  /// The words as they lie in memory.
  Expr stored() {
    return Turn.of(words).map(Turn::bits).orElse(words);
  }

  /// The bytes of this one and the three that follow it.
  Expr bytes() {
    int lanes = words.type().lanes();
    Expr numbers = new Expr.Binary(BinaryOp.AND, moved(lanes), number((int) (mask * Integer.BYTES * 0x01010101L), lanes));
    return new Expr.PermuteBytes(new Expr.Binary(BinaryOp.OR, numbers, number(0x03020100, lanes)), List.of(table));
  }

  /// The words with the fields where they are the numbers of bytes: those of a table that one field chooses from are four apart.
  private Expr moved(int lanes) {
    long right = field - TABLE_BITS;
    Optional<Turn> turn = Turn.of(words);
    if (turn.isPresent()) {
      return turn.get().further(right);
    }
    return right == 0 ? words : new Expr.Binary(right < 0 ? BinaryOp.SHL : BinaryOp.SHR, words, number(Math.abs(right), lanes));
  }

  static Expr number(long value, int lanes) {
    return new Expr.Broadcast(Expr.index(value), lanes);
  }
}
