package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.Interval;
import dev.einfall.passes.cascade.Exprs;
import dev.einfall.passes.cascade.IndexForm;
import dev.einfall.passes.loop.PermuteRows;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A product that reads codes in place of elements which these stand for: the definitions of what it reads, and its own.
final class DecodedProduct {
  /// Codes of more bits have more values than are worth a table.
  private static final int MOST_TABLE_BITS = 8;
  /// A table without an instruction for it costs more than so many operations.
  private static final int FEW_OPERATIONS = 4;
  /// Integers up to here are floats.
  private static final long EXACT = 1 << 24;
  private static final int WORD = Integer.SIZE;
  /// More bits than fields of words have are in bytes.
  private static final int FIELD_BITS = 4;
  /// Words of fewer fields save no more than they take to be cut.
  private static final int LEAST_FIELDS = 4;
  /// Rows of tables are used as often.
  private static final int LEAST_USES = 8;
  /// Codes are worth their decoding where elements have so many times the bytes of what is read in their place.
  static final double WORTH = 1.5;

  private final Inlining inlining;
  private final Einsum einsum;
  private final Expr.Reduce reduce;
  private final Codes codes;
  private final Steps steps;
  private final int bits;
  private final int row;
  private final List<Definition> before = new ArrayList<>();
  private final Map<Expr, Expr> replaced = new LinkedHashMap<>();

  private DecodedProduct(Inlining inlining, Einsum einsum, Expr.Reduce reduce, Codes codes, Steps steps, int bits, int row) {
    this.inlining = inlining;
    this.einsum = einsum;
    this.reduce = reduce;
    this.codes = codes;
    this.steps = steps;
    this.bits = bits;
    this.row = row;
  }

  /// @param row how many elements a table has at most for which there is an instruction
  /// @param lanes how many neighbours along the reduction may be added up apart; 1 for none
  /// @return the definitions in place of `einsum`, if it is a sum of products with what codes of few bits stand for.
  static Optional<List<Definition>> of(Inlining inlining, Einsum einsum, int row, int lanes) {
    List<Expr.Reduce> reductions = Exprs.reductions(einsum.value()).distinct().toList();
    boolean isSum = reductions.size() == 1 && reductions.getFirst().reduction() == Reduction.SUM && !Exprs.hasFold(einsum.value());
    return Optional.of(reductions).filter(_ -> isSum && !inlining.isConstant(einsum.tensor())).map(List::getFirst)
        .filter(sum -> isProduct(sum.body())).flatMap(sum -> {
          Expr.Reduce inlined = new Expr.Reduce(sum.reduction(), sum.ranks(), inlining.inlined(sum.body()));
          return sum.ranks().reversed().stream().flatMap(rank -> along(inlining, einsum, sum, inlined, rank, row, lanes).stream()).findFirst();
        });
  }

  private static boolean isProduct(Expr body) {
    return body instanceof Expr.Binary(BinaryOp op, Expr _, Expr _) && op == BinaryOp.MUL;
  }

  private static Optional<List<Definition>> along(Inlining inlining, Einsum einsum, Expr.Reduce sum, Expr.Reduce inlined, Rank rank, int row, int lanes) {
    List<Expr> parts = constantParts(inlining, inlined.body());
    Codes codes = Codes.of(rank, parts);
    boolean isWhole = parts.size() == 1 && parts.getFirst() == inlined.body();
    if (codes.chosen().isEmpty() || !parts.stream().allMatch(codes::areAll) || parts.stream().anyMatch(codes::isGuarded) || isWhole) {
      return Optional.empty();
    }
    int size = rank.size().value();
    int group = parts.stream().flatMap(codes::groups).reduce(size, DecodedProduct::divisor);
    int bits = Integer.highestOneBit(2 * codes.chosen().stream().mapToInt(code -> Codes.bits(Codes.range(code))).max().orElseThrow() - 1);
    int fields = bits >= Byte.SIZE ? 1 : divisor(WORD / bits, group);
    if (group < LEAST_FIELDS) {
      return Optional.empty();
    }
    int cut = fields < LEAST_FIELDS ? 1 : fields;
    Optional<Steps> steps = parts.stream().flatMap(Expr::nodes).anyMatch(node -> isOfOneRow(node, codes, rank)) ? Steps.inLanes(rank, group, cut, lanes) : Optional.empty();
    DecodedProduct product = new DecodedProduct(inlining, einsum, inlined, codes, steps.orElseGet(() -> Steps.of(rank, group, cut)), bits, row);
    List<Definition> definitions = product.definitions(sum);
    return product.isWorthwhile(parts) ? Optional.of(definitions) : Optional.empty();
  }

