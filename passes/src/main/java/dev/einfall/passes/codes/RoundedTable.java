package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.UnaryOp;
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
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// One table of [RoundTables] and the product that looks it up.
///
/// @param einsum the product
/// @param old its reduction
/// @param sum the same, of which a rank with too many words for a step may be two; the last one goes over the fields of words
/// @param looked the factor that reads the table
/// @param others the other factors
/// @param chunk the ranks of the reduction whose terms have a step in common, without that of the fields
/// @param turned the words with their bits turned to the left, as far as half of the fields have to be moved; empty where they are not known before the program runs
record RoundedTable(Einsum einsum, Expr.Reduce old, Expr.Reduce sum, Expr.Access looked, List<Expr> others, List<Rank> chunk, Optional<Einsum> turned) {
  private static final int BITS = 4;
  private static final int FIELDS = Integer.SIZE / BITS;
  private static final int HALVES = Byte.SIZE / BITS;
  /// The words that may have a step in common: it would be coarser than it need be for more, and sums of four times as many bytes must stay below 2^16.
  private static final int MOST_WORDS = 16;
  private static final int ZERO = 128;
  /// The number of a byte that a field chooses is four times the field.
  private static final int TURN = 2;

  /// @param constant the tensors that weights alone determine
  static Optional<RoundedTable> of(Einsum einsum, Set<Tensor> constant) {
    return Factors.onlySum(einsum.value()).filter(sum -> !sum.ranks().isEmpty() && sum.type() == ElementType.F32 && sum.ranks().getLast().size().value() == FIELDS)
        .flatMap(sum -> of(einsum, sum, sum, constant));
  }

  private static Optional<RoundedTable> of(Einsum einsum, Expr.Reduce old, Expr.Reduce sum, Set<Tensor> constant) {
    Rank place = sum.ranks().getLast();
    List<Expr> factors = Factors.of(sum.body()).toList();
    List<Expr> tables = factors.stream().filter(factor -> factor instanceof Expr.Access access && !constant.contains(access.tensor()) && isTable(access, place)).toList();
    List<Expr> others = factors.stream().filter(factor -> !tables.contains(factor)).toList();
    if (tables.size() != 1 || Factors.ranks(others).contains(place)) {
      return Optional.empty();
    }
    List<Rank> chunk = chunk(sum, others);
    Expr.Access looked = (Expr.Access) tables.getFirst();
    RoundedTable table = new RoundedTable(einsum, old, sum, looked, others, chunk, turned(looked, place, constant));
    return Exprs.volume(chunk) <= MOST_WORDS ? Optional.of(table).filter(RoundedTable::isShared)
        : of(einsum, old, split(sum, chunk.getFirst()), constant);
  }

  /// Whether `access` reads, of numbers for the steps at `place` of words, the one that the field there says.
  private static boolean isTable(Expr.Access access, Rank place) {
    List<Expr> indices = access.indices();
    int last = indices.size() - 1;
    return access.outside().isEmpty() && last > 0 && access.tensor().type() == ElementType.F32 && access.tensor().shape().getLast().value() == 1 << BITS
        && Field.of(indices.get(last), place).filter(field -> field.bits() == BITS).isPresent() && indices.get(last - 1).equals(new Expr.Coordinate(place))
        && indices.subList(0, last - 1).stream().noneMatch(index -> Exprs.freeRanks(index).contains(place) || Exprs.accesses(index).findAny().isPresent());
  }

  private static Optional<Einsum> turned(Expr.Access looked, Rank place, Set<Tensor> constant) {
    return Field.of(looked.indices().getLast(), place).filter(field -> field.word() instanceof Expr.Access words && constant.contains(words.tensor()) && words.outside().isEmpty())
        .map(field -> ((Expr.Access) field.word()).tensor()).map(words -> {
          List<Rank> ranks = IntStream.range(0, words.shape().size()).mapToObj(at -> new Rank("w" + at, words.shape().get(at))).toList();
          Expr left = turn(new Expr.Access(words, Exprs.coordinates(ranks)), Integer.SIZE - TURN);
          Tensor tensor = new Tensor(looked.tensor().name() + "_words", words.type(), words.shape(), words.span());
          return new Einsum(tensor, ranks, left, words.span());
        });
  }

