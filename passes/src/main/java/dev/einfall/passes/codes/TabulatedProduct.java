package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import dev.einfall.passes.cascade.Factors;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// One product of [TabulateSteps].
///
/// @param einsum the product
/// @param sum its reduction, of which the last rank goes over the fields of words
/// @param field what is cut from a word
/// @param decoded the factor that is a function of the field, and of nothing else that differs
/// @param steps the factors that differ from step to step otherwise
/// @param others those that are the same for all fields of a word
/// @param terms how many steps have one element of the table
record TabulatedProduct(Einsum einsum, Expr.Reduce sum, Field field, Expr decoded, List<Expr> steps, List<Expr> others, int terms) {
  /// Beyond so many rows, a look-up for two steps takes longer than two multiply-adds: a product of 4,096 x 4,096 weights of 2 bits with 16 rows takes 0.7 times as
  /// long with tables, one with 32 rows 1.2 times. One for four steps is worth it with any number of rows.
  private static final int MOST_ROWS_OF_PAIRS = 16;
  private static final int PAIR = 2;
  /// How many columns a table has to serve for each of its elements.
  private static final int LEAST_COLUMNS = 8;

  /// A part of a word: `shr(word, place * bits) && mask`.
  private record Field(Expr whole, Expr word, int bits, long mask) {

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
  }

  /// @param row how many elements a row of the table may have
  static Optional<TabulatedProduct> of(Einsum einsum, int row) {
    Optional<Expr.Reduce> only = Factors.onlySum(einsum.value()).filter(sum -> !sum.ranks().isEmpty());
    if (only.isEmpty()) {
      return Optional.empty();
    }
    Expr.Reduce sum = only.get();
    Rank place = sum.ranks().getLast();
    List<Expr> factors = Factors.of(sum.body()).toList();
    List<Expr> fine = factors.stream().filter(factor -> Exprs.freeRanks(factor).contains(place)).toList();
    List<Field> fields = fine.stream().flatMap(Expr::nodes).distinct().flatMap(node -> Field.of(node, place).stream()).toList();
    List<Expr> decoded = fine.stream().filter(factor -> fields.size() == 1 && isFunction(factor, fields.getFirst().whole())).toList();
    if (decoded.size() != 1) {
      return Optional.empty();
    }
    Field field = fields.getFirst();
    int terms = terms(place.size().value(), field.bits(), row);
    List<Expr> steps = fine.stream().filter(factor -> factor != decoded.getFirst()).toList();
    List<Expr> others = factors.stream().filter(factor -> !fine.contains(factor)).toList();
    TabulatedProduct product = new TabulatedProduct(einsum, sum, field, decoded.getFirst(), steps, others, terms);
    return Optional.of(product).filter(TabulatedProduct::isWorthwhile);
  }

  /// Whether nothing but `field` and numbers determine `expr`, which contains it.
  private static boolean isFunction(Expr expr, Expr field) {
    return Exprs.freeRanks(Exprs.rewrite(expr, node -> node.equals(field) ? Expr.index(0) : node)).isEmpty() && expr.nodes().anyMatch(field::equals);
  }

  /// The most steps that divide those of a word and whose codes make no more choices than a row has elements.
  private static int terms(int places, int bits, int row) {
    int terms = 1;
    while (places % (2 * terms) == 0 && 2 * terms * bits < Integer.SIZE && 1L << 2 * terms * bits <= row) {
      terms *= 2;
    }
    return terms;
  }

  /// Whether the table serves several steps and many columns, and few rows if the steps are few, and none of its factors differs from column to column.
  private boolean isWorthwhile() {
    Set<Rank> columns = Exprs.freeRanks(field.word());
    List<Rank> served = einsum.ranks().stream().filter(columns::contains).toList();
    List<Rank> rows = einsum.ranks().stream().filter(rank -> Factors.ranks(steps).contains(rank)).toList();
    return terms >= PAIR && !steps.isEmpty() && rows.stream().noneMatch(columns::contains) && (terms > PAIR || Exprs.volume(rows) <= MOST_ROWS_OF_PAIRS)
        && Exprs.volume(served) >= (long) LEAST_COLUMNS * choices();
  }

