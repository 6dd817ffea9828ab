package dev.einfall.passes.reduce;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Combiner;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.cascade.Var;
import dev.einfall.passes.algebra.Atom;
import dev.einfall.passes.algebra.Canonical;
import dev.einfall.passes.algebra.Polynomial;
import dev.einfall.passes.algebra.Rational;
import dev.einfall.passes.algebra.Separation;
import dev.einfall.passes.algebra.Written;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// Writes the updates of one step: each accumulator takes in the elements of a tile, corrected where what it refers to has moved.
///
/// ```
/// OLD[p]    = RUN_max[p]
/// RUN_max[p] = max(RUN_max[p], max[m0](S[p, m0]))
/// REF[p]    = where(RUN_max[p] == -inf, 0.0, RUN_max[p])
/// C[p]      = exp(OLD[p] - REF[p])
/// X[p, m0]  = exp(S[p, m0] - REF[p])
/// RUN_sum[p] = RUN_sum[p] * C[p] + sum[m0](X[p, m0])
/// ```
///
/// The reference of an exponential is finite also where all elements so far are `-inf`, so that what is kept is 0 there and
/// not NaN, whatever comes later.
final class RunningForm {
  private final Canonical canonical;
  private final Steps steps;
  private final Kept kept;
  private final TileValues values;
  private final Map<Tensor, Plan> plans = new LinkedHashMap<>();
  private final Map<Accumulator.Plain, Reference> references = new LinkedHashMap<>();
  private final Map<Accumulator.Reference, Expr> corrections = new LinkedHashMap<>();
  private final Map<Polynomial, Centre> centres = new LinkedHashMap<>();

  RunningForm(Canonical canonical, Steps steps, Kept kept, TileValues values, List<Plan> plans) {
    this.canonical = canonical;
    this.steps = steps;
    this.kept = kept;
    this.values = values;
    plans.forEach(plan -> this.plans.put(plan.member().tensor(), plan));
  }

  /// An extreme value before the step, and one after it that is finite.
  private record Reference(Expr old, Expr finite) {}

  /// Where a polynomial is expanded, and how far that has moved in this step.
  record Centre(Kept.Slot state, Kept.Slot moved) {}

  /// Writes all updates.
  void write() {
    for (Accumulator accumulator : kept.all()) {
      Kept.Slot slot = kept.slots(accumulator).getFirst();
      switch (accumulator) {
        case Accumulator.Plain plain -> write(plain, slot);
        case Accumulator.Weighted weighted -> write(weighted, slot);
        case Accumulator.Moments moments -> write(moments);
        case Accumulator.Tied tied -> write(tied, slot);
        case Accumulator.Folded folded -> write(folded);
      }
    }
  }

  /// Where the variables of moments are expanded, by their normal forms.
  Map<Polynomial, Centre> centres() {
    return centres;
  }

  private void write(Kept.Slot slot, Expr value) {
    steps.write(slot.tensor(), slot.ranks(), value);
  }

  private void write(Accumulator.Plain plain, Kept.Slot slot) {
    boolean isReference = kept.isReference(plain);
    boolean isExponent = kept.isExponent(plain);
    Expr element = isExponent ? values.exponent(plain.reduction(), plain.body(), plain.type(), slot.tensor().name() + "_in") : values.of(plain.body(), plain.type());
    boolean isWhole = isExponent || plain.reduction() == Reduction.SUM && values.vanishes(plain.body());
    Expr tile = isWhole ? values.whole(plain.reduction(), plain.inner(), element) : values.reduced(plain.reduction(), plain.inner(), element);
    Expr updated = new Expr.Binary(plain.reduction().combine(), slot.access(), tile);
    if (isReference) {
      writeReference(plain, slot, updated);
    } else {
      write(slot, updated);
    }
  }

  private void writeReference(Accumulator.Plain plain, Kept.Slot slot, Expr updated) {
    String name = slot.tensor().name();
    Kept.Slot old = temporary(name + "_old", slot);
    write(old, slot.access());
    write(slot, updated);
    if (!kept.isExponent(plain)) {
      references.put(plain, new Reference(old.access(), slot.access()));
      return;
    }
    Kept.Slot finite = temporary(name + "_ref", slot);
    Expr lowest = plain.reduction().identity(plain.type());
    write(finite, new Expr.Select(new Expr.Binary(BinaryOp.EQ, slot.access(), lowest), Expr.literal(plain.type(), 0), slot.access()));
    references.put(plain, new Reference(old.access(), finite.access()));
    kept.all().stream().flatMap(accumulator -> Kept.exponentOf(accumulator).stream()).filter(reference -> reference.plain().equals(plain))
        .distinct().forEach(reference -> writeCorrection(reference, name));
  }

