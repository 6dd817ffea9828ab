package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.DotShape;
import dev.einfall.ir.loop.Interval;
import dev.einfall.passes.analysis.ValueRanges;
import dev.einfall.passes.cascade.Exprs;
import dev.einfall.passes.cascade.Factors;
import dev.einfall.passes.cascade.IndexForm;
import dev.einfall.passes.cascade.Uses;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One product of [MultiplyIntegers].
///
/// @param uses the cascade that it is part of
/// @param dots what the machine multiplies
record IntegerProduct(Uses uses, List<DotShape> dots, Einsum einsum) {
  /// What is added to a factor that an instruction takes without a sign.
  private static final int OFFSET = 128;
  /// Sums of a factor that is multiplied so often take little beside the products.
  private static final int MANY = 16;

  /// A factor: the integer that it is a multiple of, as an element of a tensor, and by what.
  ///
  /// @param code where the integer is
  /// @param definition what computes that tensor, if it is not there yet
  /// @param scales the other factors
  private record Multiple(Expr.Access code, Optional<Einsum> definition, List<Expr> scales) {

    ElementType type() {
      return code.tensor().type();
    }
  }

  /// The definitions in place of the product, if it is one of two such factors.
  Optional<List<Definition>> definitions() {
    List<Expr.Reduce> reductions = Exprs.reductions(einsum.value()).distinct().toList();
    if (reductions.size() != 1 || reductions.getFirst().reduction() != Reduction.SUM || reductions.getFirst().type() != ElementType.F32
        || uses.constants().contains(einsum.tensor())) {
      return Optional.empty();
    }
    Expr.Reduce sum = reductions.getFirst();
    List<Multiple> multiples = new ArrayList<>();
    List<Expr> scales = new ArrayList<>();
    for (Expr factor : Factors.of(sum.body()).toList()) {
      Optional<Multiple> multiple = multiple(factor);
      multiple.ifPresent(multiples::add);
      scales.addAll(multiple.map(Multiple::scales).orElse(List.of(factor)));
    }
    boolean areFree = scales.stream().allMatch(scale -> sum.ranks().stream().noneMatch(Exprs.freeRanks(scale)::contains));
    return multiples.size() == 2 && areFree ? product(sum, multiples, scales) : Optional.empty();
  }

  /// `factor` as a multiple of a byte that is stored, or that can be where the tensor is made.
  private Optional<Multiple> multiple(Expr factor) {
    if (factor instanceof Expr.Cast(ElementType to, Expr.Access access) && to == ElementType.F32 && isByte(access.type()) && access.outside().isEmpty()) {
      return Optional.of(new Multiple(access, Optional.empty(), List.of()));
    }
    Einsum producer = factor instanceof Expr.Access access && access.outside().isEmpty() ? uses.einsums().get(access.tensor()) : null;
    return producer == null || uses.constants().contains(producer.tensor()) ? Optional.empty() : multiple((Expr.Access) factor, producer);
  }

  private static Optional<Multiple> multiple(Expr.Access access, Einsum producer) {
    List<Expr> factors = Factors.of(producer.value()).toList();
    List<Expr> codes = factors.stream().filter(factor -> factor instanceof Expr.Cast(ElementType to, Expr code) && to == ElementType.F32 && isByte(code.type())).toList();
    boolean areBare = access.indices().stream().allMatch(Expr.Coordinate.class::isInstance) && !Exprs.hasReduction(producer.value());
    if (codes.size() != 1 || !areBare) {
      return Optional.empty();
    }
    Map<Rank, Expr> places = new IdentityHashMap<>();
    for (int i = 0; i < access.indices().size(); i++) {
      places.put(producer.ranks().get(i), access.indices().get(i));
    }
    Expr code = ((Expr.Cast) codes.getFirst()).operand();
    Tensor tensor = new Tensor(producer.tensor().name() + "_code", code.type(), producer.tensor().shape(), producer.span());
    List<Expr> scales = factors.stream().filter(factor -> factor != codes.getFirst())
        .map(factor -> IndexForm.withSimpleIndices(Exprs.substitute(factor, places))).toList();
    return Optional.of(new Multiple(new Expr.Access(tensor, access.indices()), Optional.of(defined(tensor, producer, code)), scales));
  }

  /// `code`, a part of the value of `producer`, for ranks of its own: others may read the producer still.
  private static Einsum defined(Tensor tensor, Einsum producer, Expr code) {
    List<Rank> ranks = producer.ranks().stream().map(rank -> new Rank(rank.name(), rank.size())).toList();
    Map<Rank, Expr> places = new IdentityHashMap<>();
    for (int i = 0; i < ranks.size(); i++) {
      places.put(producer.ranks().get(i), new Expr.Coordinate(ranks.get(i)));
    }
    return new Einsum(tensor, ranks, Exprs.substitute(code, places), producer.span());
  }

  private static boolean isByte(ElementType type) {
    return type == ElementType.I8 || type == ElementType.U8;
  }

