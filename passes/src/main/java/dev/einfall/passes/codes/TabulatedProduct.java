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
import dev.einfall.passes.loop.PermuteRows;
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
  static final int MOST_ROWS_OF_PAIRS = 16;
  private static final int PAIR = 2;
  /// How many columns a table has to serve for each of its elements: one of 4,096 x 16 bytes takes as long as 600 columns gain by it.
  private static final int LEAST_COLUMNS = 8;
  private static final int LEAST_COLUMNS_OF_BYTES = 64;

  /// @param row how many elements a row of the table may have
  /// @param isRounded whether it will be of bytes
  static Optional<TabulatedProduct> of(Einsum einsum, int row, boolean isRounded) {
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
    List<Expr> steps = fine.stream().filter(factor -> factor != decoded.getFirst()).toList();
    List<Expr> others = factors.stream().filter(factor -> !fine.contains(factor)).toList();
    TabulatedProduct product = new TabulatedProduct(einsum, sum, field, decoded.getFirst(), steps, others, 1);
    return Optional.of(product.of(row / PermuteRows.MOST)).filter(one -> isRounded && one.choices() == row / PermuteRows.MOST && one.isForBytes())
        .or(() -> Optional.of(product.of(row)).filter(one -> one.isFaster() && one.serves(LEAST_COLUMNS)));
  }

  /// The same with as many steps as a row of so many elements has choices for.
  private TabulatedProduct of(int row) {
    return new TabulatedProduct(einsum, sum, field, decoded, steps, others, terms(sum.ranks().getLast().size().value(), field.bits(), row));
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

  /// Whether a table of bytes, which single steps gain by, too, has few rows to be made for, and as many columns as the rounding is worth.
  private boolean isForBytes() {
    return Exprs.volume(rows()) <= RoundTables.MOST_ROWS && serves(LEAST_COLUMNS_OF_BYTES);
  }

  /// Whether numbers are looked up faster than they are multiplied: for several steps, and with few rows if these are few.
  private boolean isFaster() {
    return terms >= PAIR && (terms > PAIR || Exprs.volume(rows()) <= MOST_ROWS_OF_PAIRS);
  }

  private List<Rank> rows() {
    return einsum.ranks().stream().filter(rank -> Factors.ranks(steps).contains(rank)).toList();
  }

  /// Whether the table serves so many columns for each of its elements, and none of its factors differs from column to column.
  private boolean serves(int least) {
    Set<Rank> columns = Exprs.freeRanks(field.word());
    List<Rank> served = einsum.ranks().stream().filter(columns::contains).toList();
    return !steps.isEmpty() && rows().stream().noneMatch(columns::contains) && Exprs.volume(served) >= (long) least * choices();
  }

  private int choices() {
    return 1 << terms * field.bits();
  }

  List<Definition> definitions() {
    Einsum choices = terms == 1 ? choicesOfStep() : choicesOfSteps();
    Einsum table = terms == 1 ? products(choices.tensor()) : sums(choices.tensor());
    return List.of(choices, table, looking(table.tensor()));
  }

  private Einsum looking(Tensor table) {
    return einsum.withValue(Exprs.rewrite(einsum.value(), node -> node.equals(sum) ? looked(table) : node));
  }

  /// What the factor is for each choice of a single step.
  private Einsum choicesOfStep() {
    Rank choice = new Rank("c", Size.of(choices()));
    Expr own = new Expr.Binary(BinaryOp.AND, new Expr.Coordinate(choice), Expr.index(field.mask()));
    return defined("choices", List.of(choice), Exprs.freshRanks(Exprs.rewrite(decoded, node -> node.equals(field.whole()) ? own : node)));
  }

  /// The table for single steps.
  private Einsum products(Tensor choices) {
    Rank choice = new Rank("c", Size.of(choices()));
    Map<Rank, Expr> values = new IdentityHashMap<>();
    List<Rank> ranks = own(values);
    Rank part = part();
    ranks.add(part);
    ranks.add(choice);
    values.put(sum.ranks().getLast(), new Expr.Coordinate(part));
    Expr chosen = new Expr.Access(choices, Exprs.coordinates(List.of(choice)));
    return defined("products", ranks, new Expr.Binary(BinaryOp.MUL, Exprs.substitute(Factors.product(steps), values), chosen));
  }

  /// What the factor is for each step and choice.
  private Einsum choicesOfSteps() {
    Rank step = new Rank("j", Size.of(terms));
    Rank choice = new Rank("c", Size.of(choices()));
    Expr own = Field.cut(new Expr.Coordinate(choice), new Expr.Coordinate(step), field.bits(), field.mask());
    Expr value = Exprs.freshRanks(Exprs.rewrite(decoded, node -> node.equals(field.whole()) ? own : node));
    return defined("choices", List.of(step, choice), value);
  }

  /// The table: what the steps add to the sum for each choice.
  private Einsum sums(Tensor choices) {
    Rank step = new Rank("j", Size.of(terms));
    Rank choice = new Rank("c", Size.of(choices()));
    Rank part = part();
    Map<Rank, Expr> values = new IdentityHashMap<>();
    List<Rank> ranks = own(values);
    ranks.add(part);
    ranks.add(choice);
    values.put(sum.ranks().getLast(), new Expr.Binary(BinaryOp.ADD,
        new Expr.Binary(BinaryOp.MUL, new Expr.Coordinate(part), Expr.index(terms)), new Expr.Coordinate(step)));
    Expr product = Factors.product(steps);
    Expr term = new Expr.Binary(BinaryOp.MUL, Exprs.substitute(product, values), new Expr.Access(choices, Exprs.coordinates(List.of(step, choice))));
    return defined("sums", ranks, new Expr.Reduce(Reduction.SUM, List.of(step), term));
  }

  /// Copies of the ranks of the table around the steps of a word, as which `values` learns to know them.
  private List<Rank> own(Map<Rank, Expr> values) {
    List<Rank> ranks = new ArrayList<>();
    for (Rank rank : outer()) {
      Rank own = new Rank(rank.name(), rank.size());
      ranks.add(own);
      values.put(rank, new Expr.Coordinate(own));
    }
    return ranks;
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
    indices.add(Field.cut(field.word(), new Expr.Coordinate(part), terms * field.bits(), choices() - 1L));
    Expr body = Factors.product(Stream.concat(Stream.of(new Expr.Access(sums, indices)), others.stream()).toList());
    return new Expr.Reduce(Reduction.SUM, ranks, body);
  }

  private Einsum defined(String what, List<Rank> ranks, Expr value) {
    Tensor tensor = new Tensor(einsum.tensor().name() + "_" + what, value.type(), ranks.stream().map(Rank::size).toList(), einsum.span());
    return new Einsum(tensor, ranks, value, einsum.span());
  }
}
