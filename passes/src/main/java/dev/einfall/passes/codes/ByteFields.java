package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import dev.einfall.passes.cascade.IndexForm;
import dev.einfall.passes.cascade.Uses;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Codes that weights have in fields of words, one for each step of a product, in fields of bytes instead: those of neighbouring steps are in neighbouring bytes, as instructions
/// multiply them, and cut from all bytes at once.
///
/// ```
/// sum[w, f](X[8 * w + f] * V[shr(W[w, n], f * 4) && 15]), V[c] = f32(c - 8)
///     =>  B[w, f, n] = u8(sum[h in 0..2](shl(i32((V[shr(W[w, n], (4 * h + f) * 4) && 15] + 8) / 1), h * 4)))
///         sum[w, h in 0..2, f in 0..4](X[8 * w + 4 * h + f] * ((f32(shr(i32(B[w, f, n]), h * 4) && 15) - -8) * 1))
/// ```
///
/// What codes stand for may be looked up in a table of integers at equal distances.
///
/// @param bytes the tensor of bytes
/// @param einsum the product that reads it
record ByteFields(Einsum bytes, Einsum einsum) {

  /// How many steps are side by side: the bytes of a word.
  private static final int STEPS = Integer.BYTES;

  /// The product with fields of bytes, if it has such of words along its last rank.
  static Optional<ByteFields> of(Uses uses, Einsum einsum, Expr.Reduce sum) {
    Rank place = sum.ranks().getLast();
    List<Expr> decoded = sum.body().nodes().filter(node -> code(node).flatMap(code -> field(uses, code, place)).isPresent()).distinct().toList();
    if (decoded.size() != 1 || place.size().value() % STEPS != 0) {
      return Optional.empty();
    }
    Field field = code(decoded.getFirst()).flatMap(code -> field(uses, code, place)).orElseThrow();
    boolean isTable = decoded.getFirst() instanceof Expr.Access;
    Optional<IntegerTable> table = isTable ? IntegerTable.of(uses.einsums().get(((Expr.Access) decoded.getFirst()).tensor()), 1 << field.bits()) : Optional.of(IntegerTable.SAME);
    return table.map(values -> new Rewriting(einsum, sum, decoded.getFirst(), field, values).rewritten());
  }

  /// The code in `node`, if that is what it stands for: an element of a table, or itself as a float.
  private static Optional<Expr> code(Expr node) {
    return switch (node) {
      case Expr.Access access when access.indices().size() == 1 && access.outside().isEmpty() && access.type() == ElementType.F32 -> Optional.of(access.indices().getFirst());
      case Expr.Cast(ElementType to, Expr code) when to == ElementType.F32 -> Optional.of(code);
      default -> Optional.empty();
    };
  }

  /// The field that `code` is, of a word of constants that has no other bits.
  private static Optional<Field> field(Uses uses, Expr code, Rank place) {
    return Field.of(code, place).filter(field -> field.mask() > 0 && field.bits() * place.size().value() == Integer.SIZE && field.word() instanceof Expr.Access words
        && uses.constants().contains(words.tensor()) && words.outside().isEmpty() && words.type() == ElementType.I32);
  }

  /// @param decoded what the field stands for, by `table`
  private record Rewriting(Einsum einsum, Expr.Reduce sum, Expr decoded, Field field, IntegerTable table) {