  private Optional<List<Definition>> product(Expr.Reduce sum, List<Multiple> multiples, List<Expr> scales) {
    Multiple left = multiples.getFirst();
    Multiple right = multiples.getLast();
    boolean fits = new Interval(Integer.MIN_VALUE / 2, Integer.MAX_VALUE / 2)
        .contains(Interval.of(0).union(Interval.of(OFFSET).times(2).times(OFFSET).times(Exprs.volume(sum.ranks()))));
    if (!fits) {
      return Optional.empty();
    }
    if (takes(left.type(), right.type(), sum)) {
      return Optional.of(written(sum, multiples, scales, Optional.empty()));
    }
    boolean isLeftMade = left.definition.isPresent();
    Multiple made = isLeftMade ? left : right;
    Multiple weight = isLeftMade ? right : left;
    boolean isOffset = made.definition.isPresent() && areSumsCheap(weight) && made.type() == ElementType.I8 && takes(ElementType.U8, weight.type(), sum);
    return isOffset ? Optional.of(written(sum, List.of(offset(made), weight), scales, Optional.of(weight))) : Optional.empty();
  }

  /// Whether the sums of `factor` are computed once, or take a small part of what the product takes.
  private boolean areSumsCheap(Multiple factor) {
    List<Rank> others = einsum.ranks().stream().filter(rank -> !Exprs.freeRanks(factor.code).contains(rank)).toList();
    return uses.constants().contains(factor.code.tensor()) || Exprs.volume(others) >= MANY;
  }

  /// Whether an instruction multiplies such numbers, in steps that divide the sum.
  private boolean takes(ElementType one, ElementType other, Expr.Reduce sum) {
    return dots.stream().anyMatch(dot -> sum.ranks().getLast().size().value() % dot.terms() == 0
        && (dot.left() == one && dot.right() == other || dot.left() == other && dot.right() == one));
  }

  private static Multiple offset(Multiple made) {
    Einsum old = made.definition.orElseThrow();
    Tensor tensor = new Tensor(old.tensor().name(), ElementType.U8, old.tensor().shape(), old.span());
    Expr value = new Expr.Cast(ElementType.U8, new Expr.Binary(BinaryOp.ADD, integer(old.value()), Expr.index(OFFSET)));
    return new Multiple(new Expr.Access(tensor, made.code.indices()), Optional.of(new Einsum(tensor, old.ranks(), value, old.span())), made.scales);
  }

  /// The byte `code` as an `i32`; what is in the range of bytes already is not cut to it.
  private static Expr integer(Expr code) {
    boolean fits = code instanceof Expr.Cast(ElementType _, Expr operand) && Interval.of(ElementType.I8).contains(new ValueRanges().of(operand));
    return new Expr.Cast(ElementType.I32, fits ? ((Expr.Cast) code).operand() : code);
  }

  /// @param weight the factor whose sums an offset of the other one has added
  private List<Definition> written(Expr.Reduce sum, List<Multiple> multiples, List<Expr> scales, Optional<Multiple> weight) {
    List<Definition> definitions = new ArrayList<>();
    multiples.forEach(multiple -> multiple.definition.ifPresent(definitions::add));
    Expr products = new Expr.Reduce(Reduction.SUM, sum.ranks(), new Expr.Binary(BinaryOp.MUL,
        new Expr.Cast(ElementType.I32, multiples.getFirst().code), new Expr.Cast(ElementType.I32, multiples.getLast().code)));
    Expr integers = weight.<Expr>map(factor -> new Expr.Binary(BinaryOp.SUB, products, new Expr.Binary(BinaryOp.MUL, Expr.index(OFFSET), sums(sum, factor, definitions))))
        .orElse(products);
    Expr value = new Expr.Cast(ElementType.F32, integers);
    Expr scaled = scales.stream().reduce((a, b) -> new Expr.Binary(BinaryOp.MUL, a, b)).<Expr>map(scale -> new Expr.Binary(BinaryOp.MUL, value, scale)).orElse(value);
    definitions.add(einsum.withValue(Exprs.rewrite(einsum.value(), node -> node.equals(sum) ? scaled : node)));
    return definitions;
  }

  /// An element of the sums of `weight` over the ranks that `sum` reduces.
  private Expr sums(Expr.Reduce sum, Multiple weight, List<Definition> before) {
    List<Rank> outer = einsum.ranks().stream().filter(Exprs.freeRanks(weight.code)::contains).toList();
    List<Rank> ranks = outer.stream().map(rank -> new Rank(rank.name(), rank.size())).toList();
    Map<Rank, Expr> places = new IdentityHashMap<>();
    for (int i = 0; i < outer.size(); i++) {
      places.put(outer.get(i), new Expr.Coordinate(ranks.get(i)));
    }
    Tensor tensor = new Tensor(einsum.tensor().name() + "_sums", ElementType.I32, ranks.stream().map(Rank::size).toList(), einsum.span());
    Expr total = Exprs.freshRanks(new Expr.Reduce(Reduction.SUM, sum.ranks(), new Expr.Cast(ElementType.I32, weight.code)));
    before.add(new Einsum(tensor, ranks, Exprs.substitute(total, places), einsum.span()));
    return new Expr.Access(tensor, Exprs.coordinates(outer));
  }
}