  private int choices() {
    return 1 << terms * field.bits();
  }

  List<Definition> definitions() {
    Einsum choices = choicesOfSteps();
    Einsum sums = sums(choices.tensor());
    return List.of(choices, sums, einsum.withValue(Exprs.rewrite(einsum.value(), node -> node.equals(sum) ? looked(sums.tensor()) : node)));
  }

  /// What the factor is for each step and choice.
  private Einsum choicesOfSteps() {
    Rank step = new Rank("j", Size.of(terms));
    Rank choice = new Rank("c", Size.of(choices()));
    Expr own = cut(new Expr.Coordinate(choice), new Expr.Coordinate(step), field.bits(), field.mask());
    Expr value = Exprs.freshRanks(Exprs.rewrite(decoded, node -> node.equals(field.whole()) ? own : node));
    return defined("choices", List.of(step, choice), value);
  }

  private static Expr cut(Expr word, Expr place, int bits, long mask) {
    Expr distance = bits == 1 ? place : new Expr.Binary(BinaryOp.MUL, place, Expr.index(bits));
    return new Expr.Binary(BinaryOp.AND, new Expr.Binary(BinaryOp.SHR, word, distance), Expr.index(mask));
  }

  /// The table: what the steps add to the sum for each choice.
  private Einsum sums(Tensor choices) {
    Rank step = new Rank("j", Size.of(terms));
    Rank choice = new Rank("c", Size.of(choices()));
    Rank part = part();
    List<Rank> ranks = new ArrayList<>();
    Map<Rank, Expr> values = new IdentityHashMap<>();
    for (Rank rank : outer()) {
      Rank own = new Rank(rank.name(), rank.size());
      ranks.add(own);
      values.put(rank, new Expr.Coordinate(own));
    }
    ranks.add(part);
    ranks.add(choice);
    values.put(sum.ranks().getLast(), new Expr.Binary(BinaryOp.ADD,
        new Expr.Binary(BinaryOp.MUL, new Expr.Coordinate(part), Expr.index(terms)), new Expr.Coordinate(step)));
    Expr product = Factors.product(steps);
    Expr term = new Expr.Binary(BinaryOp.MUL, Exprs.substitute(product, values), new Expr.Access(choices, Exprs.coordinates(List.of(step, choice))));
    return defined("sums", ranks, new Expr.Reduce(Reduction.SUM, List.of(step), term));
  }

  /// The ranks of the table around the steps of a word: those of the result, then those of the reduction.
  private List<Rank> outer() {
    Set<Rank> used = Factors.ranks(steps);
    return Stream.concat(einsum.ranks().stream(), sum.ranks().stream()).filter(rank -> rank != sum.ranks().getLast() && used.contains(rank)).toList();
  }

  /// The parts of a word that are looked up one after the other.
  private Rank part() {
    Rank place = sum.ranks().getLast();
    return new Rank(place.name() + "s", Size.of(place.size().value() / terms));
  }

  /// The sum of what the table says.
  private Expr looked(Tensor sums) {
    Rank part = part();
    List<Rank> ranks = new ArrayList<>(sum.ranks().subList(0, sum.ranks().size() - 1));
    ranks.add(part);
    List<Expr> indices = new ArrayList<>(Exprs.coordinates(outer()));
    indices.add(new Expr.Coordinate(part));
    indices.add(cut(field.word(), new Expr.Coordinate(part), terms * field.bits(), choices() - 1L));
    Expr body = Factors.product(Stream.concat(Stream.of(new Expr.Access(sums, indices)), others.stream()).toList());
    return new Expr.Reduce(Reduction.SUM, ranks, body);
  }

  private Einsum defined(String what, List<Rank> ranks, Expr value) {
    Tensor tensor = new Tensor(einsum.tensor().name() + "_" + what, value.type(), ranks.stream().map(Rank::size).toList(), einsum.span());
    return new Einsum(tensor, ranks, value, einsum.span());
  }
}
