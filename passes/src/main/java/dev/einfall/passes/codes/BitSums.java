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
import dev.einfall.passes.cascade.IndexForm;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// A [BitProduct] as counts of bits: the definitions of planes and sums, and its own.
final class BitSums {
  private final BitProduct product;
  private final Einsum einsum;
  private final Steps steps;
  /// What is packed at every run, if one of the factors is.
  private final FewBits row;
  private final FewBits weight;
  /// The ranks of the sum of words along which a scale, or what is added to codes, differs, and the others.
  private final List<Rank> cells;
  private final List<Rank> words;
  private final List<Expr> ofCells;
  private final List<Expr> ofAll;
  private final List<Definition> before = new ArrayList<>();

  private BitSums(BitProduct product, Steps steps) {
    this.product = product;
    this.einsum = product.einsum();
    this.steps = steps;
    boolean isLeftConstant = product.isConstant(product.left());
    this.row = atGroups(isLeftConstant ? product.right() : product.left());
    this.weight = atGroups(isLeftConstant ? product.left() : product.right());
    List<Expr> scales = product.scales().stream().map(this::atGroup).toList();
    Set<Rank> apart = Factors.ranks(Stream.of(scales, row.shared(), weight.shared()).flatMap(List::stream).toList());
    List<Rank> all = product.sum().ranks().stream()
        .flatMap(rank -> rank == product.rank() ? steps.ranks().stream().filter(part -> part != steps.places()) : Stream.of(rank)).toList();
    this.cells = all.stream().filter(apart::contains).toList();
    this.words = all.stream().filter(rank -> !apart.contains(rank)).toList();
    this.ofCells = scales.stream().filter(scale -> cells.stream().anyMatch(Exprs.freeRanks(scale)::contains)).toList();
    this.ofAll = scales.stream().filter(scale -> !ofCells.contains(scale)).toList();
  }

  /// The definitions in place of the product.
  static List<Definition> of(BitProduct product) {
    return new BitSums(product, Steps.of(product.rank(), product.group(), BitProduct.WORD)).definitions();
  }

  private FewBits atGroups(FewBits factor) {
    return new FewBits(factor.name(), factor.code(), factor.bits(), factor.step(), factor.offset(), factor.shared().stream().map(this::atGroup).toList(), List.of());
  }

  /// What a group shares, at its first step.
  private Expr atGroup(Expr shared) {
    Expr first = steps.groups() == 1 ? Expr.index(0) : new Expr.Binary(BinaryOp.MUL, steps.ofGroup(), Expr.index(steps.group()));
    return IndexForm.withSimpleIndices(Exprs.substitute(shared, Map.of(product.rank(), first)));
  }

  private List<Definition> definitions() {
    List<Expr> rows = planes(row);
    List<Expr> weights = planes(weight);
    Expr value = row.isSigns() && weight.isSigns() ? differences(rows.getFirst(), weights.getFirst()) : products(rows, weights);
    before.add(einsum.withValue(Exprs.rewrite(einsum.value(), node -> node.equals(product.sum()) ? value : node)));
    return before;
  }

  /// The sum for signs, by what differs.
  private Expr differences(Expr one, Expr other) {
    Expr differing = total(popcount(new Expr.Binary(BinaryOp.XOR, one, other)));
    Expr sum = new Expr.Binary(BinaryOp.SUB, ofAllCells(Expr.index(cell())), times(2, differing));
    return scaled(sum, row.offset() * weight.offset());
  }

  /// The sum for all other codes, by what words have in common.
  private Expr products(List<Expr> rows, List<Expr> weights) {
    List<List<Expr>> counts = IntStream.range(0, rows.size() + weights.size() - 1).<List<Expr>>mapToObj(_ -> new ArrayList<>()).toList();
    for (int a = 0; a < rows.size(); a++) {
      for (int b = 0; b < weights.size(); b++) {
        counts.get(a + b).add(popcount(new Expr.Binary(BinaryOp.AND, rows.get(a), weights.get(b))));
      }
    }
    Expr sum = times(row.step() * weight.step(), total(powers(counts)));
    Optional<Expr> ofRows = weight.added().map(added -> product(added, times(row.step(), sums(row, rows))));
    Optional<Expr> ofWeights = row.added().map(added -> product(added, weight.added().map(other -> plus(times(weight.step(), sums(weight, weights)), product(other, Expr.index(cell()))))
        .orElseGet(() -> times(weight.step(), sums(weight, weights)))));
    boolean isOneSum = row.added().filter(added -> !Exprs.freeRanks(added).isEmpty()).isPresent() || ofCells.stream().anyMatch(scale -> !Factors.isConstant(scale, product.constants()));
    List<Expr> parts = Stream.of(ofWeights, ofRows).flatMap(Optional::stream).toList();
    for (Expr part : isOneSum ? parts.stream().reduce(BitSums::plus).stream().toList() : parts) {
      sum = plus(sum, ofAllCells(part));
    }
    return scaled(sum, 1);
  }

  /// How many steps a cell has.
  private long cell() {
    return Exprs.volume(words) * BitProduct.WORD;
  }

  /// `sum` times the scales that all cells share, as `f32`.
  private Expr scaled(Expr sum, long factor) {
    Expr value = f32(sum);
    List<Expr> factors = Stream.concat(Stream.of(times(factor, value)), ofAll.stream()).toList();
    return factors.size() == 1 ? factors.getFirst() : new Expr.Binary(BinaryOp.MUL, factors.getFirst(), Factors.product(ofAll));
  }

  /// The sum of `count`, scaled in each cell where scales differ.
  private Expr total(Expr count) {
    return reduced(Stream.concat(cells.stream(), words.stream()).toList(), inCell(count));
  }

