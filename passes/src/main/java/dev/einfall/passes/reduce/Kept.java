package dev.einfall.passes.reduce;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.algebra.Atom;
import dev.einfall.passes.algebra.Canonical;
import dev.einfall.passes.algebra.Condition;
import dev.einfall.passes.algebra.Monomial;
import dev.einfall.passes.algebra.Polynomial;
import dev.einfall.passes.algebra.Rational;
import dev.einfall.passes.algebra.Written;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// All that is kept while a chain's rank is gone through, each accumulator once, and where: in one state, or in several.
final class Kept {
  private static final Rational LN_2 = Rational.of(Math.log(2));
  private static final Rational LOG2_E = Rational.of(1 / Math.log(2));

  private final Canonical canonical;
  private final Steps steps;
  private final Map<List<Object>, Accumulator> byForm = new LinkedHashMap<>();
  private final Map<Accumulator, List<Slot>> slots = new LinkedHashMap<>();
  private final Set<Tensor> tensors = Exprs.identitySet();
  private final boolean exponents;
  private String name = "";

  /// @param exponents whether references are powers of two
  Kept(Canonical canonical, Steps steps, boolean exponents) {
    this.exponents = exponents;
    this.canonical = canonical;
    this.steps = steps;
  }

  /// A state and the ranks that it is kept for.
  record Slot(Tensor tensor, List<Rank> ranks) {
    Expr.Access access() {
      return new Expr.Access(tensor, Exprs.coordinates(ranks));
    }

    Polynomial leaf() {
      return Polynomial.of(new Atom.Leaf(access()));
    }
  }

  /// States made from now on are for the tensor named `newName`.
  void naming(String newName) {
    name = newName;
  }

  /// All accumulators, each after those that it follows.
  List<Accumulator> all() {
    return List.copyOf(slots.keySet());
  }

  boolean has(Tensor tensor) {
    return tensors.contains(tensor);
  }

  /// Whether other accumulators are corrected when `plain` changes.
  boolean isReference(Accumulator.Plain plain) {
    return slots.keySet().stream().anyMatch(other -> switch (other) {
      case Accumulator.Plain _ -> false;
      case Accumulator.Weighted weighted -> weighted.reference().plain().equals(plain);
      case Accumulator.Moments moments -> moments.reference().filter(reference -> reference.plain().equals(plain)).isPresent();
      case Accumulator.Tied tied -> tied.extreme().equals(plain);
      case Accumulator.Folded folded -> folded.reference().filter(reference -> reference.plain().equals(plain)).isPresent();
    });
  }

  /// Whether exponentials are kept small by `plain`.
  boolean isExponent(Accumulator.Plain plain) {
    return isReference(plain) && slots.keySet().stream()
        .anyMatch(other -> !(other instanceof Accumulator.Tied) && !(other instanceof Accumulator.Plain) && exponentOf(other).filter(reference -> reference.plain().equals(plain)).isPresent());
  }

  static Optional<Accumulator.Reference> exponentOf(Accumulator accumulator) {
    return switch (accumulator) {
      case Accumulator.Plain _, Accumulator.Tied _ -> Optional.empty();
      case Accumulator.Weighted weighted -> Optional.of(weighted.reference());
      case Accumulator.Moments moments -> moments.reference();
      case Accumulator.Folded folded -> folded.reference();
    };
  }

  /// The plain reduction of `value`, if it is kept.
  Optional<Accumulator.Plain> plain(Reduction reduction, Polynomial value) {
    Polynomial form = canonical.normal(value);
    return slots.keySet().stream().filter(Accumulator.Plain.class::isInstance).map(Accumulator.Plain.class::cast)
        .filter(plain -> plain.reduction() == reduction && canonical.normal(plain.body()).equals(form)).findFirst();
  }

  /// A reference for exponentials of `exponent` under a reduction over `inner` too: what is kept already, or a maximum of its own.
  ///
  /// @param steady whether a value does not change while the rank is gone through
  Accumulator.Reference reference(Polynomial exponent, List<Rank> inner, ElementType type, Predicate<Polynomial> steady) {
    if (exponents) {
      Polynomial power = canonical.apply(UnaryOp.ROUND, exponent.times(Polynomial.of(LOG2_E)));
      return new Accumulator.Reference(share(new Accumulator.Plain(Reduction.MAX, power, inner, type)), Polynomial.of(LN_2), false);
    }
    return slots.keySet().stream().flatMap(accumulator -> accumulator instanceof Accumulator.Plain plain
            && plain.inner().equals(inner) && plain.type() == type ? reference(exponent, plain, steady).stream() : Stream.empty()).findFirst()
        .orElseGet(() -> new Accumulator.Reference(share(new Accumulator.Plain(Reduction.MAX, exponent, inner, type)), Polynomial.ONE, true));
  }

