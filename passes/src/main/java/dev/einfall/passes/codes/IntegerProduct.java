package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.loop.DotShape;
import dev.einfall.ir.loop.Interval;
import dev.einfall.passes.cascade.Exprs;
import dev.einfall.passes.cascade.Factors;
import dev.einfall.passes.cascade.Uses;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// One product of [MultiplyIntegers].
///
/// @param uses the cascade that it is part of
/// @param sum its reduction
/// @param left one factor
/// @param right the other
/// @param scales what is multiplied by them, for both
/// @param groups the ranks of the reduction along which some scale, or what means 0, differs
/// @param steps those of a group, behind all of `groups`
record IntegerProduct(Uses uses, Einsum einsum, Expr.Reduce sum, IntegerFactor left, IntegerFactor right, List<Expr> scales, List<Rank> groups, List<Rank> steps) {
  /// Sums of a factor that is multiplied so often take little beside the products.
  private static final int MANY = 16;
  /// The sums of fewer steps are scaled almost as often as instructions add to them.
  private static final int LEAST_STEPS = 16;
  /// More than any byte is, with an offset or without.
  private static final int BYTES = 256;

  /// The definitions in place of `einsum`, if it is a product of two such factors that the machine multiplies.
  ///
  /// @param uses the cascade that it is part of
  /// @param dots what the machine multiplies
  static Optional<List<Definition>> definitions(Uses uses, List<DotShape> dots, Einsum einsum) {
    List<Expr.Reduce> reductions = Exprs.reductions(einsum.value()).distinct().toList();
    if (reductions.size() != 1 || reductions.getFirst().reduction() != Reduction.SUM || reductions.getFirst().type() != ElementType.F32
        || uses.constants().contains(einsum.tensor())) {
      return Optional.empty();
    }
    Expr.Reduce sum = reductions.getFirst();
    Optional<ByteFields> fields = ByteFields.of(uses, einsum, sum);
    return fields.isEmpty() ? of(uses, einsum, sum).flatMap(product -> product.by(dots)) : fields.flatMap(bytes ->
        of(uses, bytes.einsum(), Exprs.reductions(bytes.einsum().value()).findFirst().orElseThrow()).flatMap(product -> product.by(dots))
            .map(definitions -> Stream.concat(Stream.of(bytes.bytes()), definitions.stream()).toList()));
  }

  private static Optional<IntegerProduct> of(Uses uses, Einsum einsum, Expr.Reduce sum) {
    List<IntegerFactor> integers = new ArrayList<>();
    List<Expr> scales = new ArrayList<>();
    List<Expr> shared = new ArrayList<>();
    for (Expr factor : Factors.of(sum.body()).toList()) {
      Optional<IntegerFactor> integer = IntegerFactor.of(uses, factor);
      integer.ifPresent(integers::add);
      scales.addAll(integer.map(IntegerFactor::scales).orElse(List.of(factor)));
      shared.addAll(integer.map(IntegerFactor::shared).orElse(List.of(factor)));
    }
    if (integers.size() != 2 || integers.stream().filter(integer -> integer.zero().isPresent()).count() > 1) {
      return Optional.empty();
    }
    Set<Rank> apart = Factors.ranks(shared);
    int groups = sum.ranks().size();
    while (groups > 0 && !apart.contains(sum.ranks().get(groups - 1))) {
      groups--;
    }
    int all = sum.ranks().size();
    return Optional.of(new IntegerProduct(uses, einsum, sum, integers.getFirst(), integers.getLast(), scales, sum.ranks().subList(0, groups), sum.ranks().subList(groups, all)))
        .filter(IntegerProduct::fits);
  }

  /// Whether the sums of groups are `i32`, and long enough.
  private boolean fits() {
    boolean areWide = Stream.of(left, right).anyMatch(factor -> factor.type() == ElementType.I16);
    Interval terms = areWide ? left.range().times(right.range()) : Interval.of(BYTES).times(BYTES);
    Interval sums = Interval.of(0).union(terms.times(Exprs.volume(steps)));
    return !steps.isEmpty() && (groups.isEmpty() || Exprs.volume(steps) >= LEAST_STEPS) && Interval.of(ElementType.I32).contains(sums);
  }

  /// By bytes as they are, or with an offset, or else by what is wide enough for both.
  private Optional<List<Definition>> by(List<DotShape> dots) {
    if (takes(dots, left.type(), right.type())) {
      return Optional.of(written(left, right, Optional.empty()));
    }
    return withOffset(dots).or(() -> anyOf(dots, dot -> dot.multipliesWidened(left.type(), right.type()))
        ? Optional.of(written(left.widened(), right.widened(), Optional.empty())) : Optional.empty());
  }

  private Optional<List<Definition>> withOffset(List<DotShape> dots) {
    boolean isLeftMade = left.definition().isPresent();
    IntegerFactor made = isLeftMade ? left : right;
    IntegerFactor weight = isLeftMade ? right : left;
    boolean isOffset = made.definition().isPresent() && weight.zero().isEmpty() && areSumsCheap(weight) && made.type() == ElementType.I8
        && takes(dots, ElementType.U8, weight.type());
    return isOffset ? Optional.of(written(made.offset(), weight, Optional.of(weight))) : Optional.empty();
  }