  /// The sum of `part` of each cell, which is computed for itself if it is more than a number.
  private Expr ofAllCells(Expr part) {
    Expr sum = reduced(cells, inCell(part));
    return Exprs.freeRanks(sum).isEmpty() && cells.isEmpty() ? sum : AheadOfProduct.element(einsum, "offset", sum, einsum.ranks(), before);
  }

  private Expr inCell(Expr integer) {
    return ofCells.isEmpty() ? integer : new Expr.Binary(BinaryOp.MUL, f32(integer), Factors.product(ofCells));
  }

  private static Expr f32(Expr number) {
    return number.type() == ElementType.F32 ? number : number instanceof Expr.IntLiteral literal ? Expr.literal(ElementType.F32, literal.value()) : new Expr.Cast(ElementType.F32, number);
  }

  private static Expr reduced(List<Rank> ranks, Expr body) {
    return ranks.isEmpty() ? body : new Expr.Reduce(Reduction.SUM, ranks, body);
  }

  /// The sums of the codes of `factor` in a cell.
  private Expr sums(FewBits factor, List<Expr> planes) {
    Expr counts = powers(planes.stream().map(plane -> List.of(popcount(plane))).toList());
    List<Rank> order = Stream.of(isAlongLanes(factor) ? cells : einsum.ranks(), isAlongLanes(factor) ? einsum.ranks() : cells).flatMap(List::stream).toList();
    return AheadOfProduct.element(einsum, "sums", reduced(words, counts), order, before);
  }

  private boolean isAlongLanes(FewBits factor) {
    return !einsum.ranks().isEmpty() && Exprs.freeRanks(factor.code()).contains(einsum.ranks().getLast());
  }

  /// The words of each bit of the codes of `factor`, the lowest bit first, at the coordinates of the steps.
  private List<Expr> planes(FewBits factor) {
    Expr code = codes(factor);
    List<Rank> free = einsum.ranks().stream().filter(Exprs.freeRanks(factor.code())::contains).toList();
    List<Rank> summed = product.sum().ranks();
    List<Rank> order = Stream.concat((isAlongLanes(factor) ? summed : free).stream(), (isAlongLanes(factor) ? free : summed).stream()).toList();
    return IntStream.range(0, factor.bits()).mapToObj(bit -> plane(factor, code, bit, order)).toList();
  }

  private Expr plane(FewBits factor, Expr code, int bit, List<Rank> order) {
    Rank place = new Rank("f", Size.of(BitProduct.WORD));
    Map<Rank, Expr> places = new IdentityHashMap<>();
    List<Rank> ranks = new ArrayList<>();
    List<Expr> indices = new ArrayList<>();
    for (Rank rank : order) {
      boolean isWord = rank == product.rank();
      Rank own = isWord ? new Rank(rank.name() + "w", Size.of(rank.size().value() / BitProduct.WORD)) : new Rank(rank.name(), rank.size());
      ranks.add(own);
      indices.add(isWord ? steps.word() : new Expr.Coordinate(rank));
      places.put(rank, isWord ? plus(times(BitProduct.WORD, new Expr.Coordinate(own)), new Expr.Coordinate(place)) : new Expr.Coordinate(own));
    }
    Expr there = IndexForm.withSimpleIndices(Exprs.substitute(code, places));
    Expr shifted = bit == 0 ? there : new Expr.Binary(BinaryOp.SHR, there, Expr.index(bit));
    Expr one = factor.bits() == 1 ? there : new Expr.Binary(BinaryOp.AND, shifted, Expr.index(1));
    Expr word = new Expr.Reduce(Reduction.SUM, List.of(place), new Expr.Binary(BinaryOp.SHL, one, new Expr.Coordinate(place)));
    Tensor tensor = new Tensor(factor.name() + "_bits" + (bit == 0 ? "" : bit), ElementType.I32, ranks.stream().map(Rank::size).toList(), einsum.span());
    before.add(new Einsum(tensor, ranks, word, einsum.span()));
    return new Expr.Access(tensor, indices);
  }

  /// The codes of `factor`, which are computed for themselves where several planes would each do it at every run.
  private Expr codes(FewBits factor) {
    boolean isApart = factor.bits() > 1 && !product.isConstant(factor) && Exprs.operations(factor.code()) > 0;
    List<Rank> order = Stream.concat(einsum.ranks().stream(), product.sum().ranks().stream()).toList();
    return isApart ? AheadOfProduct.element(einsum, factor.name(), "code", factor.code(), order, before) : factor.code();
  }

  /// The sum of powers of two, from the lowest up, times what they have.
  private static Expr powers(List<List<Expr>> terms) {
    return terms.reversed().stream().map(same -> same.stream().reduce(BitSums::plus).orElseThrow())
        .reduce((above, same) -> plus(new Expr.Binary(BinaryOp.SHL, above, Expr.index(1)), same)).orElseThrow();
  }

  private static Expr popcount(Expr word) {
    return new Expr.Unary(UnaryOp.POPCOUNT, word);
  }

  private static Expr plus(Expr one, Expr other) {
    return new Expr.Binary(BinaryOp.ADD, one, other);
  }

  private static Expr times(long factor, Expr value) {
    return factor == 1 ? value : new Expr.Binary(BinaryOp.MUL, value, Expr.literal(value.type(), factor));
  }

  /// The product of integers, of which the first may be a number.
  private static Expr product(Expr one, Expr other) {
    return one instanceof Expr.IntLiteral number && other instanceof Expr.IntLiteral same ? Expr.index(number.value() * same.value())
        : one instanceof Expr.IntLiteral number ? times(number.value(), other) : new Expr.Binary(BinaryOp.MUL, other, one);
  }
}