  /// `plain` as a reference, if `exponent` is a multiple of what it keeps an extreme value of, by something of the right sign.
  private Optional<Accumulator.Reference> reference(Polynomial exponent, Accumulator.Plain plain, Predicate<Polynomial> steady) {
    if (plain.reduction() != Reduction.MAX && plain.reduction() != Reduction.MIN) {
      return Optional.empty();
    }
    return ratio(exponent, plain.body(), steady)
        .filter(ratio -> canonical.signs().isNonNegative(plain.reduction() == Reduction.MAX ? ratio : ratio.negate()))
        .map(ratio -> new Accumulator.Reference(plain, ratio, true));
  }

  /// What `value` is a multiple of `of` by, if it is one by something steady.
  private Optional<Polynomial> ratio(Polynomial value, Polynomial of, Predicate<Polynomial> steady) {
    Polynomial left = canonical.normal(value);
    Polynomial right = canonical.normal(of);
    if (right.isZero() || left.isInfinite() || right.isInfinite()) {
      return Optional.empty();
    }
    Optional<Atom.Choice> masked = masked(left);
    if (masked.isPresent()) {
      // Infinity has swallowed the factor.
      return masked(right).filter(other -> other.condition().equals(masked.get().condition())
              && other.whenTrue().isInfinite() == masked.get().whenTrue().isInfinite())
          .flatMap(other -> ratio(finite(masked.get()), finite(other), steady));
    }
    Map.Entry<Monomial, Rational> first = right.terms().entrySet().iterator().next();
    return left.terms().entrySet().stream()
        .map(term -> Polynomial.of(term.getKey().dividedBy(first.getKey()), term.getValue().times(first.getValue().inverse())))
        .filter(candidate -> steady.test(candidate) && canonical.normal(right.times(candidate)).equals(left)).findFirst();
  }

  /// The choice that `value` is, if it is one between a finite and an infinite value.
  private static Optional<Atom.Choice> masked(Polynomial value) {
    boolean single = value.isMonomial() && value.coefficient().isOne() && value.monomial().exponent().isZero()
        && value.monomial().powers().size() == 1 && value.monomial().powers().values().iterator().next().isOne();
    return single && value.monomial().atoms().findFirst().orElseThrow() instanceof Atom.Choice choice
        && choice.whenTrue().isInfinite() != choice.whenFalse().isInfinite() ? Optional.of(choice) : Optional.empty();
  }

  private static Polynomial finite(Atom.Choice masked) {
    return masked.whenTrue().isInfinite() ? masked.whenFalse() : masked.whenTrue();
  }

  /// `accumulator`, or one that keeps the same.
  @SuppressWarnings("unchecked")
  <A extends Accumulator> A share(A accumulator) {
    return (A) byForm.computeIfAbsent(form(accumulator), _ -> {
      slots.put(accumulator, slotsFor(accumulator));
      return accumulator;
    });
  }

  private List<Object> form(Accumulator accumulator) {
    return switch (accumulator) {
      case Accumulator.Plain plain ->
          List.of("plain", plain.reduction(), canonical.normal(plain.body()), plain.inner(), plain.type());
      case Accumulator.Weighted weighted -> List.of("weighted", weighted.reduction(), form(weighted.reference().plain()),
          canonical.normal(weighted.exponent()), canonical.normal(weighted.body()), weighted.inner());
      case Accumulator.Moments moments -> List.of("moments", moments);
      case Accumulator.Tied tied -> List.of("tied", tied.reduction(), form(tied.extreme()), tied.body(), tied.otherwise(), tied.inner());
      case Accumulator.Folded folded -> List.of("folded", folded.combiner(), folded.bodies().stream().map(canonical::normal).toList(),
          canonical.normal(folded.exponent()), folded.scaled(), folded.inner());
    };
  }

  private List<Slot> slotsFor(Accumulator accumulator) {
    return switch (accumulator) {
      case Accumulator.Plain plain -> List.of(slot("", plain.type(), plain.reduction().identity(plain.type()), List.of(plain.body())));
      case Accumulator.Weighted weighted -> List.of(slot("", weighted.type(), weighted.reduction().identity(weighted.type()),
          List.of(weighted.exponent(), weighted.body())));
      case Accumulator.Moments moments -> momentSlots(moments);
      case Accumulator.Tied tied -> List.of(slot("", tied.type(),
          Written.of(tied.otherwise(), tied.type()), List.of(tied.body(), tied.extreme().body())));
      case Accumulator.Folded folded -> {
        List<Polynomial> read = new ArrayList<>(folded.bodies());
        read.add(folded.exponent());
        List<Slot> components = new ArrayList<>();
        for (int i = 0; i < folded.bodies().size(); i++) {
          components.add(slot(i == 0 ? "" : "_" + i, folded.combiner().types().get(i), folded.combiner().identity().get(i), read));
        }
        yield components;
      }
    };
  }