  /// Whether an instruction multiplies such numbers, in steps that divide the sum.
  private boolean takes(List<DotShape> dots, ElementType one, ElementType other) {
    return anyOf(dots, dot -> dot.multiplies(one, other));
  }

  private boolean anyOf(List<DotShape> dots, Predicate<DotShape> fits) {
    return dots.stream().anyMatch(dot -> steps.getLast().size().value() % dot.terms() == 0 && fits.test(dot));
  }

  /// Whether the sums of `factor` are computed once, or take a small part of what the product takes.
  private boolean areSumsCheap(IntegerFactor factor) {
    List<Rank> others = einsum.ranks().stream().filter(rank -> !Exprs.freeRanks(factor.code()).contains(rank)).toList();
    return factor.isConstant(uses.constants()) || Exprs.volume(others) >= MANY;
  }

  /// @param weight the factor whose sums an offset of the other one has added
  private List<Definition> written(IntegerFactor one, IntegerFactor other, Optional<IntegerFactor> weight) {
    List<Definition> definitions = new ArrayList<>();
    Stream.of(one, other).forEach(factor -> factor.definition().ifPresent(definitions::add));
    Expr products = new Expr.Binary(BinaryOp.MUL, one.integer(), other.integer());
    Expr scaled = groups.isEmpty() ? whole(products, one, other, weight, definitions) : grouped(products, one, other, weight, definitions);
    definitions.add(einsum.withValue(Exprs.rewrite(einsum.value(), node -> node.equals(sum) ? scaled : node)));
    return definitions;
  }

  /// One sum of all products: exact until it is scaled.
  private Expr whole(Expr products, IntegerFactor one, IntegerFactor other, Optional<IntegerFactor> weight, List<Definition> definitions) {
    Expr total = new Expr.Reduce(Reduction.SUM, steps, products);
    Expr integers = weight.<Expr>map(factor -> new Expr.Binary(BinaryOp.SUB, total, added(factor, definitions))).orElse(total);
    Expr value = f32(integers);
    Expr centred = lessZero(one, other, definitions).<Expr>map(less -> new Expr.Binary(BinaryOp.SUB, value, less)).orElse(value);
    return scaled(centred, scales);
  }

  /// The sum of the sums of groups, each of which is scaled.
  private Expr grouped(Expr products, IntegerFactor one, IntegerFactor other, Optional<IntegerFactor> weight, List<Definition> definitions) {
    List<Expr> ofGroups = scales.stream().filter(scale -> groups.stream().anyMatch(Exprs.freeRanks(scale)::contains)).toList();
    List<Expr> ofAll = scales.stream().filter(scale -> !ofGroups.contains(scale)).toList();
    Expr total = new Expr.Reduce(Reduction.SUM, sum.ranks(), scaled(f32(products), ofGroups));
    Optional<Expr> less = weight.map(factor -> f32(added(factor, definitions))).or(() -> lessZero(one, other, definitions));
    Expr centred = less.map(each -> offset(scaled(each, ofGroups), definitions)).<Expr>map(offset -> new Expr.Binary(BinaryOp.SUB, total, offset)).orElse(total);
    return scaled(centred, ofAll);
  }

  private static Expr scaled(Expr value, List<Expr> scales) {
    return scales.isEmpty() ? value : new Expr.Binary(BinaryOp.MUL, value, Factors.product(scales));
  }

  private static Expr f32(Expr integer) {
    return new Expr.Cast(ElementType.F32, integer);
  }

  /// What the sum of a group has of the offset of the factor beside `weight`.
  private Expr added(IntegerFactor weight, List<Definition> before) {
    List<Rank> order = Stream.concat(groups.stream(), einsum.ranks().stream()).toList();
    return new Expr.Binary(BinaryOp.MUL, Expr.index(IntegerFactor.OFFSET), defined("sums", new Expr.Reduce(Reduction.SUM, steps, weight.integer()), order, before));
  }

  /// What the sum of a group has more than its products because a factor's numbers for 0 are not subtracted.
  private Optional<Expr> lessZero(IntegerFactor one, IntegerFactor other, List<Definition> before) {
    IntegerFactor row = one.zero().isPresent() ? other : one;
    List<Rank> order = Stream.concat(einsum.ranks().stream(), groups.stream()).toList();
    return one.zero().or(other::zero)
        .map(zero -> new Expr.Binary(BinaryOp.MUL, f32(defined("sums", new Expr.Reduce(Reduction.SUM, steps, row.integer()), order, before)), zero));
  }

  /// The sum of what all groups have of `each`.
  private Expr offset(Expr each, List<Definition> before) {
    return defined("offset", new Expr.Reduce(Reduction.SUM, groups, each), einsum.ranks(), before);
  }

  private Expr defined(String what, Expr value, List<Rank> order, List<Definition> before) {
    return AheadOfProduct.element(einsum, what, value, order, before);
  }
}