  private void writeCorrection(Accumulator.Reference reference, String name) {
    Reference moved = references.get(reference.plain());
    ElementType type = reference.plain().type();
    Expr scale = Written.of(reference.exponential(moved.old, moved.finite), type);
    Expr value = reference.keepsInfinities() ? scale
        : new Expr.Select(new Expr.Binary(BinaryOp.EQ, moved.old, reference.nothing()), Expr.literal(type, 0), scale);
    List<Rank> ranks = steps.ranksOf(value);
    Kept.Slot correction = new Kept.Slot(steps.temporary(name + "_scale", type, ranks), ranks);
    write(correction, value);
    corrections.put(reference, correction.access());
  }

  private Kept.Slot temporary(String name, Kept.Slot like) {
    return new Kept.Slot(steps.temporary(name, like.tensor().type(), like.ranks()), like.ranks());
  }

  /// The exponentials of a tile.
  private Polynomial weight(Polynomial exponent, Accumulator.Reference reference) {
    Accumulator.Plain plain = reference.plain();
    String name = kept.slots(plain).getFirst().tensor().name();
    Expr finite = references.get(plain).finite;
    Polynomial weight = reference.exact()
        ? reference.exponential(values.exponent(plain.reduction(), plain.body(), plain.type(), name + "_in"), finite)
        : Polynomial.exp(leaf(values.exponent(Reduction.MAX, exponent, plain.type(), name + "_in"))
            .minus(leaf(finite).times(reference.unit())));
    return leaf(values.weight(weight, reference.keepsInfinities(), plain.type(), name + "_exp"));
  }

  private static Polynomial leaf(Expr expr) {
    return Polynomial.of(new Atom.Leaf(expr));
  }

  private void write(Accumulator.Weighted weighted, Kept.Slot slot) {
    Polynomial element = weight(weighted.exponent(), weighted.reference()).times(weighted.body());
    Expr tile = weighted.reduction() == Reduction.SUM && values.isFinite(weighted.body())
        ? values.whole(weighted.reduction(), weighted.inner(), values.of(element, weighted.type()))
        : values.reduced(weighted.reduction(), weighted.inner(), values.of(element, weighted.type()));
    Expr correction = corrections.get(weighted.reference());
    Expr corrected = new Expr.Binary(BinaryOp.MUL, slot.access(), correction);
    if (weighted.reduction() != Reduction.SUM) {
      // The identity is infinite: 0 times it is none.
      Expr nothing = new Expr.Binary(BinaryOp.EQ, correction, Expr.literal(weighted.type(), 0));
      corrected = new Expr.Select(nothing, weighted.reduction().identity(weighted.type()), corrected);
    }
    write(slot, new Expr.Binary(weighted.reduction().combine(), corrected, tile));
  }

  private void write(Accumulator.Tied tied, Kept.Slot slot) {
    Reference reference = references.get(tied.extreme());
    Expr best = kept.slots(tied.extreme()).getFirst().access();
    Expr element = kept.isExponent(tied.extreme())
        ? values.exponent(tied.extreme().reduction(), tied.extreme().body(), tied.extreme().type(), kept.slots(tied.extreme()).getFirst().tensor().name() + "_in") : values.of(tied.extreme().body(), tied.extreme().type());
    BinaryOp worse = tied.largest() ? BinaryOp.LT : BinaryOp.GT;
    Expr otherwise = Written.of(tied.otherwise(), tied.type());
    Expr isBest = new Expr.Unary(UnaryOp.NOT, new Expr.Binary(worse, element, best));
    Expr tile = values.reduced(tied.reduction(), tied.inner(),
        new Expr.Select(isBest, values.of(tied.body(), tied.type()), otherwise));
    Expr before = new Expr.Select(new Expr.Binary(worse, reference.old, best), otherwise, slot.access());
    Expr unlessNaN = first(tied).<Expr>map(first -> new Expr.Select(new Expr.Binary(BinaryOp.NE, best, best), first, before)).orElse(before);
    write(slot, new Expr.Binary(tied.reduction().combine(), unlessNaN, tile));
  }