  /// The bits of `word` turned to the right.
  private static Expr turn(Expr word, int distance) {
    Expr low = new Expr.Binary(BinaryOp.AND, new Expr.Binary(BinaryOp.SHR, word, Expr.index(distance)), Expr.index((1L << Integer.SIZE - distance) - 1));
    return new Expr.Binary(BinaryOp.OR, low, new Expr.Binary(BinaryOp.SHL, word, Expr.index((long) Integer.SIZE - distance)));
  }

  /// The last ranks of `sum` for which `others` are the same, as long as these have no more words than a step may be for; one rank at least, if there is one.
  private static List<Rank> chunk(Expr.Reduce sum, List<Expr> others) {
    Set<Rank> differing = Factors.ranks(others);
    List<Rank> chunk = new ArrayList<>();
    for (Rank rank : sum.ranks().subList(0, sum.ranks().size() - 1).reversed()) {
      if (differing.contains(rank) || !chunk.isEmpty() && Exprs.volume(chunk) * rank.size().value() > MOST_WORDS) {
        break;
      }
      chunk.addFirst(rank);
    }
    return chunk;
  }

  /// `sum` with two ranks in place of `rank`, of which the inner one has as many words as a step may be for.
  private static Expr.Reduce split(Expr.Reduce sum, Rank rank) {
    int part = MOST_WORDS;
    while (rank.size().value() % part != 0) {
      part--;
    }
    Rank outer = new Rank(rank.name() + "o", Size.of(rank.size().value() / part));
    Rank inner = new Rank(rank.name() + "i", Size.of(part));
    Expr both = add(new Expr.Binary(BinaryOp.MUL, new Expr.Coordinate(outer), Expr.index(part)), new Expr.Coordinate(inner));
    List<Rank> ranks = sum.ranks().stream().flatMap(one -> one == rank ? Stream.of(outer, inner) : Stream.of(one)).toList();
    return new Expr.Reduce(Reduction.SUM, ranks, Exprs.substitute(sum.body(), Map.of(rank, both)));
  }

  /// Whether columns have one table together, and rows are few.
  private boolean isShared() {
    Set<Rank> columns = Exprs.freeRanks(field().word());
    List<Rank> ofResult = einsum.ranks().stream().filter(rows()::contains).toList();
    return Exprs.volume(ofResult) <= RoundTables.MOST_ROWS && einsum.ranks().stream().anyMatch(columns::contains) && einsum.ranks().stream().noneMatch(rank -> columns.contains(rank) && rows().contains(rank));
  }

  private Rank place() {
    return sum.ranks().getLast();
  }

  private Field field() {
    return Field.of(looked.indices().getLast(), place()).orElseThrow();
  }

  /// The indices of the table in front of the one of the fields.
  private List<Expr> leading() {
    return looked.indices().subList(0, looked.indices().size() - 2);
  }

  /// The ranks that the table differs in, apart from that of the fields: those of the result first.
  private List<Rank> rows() {
    Set<Rank> used = Factors.ranks(leading());
    return Stream.concat(einsum.ranks().stream(), sum.ranks().stream()).filter(used::contains).toList();
  }

  List<Definition> definitions() {
    Einsum largest = largest();
    Einsum bytes = bytes(largest.tensor());
    Einsum product = einsum.withValue(Exprs.rewrite(einsum.value(), node -> node.equals(old) ? product(largest.tensor(), bytes.tensor()) : node));
    return Stream.<Definition>concat(turned.stream(), Stream.of(largest, bytes, product)).toList();
  }

  /// The largest number of each chunk.
  private Einsum largest() {
    Map<Rank, Rank> own = copies(rows());
    Rank field = new Rank(place().name(), place().size());
    Rank choice = choice();
    List<Rank> reduced = Stream.concat(rows().stream().filter(chunk::contains).map(own::get), Stream.of(field, choice)).toList();
    Expr magnitude = new Expr.Unary(UnaryOp.ABS, number(own, new Expr.Coordinate(field), choice));
    return defined("largest", outside().stream().map(own::get).toList(), new Expr.Reduce(Reduction.MAX, reduced, magnitude));
  }