    ByteFields rewritten() {
      Rank place = sum.ranks().getLast();
      Rank half = new Rank(place.name() + "h", Size.of(place.size().value() / STEPS));
      Rank step = new Rank(place.name(), Size.of(STEPS));
      Einsum bytes = bytes(place);
      List<Expr> indices = new ArrayList<>(words().indices());
      indices.add(position(), new Expr.Coordinate(step));
      boolean isWhole = half.size().value() == 1;
      Expr wide = new Expr.Cast(ElementType.I32, new Expr.Access(bytes.tensor(), indices));
      Expr code = isWhole ? new Expr.Access(bytes.tensor(), indices) : Field.cut(wide, new Expr.Coordinate(half), field.bits(), (1L << field.bits()) - 1);
      Expr body = IndexForm.withSimpleIndices(Exprs.substitute(Exprs.rewrite(sum.body(), node -> node.equals(decoded) ? table.value(new Expr.Cast(ElementType.F32, code)) : node),
          Map.of(place, isWhole ? new Expr.Coordinate(step) : at(new Expr.Coordinate(half), new Expr.Coordinate(step)))));
      List<Rank> ranks = new ArrayList<>(sum.ranks().subList(0, sum.ranks().size() - 1));
      if (!isWhole) {
        ranks.add(half);
      }
      ranks.add(step);
      Expr.Reduce rest = new Expr.Reduce(sum.reduction(), ranks, body);
      return new ByteFields(bytes, einsum.withValue(Exprs.rewrite(einsum.value(), node -> node.equals(sum) ? rest : node)));
    }

    private Expr.Access words() {
      return (Expr.Access) field.word();
    }

    private Expr shift(Rank rank) {
      return new Expr.Binary(BinaryOp.MUL, new Expr.Coordinate(rank), Expr.index(field.bits()));
    }

    private Expr at(Expr half, Expr step) {
      return new Expr.Binary(BinaryOp.ADD, new Expr.Binary(BinaryOp.MUL, half, Expr.index(STEPS)), step);
    }

    /// Where the rank of the bytes of a word stands among those of the words: behind those that the sum goes over.
    private int position() {
      int last = words().indices().size();
      while (last > 0 && Exprs.freeRanks(words().indices().get(last - 1)).stream().noneMatch(sum.ranks()::contains)) {
        last--;
      }
      return last;
    }

    private Einsum bytes(Rank place) {
      List<Rank> ranks = new ArrayList<>();
      words().tensor().shape().forEach(size -> ranks.add(new Rank(words().tensor().name() + ranks.size(), size)));
      Expr.Access word = new Expr.Access(words().tensor(), Exprs.coordinates(ranks));
      Rank step = new Rank(place.name(), Size.of(STEPS));
      Rank half = new Rank(place.name() + "h", Size.of(place.size().value() / STEPS));
      Map<Rank, Expr> places = new IdentityHashMap<>(Map.of(place, at(new Expr.Coordinate(half), new Expr.Coordinate(step))));
      Expr integer = decoded instanceof Expr.Cast ? field.whole() : new Expr.Cast(ElementType.I32, table.place(decoded));
      Expr there = Exprs.substitute(Exprs.rewrite(integer, node -> node.equals(words()) ? word : node), places);
      Expr shifted = new Expr.Binary(BinaryOp.SHL, there, shift(half));
      Expr value = new Expr.Cast(ElementType.U8, new Expr.Reduce(Reduction.SUM, List.of(half), shifted));
      ranks.add(position(), step);
      Tensor tensor = new Tensor(einsum.tensor().name() + "_bytes", ElementType.U8, ranks.stream().map(Rank::size).toList(), einsum.span());
      return new Einsum(tensor, ranks, value, einsum.span());
    }
  }

  /// Whether `code` is a field of the byte that it is cut from, or the byte itself.
  static Optional<Expr.Access> byteOf(Expr code) {
    return switch (code) {
      case Expr.Access access when access.type() == ElementType.U8 -> Optional.of(access);
      case Expr.Binary(BinaryOp and, Expr.Binary(BinaryOp shr, Expr.Cast(ElementType to, Expr.Access access), Expr distance), Expr.IntLiteral mask)
          when and == BinaryOp.AND && shr == BinaryOp.SHR && to == ElementType.I32 && access.type() == ElementType.U8 && access.outside().isEmpty()
          && Exprs.accesses(distance).findAny().isEmpty() && mask.value() >= 0 && mask.value() <= 255 -> Optional.of(access);
      default -> Optional.empty();
    };
  }
}