  /// The least position of all, if that is what is looked for: nothing is worse than a NaN, so that all elements are tied there,
  /// also those of earlier steps.
  private Optional<Expr> first(Accumulator.Tied tied) {
    Polynomial start = Polynomial.ZERO;
    for (Polynomial part : tied.body().parts()) {
      boolean varies = part.leaves().anyMatch(leaf -> leaf.nodes().anyMatch(steps::isReduced));
      boolean isPosition = part.coefficient().signum() > 0 && part.monomial().exponent().isZero()
          && part.monomial().powers().size() == 1 && part.monomial().powers().values().iterator().next().isOne()
          && part.monomial().atoms().findFirst().orElseThrow() instanceof Atom.Leaf(Expr leaf)
          && steps.isReduced(leaf instanceof Expr.Cast(ElementType type, Expr inner) && type.isInteger() ? inner : leaf);
      if (varies && !isPosition) {
        return Optional.empty();
      }
      start = varies ? start : start.plus(part);
    }
    return tied.reduction() == Reduction.MIN && tied.inner().isEmpty() ? Optional.of(Written.of(start, tied.type())) : Optional.empty();
  }

  private void write(Accumulator.Moments moments) {
    List<Centre> moved = moments.variables().stream().map(variable -> centre(variable, moments.type())).toList();
    Optional<Expr> correction = moments.reference().map(corrections::get);
    for (int i = 0; i < moments.orders().size(); i++) {
      Kept.Slot slot = kept.slots(moments).get(i);
      Polynomial before = taylor(moments, i, moved.stream().map(centre -> centre.moved.leaf()).toList());
      Polynomial corrected = correction.map(factor -> before.times(leaf(factor))).orElse(before);
      Polynomial body = atCentres(moments.derivatives().get(i), moments.variables(), moved);
      Polynomial element = moments.reference().map(reference -> weight(moments.exponent(), reference).times(body)).orElse(body);
      boolean isWhole = moments.reference().isPresent() && values.isFinite(body);
      Expr tile = isWhole ? values.whole(Reduction.SUM, moments.inner(), values.of(element, moments.type()))
          : values.reduced(Reduction.SUM, moments.inner(), values.of(element, moments.type()));
      write(slot, new Expr.Binary(BinaryOp.ADD, Written.of(corrected, moments.type()), tile));
    }
  }

  /// Moment `low` of the elements so far, after the centres have moved by `by`.
  Polynomial taylor(Accumulator.Moments moments, int low, List<Polynomial> by) {
    Polynomial sum = kept.slots(moments).get(low).leaf();
    for (int high = 0; high < moments.orders().size(); high++) {
      if (Kept.isAbove(moments.orders().get(high), moments.orders().get(low))) {
        Polynomial term = kept.slots(moments).get(high).leaf();
        for (int i = 0; i < by.size(); i++) {
          int from = moments.orders().get(high).get(i);
          int to = moments.orders().get(low).get(i);
          term = term.times(by.get(i).power(Rational.of(from - to))).times(binomial(from, to));
        }
        sum = sum.plus(term);
      }
    }
    return sum;
  }

  private static Rational binomial(int from, int chosen) {
    Rational result = Rational.ONE;
    for (int i = 1; i <= chosen; i++) {
      result = result.times(Rational.of(from - chosen + i)).times(Rational.of(i).inverse());
    }
    return result;
  }

  private Polynomial atCentres(Polynomial body, List<Separation.Variable> variables, List<Centre> at) {
    Map<Expr, Polynomial> centres = new HashMap<>();
    for (int i = 0; i < variables.size(); i++) {
      centres.put(new Expr.Ref(variables.get(i).var()), at.get(i).state.leaf());
    }
    return canonical.substitute(body, leaf -> Optional.ofNullable(centres.get(leaf)), UnaryOperator.identity());
  }

  /// Moves the centre of a variable to what it is for the elements so far.
  private Centre centre(Separation.Variable variable, ElementType type) {
    Polynomial form = canonical.normal(variable.value());
    if (!centres.containsKey(form)) {
      Expr value = Written.of(running(variable.value()), type);
      List<Rank> ranks = steps.ranksOf(value);
      String name = "centre";
      Kept.Slot state = new Kept.Slot(steps.state(name, type, ranks, Expr.literal(type, 0)), ranks);
      Kept.Slot next = temporary(name + "_new", state);
      Kept.Slot moved = temporary(name + "_moved", state);
      write(next, value);
      write(moved, new Expr.Binary(BinaryOp.SUB, next.access(), state.access()));
      write(state, next.access());
      centres.put(form, new Centre(state, moved));
    }
    return centres.get(form);
  }

