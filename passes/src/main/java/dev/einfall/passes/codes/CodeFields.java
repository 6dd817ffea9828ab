package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.Interval;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// How a product reads codes: from fields of words, or each by itself where they do not share words.
///
/// ```
///                P_words[kg, kw, n] = sum[f]((code[n, kg * 64 + kw * 8 + f] + 8) << f * 4)
/// code[n, k] =>  (P_words[kg, kw, n] >> kf * 4 & 15) - 8
/// ```
///
/// @param reduced the ranks of the product's sum
record CodeFields(List<Rank> reduced, Steps steps, NewTensors tensors) {
  /// How many bits words have.
  static final int WORD = Integer.SIZE;

  /// The code itself, decoded from its field.
  Expr code(Expr code) {
    return cast(code.type(), plus(field(code, least(code), inMemory(Codes.range(code))), least(code)));
  }

  /// How far `code` is above the least one.
  Expr place(Expr code) {
    int width = Codes.bits(Codes.range(code));
    Expr place = i32(field(code, Codes.range(code).low(), ElementType.U8));
    return steps.fields() > 1 || width == Byte.SIZE ? place : new Expr.Binary(BinaryOp.AND, place, Expr.index((1 << width) - 1));
  }

  /// How far a code of a byte by itself is above the least one, in two's complement: its highest bit is a sign.
  Expr signed(Expr code) {
    Interval range = Codes.range(code);
    int unused = WORD - Codes.bits(range);
    return i32(inMemory(code, ElementType.I8, axes -> {
      Expr place = stored(code, range.low(), axes);
      return unused == WORD - Byte.SIZE ? place : new Expr.Binary(BinaryOp.SHR, new Expr.Binary(BinaryOp.SHL, i32(place), Expr.index(unused)), Expr.index(unused));
    }));
  }

  /// How far a code of a byte by itself is above the least one, with as many of its lowest bits as `low` says above the others.
  Expr turned(Expr code, int low) {
    Interval range = Codes.range(code);
    return i32(inMemory(code, ElementType.U8, axes -> {
      Expr place = i32(stored(code, range.low(), axes));
      Expr moved = new Expr.Binary(BinaryOp.SHL, new Expr.Binary(BinaryOp.AND, place, Expr.index((1 << low) - 1)), Expr.index(Codes.bits(range) - low));
      return new Expr.Binary(BinaryOp.OR, new Expr.Binary(BinaryOp.SHR, place, Expr.index(low)), moved);
    }));
  }

  /// What a field of 0 means.
  private long least(Expr code) {
    Interval range = Codes.range(code);
    return steps.fields() > 1 || inMemory(range) == ElementType.U8 ? range.low()
        : Interval.of(ElementType.I16).contains(range) ? 0 : range.low() - Interval.of(ElementType.I16).low();
  }

  /// What codes are stored in that do not share words: bytes as they are or counted from the least, or numbers of 16 bits.
  private static ElementType inMemory(Interval range) {
    return Interval.of(ElementType.I8).contains(range) ? ElementType.I8 : Codes.bits(range) <= Byte.SIZE ? ElementType.U8 : ElementType.I16;
  }

  /// What is in `memory` of `code` by itself.
  ///
  /// @param stored says this for given axes
  private Expr inMemory(Expr code, ElementType memory, Function<NewAxes, Expr> stored) {
    return at(code, (axes, word, here) -> byItself(stored, memory, axes, word, here));
  }

  /// How what stands for a code is found.
  private interface Found {
    Expr at(NewAxes axes, Rank word, Expr here);
  }

  /// The field of `code` in a word, or what is in memory of it by itself.
  ///
  /// @param least what a field of 0 means
  private Expr field(Expr code, long least, ElementType memory) {
    return steps.fields() == 1 ? inMemory(code, memory, axes -> stored(code, least, axes)) : at(code, (axes, word, here) -> inWord(code, least, axes, word, here));
  }

  private Expr at(Expr code, Found found) {
    List<Rank> outer = tensors.outer(code);
    NewAxes axes = new NewAxes();
    Rank word = new Rank(steps.wordName(), Size.of(steps.whole().size().value() / steps.block()));
    Optional<Rank> among = steps.lane().map(lane -> new Rank(lane.name(), lane.size()));
    axes.addOuter(outer.stream().filter(rank -> reduced.contains(rank) || among.isPresent()).toList());
    axes.add(word, steps.word());
    among.ifPresent(own -> axes.add(own, new Expr.Coordinate(steps.lane().orElseThrow())));
    axes.addOuter(outer.stream().filter(rank -> !reduced.contains(rank) && among.isEmpty()).toList());
    Expr here = among.<Expr>map(Expr.Coordinate::new).orElse(Expr.index(0));
    return found.at(axes, word, here);
  }

  private Expr byItself(Function<NewAxes, Expr> stored, ElementType memory, NewAxes axes, Rank word, Expr here) {
    axes.put(steps.whole(), steps.at(new Expr.Coordinate(word), Expr.index(0), here));
    return new Expr.Access(tensors.defined("codes", axes.ranks(), cast(memory, stored.apply(axes))), axes.indices());
  }

  private Expr inWord(Expr code, long least, NewAxes axes, Rank word, Expr here) {
    Rank place = new Rank("f", Size.of(steps.fields()));
    axes.put(steps.whole(), steps.at(new Expr.Coordinate(word), new Expr.Coordinate(place), here));
    Expr shifted = new Expr.Binary(BinaryOp.SHL, i32(stored(code, least, axes)), new Expr.Binary(BinaryOp.MUL, new Expr.Coordinate(place), Expr.index(width())));
    Tensor words = tensors.defined("words", axes.ranks(), new Expr.Reduce(Reduction.SUM, List.of(place), shifted));
    Expr distance = new Expr.Binary(BinaryOp.MUL, steps.place(), Expr.index(width()));
    return new Expr.Binary(BinaryOp.AND, new Expr.Binary(BinaryOp.SHR, new Expr.Access(words, axes.indices()), distance), Expr.index((1 << Codes.bits(Codes.range(code))) - 1));
  }

  /// What is stored of `code` at other places.
  private static Expr stored(Expr code, long least, NewAxes axes) {
    Expr there = axes.at(code);
    return least == 0 ? there : new Expr.Binary(BinaryOp.SUB, i32(there), Expr.index(least));
  }

  /// How many bits of a word a field has.
  private int width() {
    return WORD / steps.fields();
  }

  /// `expr` as another type, at once where it is a literal.
  static Expr cast(ElementType type, Expr expr) {
    return expr.type() == type ? expr : expr instanceof Expr.IntLiteral literal ? Expr.literal(type, literal.value()) : new Expr.Cast(type, expr);
  }

  /// `expr + number` as an integer.
  static Expr plus(Expr expr, long number) {
    return number == 0 ? expr : new Expr.Binary(BinaryOp.ADD, i32(expr), Expr.index(number));
  }

  private static Expr i32(Expr expr) {
    return expr.type() == ElementType.I32 ? expr : new Expr.Cast(ElementType.I32, expr);
  }
}