  /// The numbers in steps, as positive bytes, four to a word: those of the fields that lie at one place in the bytes of a word.
  private Einsum bytes(Tensor largest) {
    Map<Rank, Rank> own = copies(rows());
    Rank half = new Rank("h", Size.of(HALVES));
    Rank choice = choice();
    Expr most = new Expr.Access(largest, Exprs.coordinates(outside().stream().map(own::get).toList()));
    Expr word = IntStream.range(0, Integer.BYTES).<Expr>mapToObj(at -> {
      Expr number = number(own, add(Expr.index((long) at * HALVES), new Expr.Coordinate(half)), choice);
      return new Expr.Binary(BinaryOp.SHL, add(new Expr.Cast(ElementType.I32, ByteRounding.whole(number, most)), Expr.index(ZERO)), Expr.index((long) at * Byte.SIZE));
    }).reduce((low, high) -> new Expr.Binary(BinaryOp.OR, low, high)).orElseThrow();
    return defined("bytes", Stream.concat(rows().stream().map(own::get), Stream.of(half, choice)).toList(), word);
  }

  /// The sum of what the bytes say.
  private Expr product(Tensor largest, Tensor bytes) {
    Expr place = new Expr.Coordinate(place());
    List<Expr> indices = new ArrayList<>(Exprs.coordinates(rows()));
    indices.add(new Expr.Binary(BinaryOp.MOD, place, Expr.index(HALVES)));
    indices.add(choice(looked.indices().getLast()));
    Expr distance = new Expr.Binary(BinaryOp.MUL, new Expr.Binary(BinaryOp.DIV, place, Expr.index(HALVES)), Expr.index(Byte.SIZE));
    Expr number = new Expr.Binary(BinaryOp.AND, new Expr.Binary(BinaryOp.SHR, new Expr.Access(bytes, indices), distance), Expr.index(0xff));
    Expr steps = new Expr.Binary(BinaryOp.SUB, new Expr.Cast(ElementType.F32, number), literal(ZERO));
    Expr unit = ByteRounding.step(new Expr.Access(largest, Exprs.coordinates(outside())));
    return new Expr.Reduce(Reduction.SUM, sum.ranks(), Factors.product(Stream.of(Stream.of(steps, unit), others.stream()).flatMap(one -> one).toList()));
  }

  /// The field that `choice` is, cut from the words that are turned.
  private Expr choice(Expr choice) {
    Expr word = field().word();
    return turned.map(definition -> Exprs.rewrite(choice, node -> node.equals(word) ? turn(new Expr.Access(definition.tensor(), ((Expr.Access) word).indices()), TURN) : node)).orElse(choice);
  }

  /// The ranks of the table for whose coordinates steps differ.
  private List<Rank> outside() {
    return rows().stream().filter(rank -> !chunk.contains(rank)).toList();
  }

  /// The number of the table, where `own` are the ranks.
  private Expr number(Map<Rank, Rank> own, Expr field, Rank choice) {
    Map<Rank, Expr> values = new IdentityHashMap<>();
    own.forEach((rank, copy) -> values.put(rank, new Expr.Coordinate(copy)));
    List<Expr> indices = new ArrayList<>(leading().stream().map(index -> Exprs.substitute(index, values)).toList());
    indices.add(field);
    indices.add(new Expr.Coordinate(choice));
    return new Expr.Access(looked.tensor(), indices);
  }

  private Rank choice() {
    return new Rank("c", looked.tensor().shape().getLast());
  }

  private static Map<Rank, Rank> copies(List<Rank> ranks) {
    Map<Rank, Rank> copies = new IdentityHashMap<>();
    ranks.forEach(rank -> copies.put(rank, new Rank(rank.name(), rank.size())));
    return copies;
  }

  private static Expr add(Expr left, Expr right) {
    return new Expr.Binary(BinaryOp.ADD, left, right);
  }

  private static Expr literal(double value) {
    return new Expr.FloatLiteral(ElementType.F32, value);
  }

  private Einsum defined(String what, List<Rank> ranks, Expr value) {
    Tensor tensor = new Tensor(looked.tensor().name() + "_" + what, value.type(), ranks.stream().map(Rank::size).toList(), einsum.span());
    return new Einsum(tensor, ranks, value, einsum.span());
  }
}