  /// A moment that is corrected has the ranks of what corrects it.
  private List<Slot> momentSlots(Accumulator.Moments moments) {
    List<Slot> result = new ArrayList<>();
    for (int i = 0; i < moments.orders().size(); i++) {
      List<Polynomial> read = new ArrayList<>(List.of(moments.exponent()));
      for (int j = 0; j < moments.orders().size(); j++) {
        if (i == j || isAbove(moments.orders().get(j), moments.orders().get(i))) {
          read.add(moments.derivatives().get(j));
        }
      }
      // One that is above all others, and reads no centre, is a mere sum.
      Polynomial own = moments.derivatives().get(i);
      if (read.size() > 2 || moments.variables().stream().anyMatch(variable -> own.atoms().anyMatch(variable.atom()::equals))) {
        moments.variables().forEach(variable -> read.add(variable.value()));
      }
      result.add(slot(i == 0 ? "" : "_moment" + i, moments.type(), Expr.literal(moments.type(), 0), read));
    }
    return result;
  }

  /// Whether a moment of the order `high` corrects one of the order `low`.
  static boolean isAbove(List<Integer> high, List<Integer> low) {
    for (int i = 0; i < high.size(); i++) {
      if (high.get(i) < low.get(i)) {
        return false;
      }
    }
    return !high.equals(low);
  }

  private Slot slot(String suffix, ElementType type, Expr start, List<Polynomial> read) {
    Set<Rank> free = Exprs.identitySet();
    read.forEach(value -> value.leaves().forEach(leaf -> free.addAll(Exprs.freeRanks(leaf))));
    List<Rank> ranks = steps.ranks(free);
    Tensor tensor = steps.state(name + "_run" + suffix, type, ranks, start);
    tensors.add(tensor);
    return new Slot(tensor, ranks);
  }

  /// Where the components of `accumulator` are kept.
  List<Slot> slots(Accumulator accumulator) {
    return slots.get(accumulator);
  }

  /// What `accumulator`, of one component, has been so far.
  Polynomial leaf(Accumulator accumulator) {
    return slots.get(accumulator).getFirst().leaf();
  }

  /// The accumulator of which `tensor` is a state.
  Optional<Accumulator> of(Tensor tensor) {
    return slots.entrySet().stream().filter(entry -> entry.getValue().stream().anyMatch(slot -> slot.tensor() == tensor))
        .map(Map.Entry::getKey).findFirst();
  }

  /// What `plan` says of what is kept, if centres are where they should be.
  Polynomial value(Plan plan) {
    Polynomial sum = plan.shift();
    for (Plan.Part part : plan.parts()) {
      List<Slot> own = slots.get(part.kept());
      Polynomial leaf = own.get(part.kept() instanceof Accumulator.Folded ? plan.member().component() : 0).leaf();
      Polynomial weight = exponentOf(part.kept()).filter(_ -> scales(plan, part))
          .map(reference -> Polynomial.exp(leaf(reference.plain()).times(reference.unit()))).orElse(Polynomial.ONE);
      Polynomial value = part.factor().times(weight).times(part.outer() ? Polynomial.exp(leaf) : leaf);
      sum = sum.plus(part.masked() ? exponentOf(part.kept()).map(reference -> orNothing(value, reference)).orElse(value) : value);
    }
    return sum;
  }

  /// 0 where `reference`, on which `value` depends, has seen no element.
  private Polynomial orNothing(Polynomial value, Accumulator.Reference reference) {
    Expr.Access access = slots.get(reference.plain()).getFirst().access();
    boolean depends = value.terms().keySet().stream().anyMatch(term -> term.exponent().leaves().anyMatch(access::equals));
    Expr some = new Expr.Binary(BinaryOp.NE, access, reference.nothing());
    return !depends ? value
        : Polynomial.of(new Atom.Choice(new Condition.Plain(some), Polynomial.ONE, Polynomial.ZERO)).times(value);
  }

  /// Whether the weight of the part belongs to the member: of a reduction of tuples just some components are scaled.
  private static boolean scales(Plan plan, Plan.Part part) {
    return !(part.kept() instanceof Accumulator.Folded folded) || folded.scaled().contains(plan.member().component());
  }
}