  /// Whether a table of `node` would be of one row: it is chosen from a row, or a long function of what a row has.
  private static boolean isOfOneRow(Expr node, Codes codes, Rank rank) {
    boolean isChosen = node instanceof Expr.Access access && !codes.isCode(access) && access.indices().stream().anyMatch(index -> !codes.of(index).isEmpty());
    return (isChosen || isFunction(node)) && codes.of(node).size() == 1 && !codes.isCode(node)
        && Exprs.freeRanks(Exprs.rewrite(node, inner -> codes.isCode(inner) ? new Expr.IntLiteral(inner.type(), 0) : inner)).stream().anyMatch(other -> other != rank);
  }

  private static int divisor(int a, int b) {
    return b == 0 ? a : divisor(b, a % b);
  }

  /// The largest expressions in `body` that weights determine, outside of indices.
  private static List<Expr> constantParts(Inlining inlining, Expr body) {
    if (inlining.isConstant(body)) {
      return List.of(body);
    }
    return body instanceof Expr.Access ? List.of() : body.children().flatMap(child -> constantParts(inlining, child).stream()).distinct().toList();
  }

  /// Whether what the product reads of weights now takes a part of the bytes of the elements.
  private boolean isWorthwhile(List<Expr> parts) {
    double elements = parts.stream().mapToDouble(part -> (double) Exprs.volume(List.copyOf(Exprs.freeRanks(part))) * part.type().bytes()).sum();
    double read = read().stream().mapToDouble(Exprs::bytes).sum();
    return read * WORTH <= elements;
  }

  /// The tensors that the product reads in place of elements.
  private List<Tensor> read() {
    return replaced.values().stream().flatMap(Exprs::accesses).map(Expr.Access::tensor).distinct().toList();
  }

  private List<Definition> definitions(Expr.Reduce original) {
    List<Rank> ranks = new ArrayList<>();
    reduce.ranks().forEach(rank -> ranks.addAll(rank == steps.whole() ? steps.ranks() : List.of(rank)));
    Expr body = decoded(reduce.body());
    Expr sum = new Expr.Reduce(reduce.reduction(), ranks, body);
    Expr whole = steps.lane().map(lane -> ofLanes(sum, lane)).orElse(sum);
    List<Definition> definitions = new ArrayList<>(before);
    definitions.add(einsum.withValue(Exprs.rewrite(einsum.value(), node -> node.equals(original) ? whole : node)));
    return definitions;
  }

  /// The sum of what lanes have added up.
  private Expr ofLanes(Expr sum, Rank lane) {
    List<Rank> ranks = new ArrayList<>(einsum.ranks().stream().map(rank -> new Rank(rank.name(), rank.size())).toList());
    Map<Rank, Expr> places = new IdentityHashMap<>();
    for (int i = 0; i < ranks.size(); i++) {
      places.put(einsum.ranks().get(i), new Expr.Coordinate(ranks.get(i)));
    }
    ranks.add(lane);
    Tensor lanes = defined("lanes", ranks, Exprs.substitute(sum, places));
    List<Expr> indices = new ArrayList<>(Exprs.coordinates(einsum.ranks()));
    Rank added = new Rank(lane.name(), lane.size());
    indices.add(new Expr.Coordinate(added));
    return new Expr.Reduce(Reduction.SUM, List.of(added), new Expr.Access(lanes, indices));
  }

  /// `expr` with what weights determine in terms of codes and of what groups share, at the coordinates of the steps.
  private Expr decoded(Expr expr) {
    return inlining.isConstant(expr) ? constant(expr)
        : expr instanceof Expr.Access || expr instanceof Expr.Coordinate ? atSteps(expr) : expr.mapChildren(this::decoded);
  }

  private Expr atSteps(Expr expr) {
    return Exprs.substitute(expr, Map.of(steps.whole(), steps.coordinate()));
  }

  /// What stands for `expr`, which weights determine.
  private Expr constant(Expr expr) {
    if (!replaced.containsKey(expr)) {
      replaced.put(expr, replacement(SharedFactors.apart(expr, codes)));
    }
    return replaced.get(expr);
  }