  /// `value` if the elements so far were all: sums are scaled to the whole number, so that means are means of what has been seen.
  private Polynomial running(Polynomial value) {
    return canonical.substitute(value, this::running, UnaryOperator.identity());
  }

  private Optional<Polynomial> running(Expr leaf) {
    if (!(leaf instanceof Expr.Access access)) {
      return Optional.empty();
    }
    Optional<Accumulator> plain = kept.of(access.tensor());
    if (plain.isPresent()) {
      return Optional.of(plain.get() instanceof Accumulator.Plain(Reduction reduction, var _, var _, var _) ? running(access, reduction) : leaf(leaf));
    }
    Plan plan = plans.get(access.tensor());
    if (plan == null) {
      return Optional.empty();
    }
    boolean isSum = plan.member().combination() == Reduction.SUM && !plan.isPlain();
    Polynomial value = running(kept.value(plan));
    return Optional.of(isSum ? value.times(wholePerSeen(access.type())) : value);
  }

  /// What a reduction that needs no correction would be. An extreme value of no element is infinite, and no place for a centre.
  private Polynomial running(Expr.Access access, Reduction reduction) {
    return switch (reduction) {
      case SUM -> leaf(access).times(wholePerSeen(access.type()));
      case MAX, MIN -> access.type().isFloat() ? leaf(new Expr.Select(
          new Expr.Binary(BinaryOp.EQ, access, reduction.identity(access.type())), Expr.literal(access.type(), 0), access)) : leaf(access);
      case PROD, ANY, ALL, ARGMAX, ARGMIN -> leaf(access);
    };
  }

  private Polynomial wholePerSeen(ElementType type) {
    Expr seen = new Expr.Cast(type, steps.seen());
    return Polynomial.of(steps.shape().extent()).times(leaf(seen).power(Rational.MINUS_ONE));
  }

  private void write(Accumulator.Folded folded) {
    List<Kept.Slot> slots = kept.slots(folded);
    Combiner combiner = folded.combiner();
    List<Expr> elements = new ArrayList<>();
    for (int i = 0; i < slots.size(); i++) {
      boolean scaled = folded.reference().isPresent() && folded.scaled().contains(i) && !folded.bodies().get(i).isInfinite();
      Polynomial element = scaled ? weight(folded.exponent(), folded.reference().get()).times(folded.bodies().get(i)) : folded.bodies().get(i);
      elements.add(present(values.of(element, combiner.types().get(i)), combiner.identity().get(i)));
    }
    List<Rank> ranks = new ArrayList<>(steps.lane().stream().toList());
    ranks.addAll(folded.inner());
    List<Kept.Slot> next = new ArrayList<>();
    for (int i = 0; i < slots.size(); i++) {
      Map<Var, Expr> operands = new HashMap<>();
      for (int j = 0; j < slots.size(); j++) {
        Expr before = slots.get(j).access();
        boolean scaled = folded.reference().isPresent() && folded.scaled().contains(j);
        operands.put(combiner.left().get(j), scaled
            ? scaled(before, corrections.get(folded.reference().get()), combiner.identity().get(j)) : before);
        operands.put(combiner.right().get(j),
            ranks.isEmpty() ? elements.get(j) : new Expr.Fold(combiner, ranks, elements, j));
      }
      next.add(temporary(slots.get(i).tensor().name() + "_new", slots.get(i)));
      write(next.get(i), replaced(combiner.combined().get(i), operands));
    }
    for (int i = 0; i < slots.size(); i++) {
      write(slots.get(i), next.get(i).access());
    }
  }

  private static Expr scaled(Expr before, Expr correction, Expr identity) {
    Expr nothing = new Expr.Binary(BinaryOp.EQ, correction, Expr.literal(correction.type(), 0));
    return new Expr.Select(nothing, identity, new Expr.Binary(BinaryOp.MUL, before, correction));
  }

  private Expr present(Expr element, Expr identity) {
    return steps.exists().<Expr>map(exists -> new Expr.Select(exists, element, identity)).orElse(element);
  }

  private static Expr replaced(Expr expr, Map<Var, Expr> operands) {
    return expr instanceof Expr.Ref(Var var) ? operands.get(var) : expr.mapChildren(child -> replaced(child, operands));
  }
}