  private Expr replacement(Expr expr) {
    if (!codes.isFine(expr)) {
      return shared(expr);
    }
    List<Expr> inside = codes.of(expr);
    if (codes.isCode(expr)) {
      return code(expr);
    }
    if (inside.size() == 1 && Codes.isFunction(expr, inside.getFirst()) && isWorthTable(expr)) {
      return looked(expr, inside.getFirst());
    }
    if (inside.size() == 1 && isOfRows(expr, inside.getFirst()) && isWorthTables(expr, inside.getFirst())) {
      // A row that fills a vector is loaded as it is.
      int length = Math.max(1 << Codes.bits(Codes.range(inside.getFirst())), steps.lane().map(lane -> lane.size().value()).orElse(1));
      return element(expr, inside.getFirst(), length, 1, false, outer(without(expr, inside.getFirst())), place(inside.getFirst()));
    }
    Optional<Expr> difference = difference(expr);
    if (difference.isPresent()) {
      return difference.get().mapChildren(this::constant);
    }
    return expr.mapChildren(this::decoded);
  }

  /// `f32(q - z)` as `f32(q) - f32(z)`, which is the same where floats are exact, so that what groups share is one of these.
  private Optional<Expr> difference(Expr expr) {
    Interval exact = new Interval(-EXACT, EXACT);
    boolean isExact = expr instanceof Expr.Cast(ElementType to, Expr.Binary(BinaryOp op, Expr left, Expr right)) && to == ElementType.F32 && op == BinaryOp.SUB
        && Exprs.accesses(right).findAny().isPresent() && !(codes.isFine(left) && codes.isFine(right))
        && left.type().isInteger() && exact.contains(Codes.range(left)) && exact.contains(Codes.range(right)) && exact.contains(Codes.range(((Expr.Cast) expr).operand()));
    return isExact && ((Expr.Cast) expr).operand() instanceof Expr.Binary(BinaryOp op, Expr left, Expr right)
        ? Optional.of(new Expr.Binary(op, new Expr.Cast(expr.type(), left), new Expr.Cast(expr.type(), right))) : Optional.empty();
  }

  private static Expr cast(ElementType type, Expr expr) {
    return expr.type() == type ? expr : expr instanceof Expr.IntLiteral literal ? Expr.literal(type, literal.value()) : new Expr.Cast(type, expr);
  }

  private boolean isWorthTable(Expr expr) {
    Expr code = codes.of(expr).getFirst();
    int width = Codes.bits(Codes.range(code));
    long operations = Exprs.operations(expr) - Exprs.operations(code);
    return width <= MOST_TABLE_BITS && expr.type().isFloat() && (isLong(expr) || operations > lookUp(expr, code, width) || isLookedUp(expr));
  }

  /// How many operations a choice is about among what codes of so many bits stand for; of a short row it takes the place of a conversion.
  private long lookUp(Expr expr, Expr code, int width) {
    boolean isQuick = 1 << Math.max(width, bits) <= row;
    return isQuick ? 0 : width <= FIELD_BITS || row <= PermuteRows.MOST ? FEW_OPERATIONS : FEW_OPERATIONS + Evaluation.values(expr, code).map(values -> ValueTables.of(values, row).cost()).orElse(1 << width);
  }

  /// Whether `expr` has functions that are many operations each.
  private static boolean isLong(Expr expr) {
    return expr.nodes().anyMatch(DecodedProduct::isFunction);
  }

  private static boolean isFunction(Expr node) {
    return node instanceof Expr.Binary binary && binary.op() == BinaryOp.POW || node instanceof Expr.Unary unary && !unary.op().isCorrectlyRounded();
  }

  /// Whether `expr` is an element at a place that a code says.
  private boolean isLookedUp(Expr expr) {
    return Exprs.accesses(expr).anyMatch(access -> access.indices().stream().anyMatch(index -> !codes.of(index).isEmpty()) && !codes.isCode(access));
  }

  /// Whether nothing but `code` and what is the same along the whole rank determines `expr`.
  private boolean isOfRows(Expr expr, Expr code) {
    return expr.equals(code) || !Exprs.freeRanks(expr).contains(steps.whole()) || !codes.of(expr).isEmpty() && expr.children().allMatch(child -> isOfRows(child, code));
  }

  /// Whether a table for each row is little beside its codes, and computing `expr` for each step much.
  private boolean isWorthTables(Expr expr, Expr code) {
    long values = 1L << Codes.bits(Codes.range(code));
    return expr.type() == ElementType.F32 && values * LEAST_USES <= steps.whole().size().value() && (isLong(expr) || isLookedUp(expr) && steps.lane().isPresent());
  }

  private static Expr without(Expr expr, Expr code) {
    return Exprs.rewrite(expr, node -> node.equals(code) ? new Expr.IntLiteral(code.type(), 0) : node);
  }

  /// What `expr` is for each value of `code`, looked up in the cheapest way; for fields that no code has, as for the last one.
  private Expr looked(Expr expr, Expr code) {
    int width = Codes.bits(Codes.range(code));
    ValueTables form = Evaluation.values(expr, code).filter(_ -> width > FIELD_BITS).map(values -> ValueTables.of(values, row)).orElse(new ValueTables.Whole(1 << width, 1));
    Expr index = new Expr.Coordinate(new Rank("place", Size.of(1 << width)));
    Expr found = form.at(index, (length, step, isDistance, place) -> element(expr, code, length, step, isDistance, List.of(), place));
    Expr place = place(code);
    return Exprs.rewrite(found, node -> node.equals(index) ? place : masked(node));
  }

  /// A mask of what is masked already as one mask.
  private static Expr masked(Expr expr) {
    return expr instanceof Expr.Binary(BinaryOp op, Expr.Binary(BinaryOp inner, Expr place, Expr.IntLiteral first), Expr.IntLiteral second)
        && op == BinaryOp.AND && inner == op ? new Expr.Binary(op, place, new Expr.IntLiteral(first.type(), first.value() & second.value())) : expr;
  }

  /// The element at `place` of a table of what `expr` is for each value of `code`.
  ///
  /// @param step how many codes are from one element to the next
  /// @param isDistance whether elements are how far it is from each number to that of the next code
  /// @param rows of which each coordinate has a table of its own
  private Expr element(Expr expr, Expr code, int length, int step, boolean isDistance, List<Rank> rows, Expr place) {
    Rank value = new Rank("value", Size.of(length));
    List<Rank> ranks = new ArrayList<>();
    List<Expr> indices = new ArrayList<>();
    Map<Rank, Expr> values = new IdentityHashMap<>();
    addOuter(rows, ranks, indices, values);
    ranks.add(value);
    indices.add(place);
    Expr coordinate = step == 1 ? new Expr.Coordinate(value) : new Expr.Binary(BinaryOp.MUL, new Expr.Coordinate(value), Expr.index(step));
    Expr first = ofCode(expr, code, coordinate, (long) length * step);
    Expr number = isDistance ? new Expr.Binary(BinaryOp.SUB, ofCode(expr, code, new Expr.Binary(BinaryOp.ADD, coordinate, Expr.index(1)), (long) length * step), first) : first;
    return new Expr.Access(defined(isDistance ? "distances" : "values", ranks, values.isEmpty() ? number : at(number, values)), indices);
  }

  /// `expr` for the code that is `place` above the least one, or the last one if there are fewer than `values`.
  private static Expr ofCode(Expr expr, Expr code, Expr place, long values) {
    Interval range = Codes.range(code);
    Expr from = plus(place, range.low());
    boolean isThere = values <= range.high() - range.low() + 1;
    Expr as = cast(code.type(), isThere ? from : new Expr.Binary(BinaryOp.MIN, from, Expr.index(range.high())));
    return Exprs.rewrite(expr, node -> node.equals(code) ? as : node);
  }

  /// How far `code` is above the least one.
  private Expr place(Expr code) {
    int width = Codes.bits(Codes.range(code));
    Expr place = i32(field(code, Codes.range(code).low(), ElementType.U8));
    return steps.fields() > 1 || width == Byte.SIZE ? place : new Expr.Binary(BinaryOp.AND, place, Expr.index((1 << width) - 1));
  }

  private static Expr plus(Expr expr, long number) {
    return number == 0 ? expr : new Expr.Binary(BinaryOp.ADD, i32(expr), Expr.index(number));
  }

  /// What all coordinates of a group share, computed ahead.
  private Expr shared(Expr expr) {
    boolean isGrouped = Exprs.freeRanks(expr).contains(steps.whole());
    List<Rank> outer = outer(expr);
    List<Rank> ranks = new ArrayList<>();
    List<Expr> indices = new ArrayList<>();
    Map<Rank, Expr> values = new IdentityHashMap<>();
    // Lanes go along the steps: what a row of the result has is side by side then.
    if (steps.lane().isPresent()) {
      addOuter(outer, ranks, indices, values);
    }
    if (isGrouped && steps.groups() > 1) {
      Rank group = new Rank(steps.groupName(), Size.of(steps.groups()));
      ranks.add(group);
      indices.add(steps.ofGroup());
      values.put(steps.whole(), new Expr.Binary(BinaryOp.MUL, new Expr.Coordinate(group), Expr.index(steps.group())));
    } else if (isGrouped) {
      values.put(steps.whole(), Expr.index(0));
    }
    if (steps.lane().isEmpty()) {
      addOuter(outer, ranks, indices, values);
    }
    return new Expr.Access(defined("shared", ranks, at(expr, values)), indices);
  }

  /// The code itself, decoded from its field.
  private Expr code(Expr code) {
    return cast(code.type(), plus(field(code, least(code), inMemory(Codes.range(code))), least(code)));
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

  /// The field of `code` in a word, or what is in memory of it by itself.
  ///
  /// @param least what a field of 0 means
  private Expr field(Expr code, long least, ElementType memory) {
    List<Rank> outer = outer(code);
    List<Rank> ranks = new ArrayList<>();
    List<Expr> indices = new ArrayList<>();
    Map<Rank, Expr> values = new IdentityHashMap<>();
    Rank word = new Rank(steps.wordName(), Size.of(steps.whole().size().value() / steps.block()));
    Optional<Rank> among = steps.lane().map(lane -> new Rank(lane.name(), lane.size()));
    addOuter(outer.stream().filter(rank -> reduce.ranks().contains(rank) || among.isPresent()).toList(), ranks, indices, values);
    ranks.add(word);
    indices.add(steps.word());
    among.ifPresent(ranks::add);
    steps.lane().ifPresent(lane -> indices.add(new Expr.Coordinate(lane)));
    addOuter(outer.stream().filter(rank -> einsum.ranks().contains(rank) && among.isEmpty()).toList(), ranks, indices, values);
    Expr here = among.<Expr>map(Expr.Coordinate::new).orElse(Expr.index(0));
    if (steps.fields() == 1) {
      values.put(steps.whole(), steps.at(new Expr.Coordinate(word), Expr.index(0), here));
      return new Expr.Access(defined("codes", ranks, cast(memory, stored(code, least, values))), indices);
    }
    Rank place = new Rank("f", Size.of(steps.fields()));
    values.put(steps.whole(), steps.at(new Expr.Coordinate(word), new Expr.Coordinate(place), here));
    Expr shifted = new Expr.Binary(BinaryOp.SHL, i32(stored(code, least, values)), new Expr.Binary(BinaryOp.MUL, new Expr.Coordinate(place), Expr.index(width())));
    Tensor words = defined("words", ranks, new Expr.Reduce(Reduction.SUM, List.of(place), shifted));
    Expr distance = new Expr.Binary(BinaryOp.MUL, steps.place(), Expr.index(width()));
    return new Expr.Binary(BinaryOp.AND, new Expr.Binary(BinaryOp.SHR, new Expr.Access(words, indices), distance), Expr.index((1 << Codes.bits(Codes.range(code))) - 1));
  }

  /// What is stored of `code` at other places.
  private static Expr stored(Expr code, long least, Map<Rank, Expr> values) {
    Expr there = at(code, values);
    return least == 0 ? there : new Expr.Binary(BinaryOp.SUB, i32(there), Expr.index(least));
  }

  /// How many bits of a word a field has.
  private int width() {
    return WORD / steps.fields();
  }

  private static Expr i32(Expr expr) {
    return expr.type() == ElementType.I32 ? expr : new Expr.Cast(ElementType.I32, expr);
  }

  /// `expr` at other places, of which those inside of its tensors are in simple terms.
  private static Expr at(Expr expr, Map<Rank, Expr> values) {
    return IndexForm.withSimpleIndices(Exprs.substitute(expr, values));
  }

  /// The ranks of `expr` but the one of the steps: those of the reduction before those of the result.
  private List<Rank> outer(Expr expr) {
    List<Rank> ranks = new ArrayList<>(reduce.ranks());
    ranks.addAll(einsum.ranks());
    return ranks.stream().filter(rank -> rank != steps.whole() && Exprs.freeRanks(expr).contains(rank)).toList();
  }

  private static void addOuter(List<Rank> outer, List<Rank> ranks, List<Expr> indices, Map<Rank, Expr> values) {
    for (Rank rank : outer) {
      Rank own = new Rank(rank.name(), rank.size());
      ranks.add(own);
      indices.add(new Expr.Coordinate(rank));
      values.put(rank, new Expr.Coordinate(own));
    }
  }

  /// A tensor with `value` for each point of `ranks`; what has these elements already, if there is such.
  private Tensor defined(String what, List<Rank> ranks, Expr value) {
    if (value instanceof Expr.Access access && access.outside().isEmpty() && access.indices().equals(Exprs.coordinates(ranks))
        && access.tensor().shape().equals(ranks.stream().map(Rank::size).toList())) {
      return access.tensor();
    }
    Tensor tensor = new Tensor(einsum.tensor().name() + "_" + what, value.type(), ranks.stream().map(Rank::size).toList(), einsum.span());
    before.add(new Einsum(tensor, ranks, value, einsum.span()));
    return tensor;
  }
}
