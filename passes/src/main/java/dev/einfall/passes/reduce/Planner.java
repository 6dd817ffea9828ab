package dev.einfall.passes.reduce;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.cascade.Combiner;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.algebra.Atom;
import dev.einfall.passes.algebra.Canonical;
import dev.einfall.passes.algebra.Dependence;
import dev.einfall.passes.algebra.Derivative;
import dev.einfall.passes.algebra.Laws;
import dev.einfall.passes.algebra.Polynomial;
import dev.einfall.passes.algebra.Rational;
import dev.einfall.passes.algebra.Separation;
import dev.einfall.passes.algebra.Separator;
import dev.einfall.passes.algebra.Written;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/// Plans what to keep for each member of a chain, by the way in which its term comes apart.
final class Planner {
  /// A polynomial of a higher degree in an earlier reduction is not worth its moments.
  private static final int MOST_DERIVATIVES = 6;

  private final Chain chain;
  private final Ancestry ancestry;
  private final Canonical canonical;
  private final Kept kept;
  private final Map<Tensor, Plan> plans = new LinkedHashMap<>();

  Planner(Chain chain, Ancestry ancestry, Kept kept) {
    this.chain = chain;
    this.ancestry = ancestry;
    this.canonical = ancestry.canonical();
    this.kept = kept;
  }

  /// Why a member cannot share the pass of those before it.
  static final class Declined extends Exception {
    private static final long serialVersionUID = 1;
    private final transient Chain.Member member;

    Declined(Chain.Member member, String reason) {
      super(reason);
      this.member = member;
    }

    Chain.Member member() {
      return member;
    }
  }

  /// The plans of all members, in order.
  ///
  /// @throws Declined if the term of one does not come apart
  List<Plan> plans() throws Declined {
    for (Chain.Member member : chain.members()) {
      kept.naming(member.tensor().name());
      plans.put(member.tensor(), plan(member));
    }
    return List.copyOf(plans.values());
  }

  private Plan plan(Chain.Member member) throws Declined {
    try {
      List<Polynomial> terms = member.bodies().stream().map(this::form).toList();
      return switch (member.combination()) {
        case Reduction reduction -> plan(member, reduction, terms.getFirst());
        case Combiner combiner -> fold(member, combiner, terms);
      };
    } catch (ArithmeticException tooLarge) {
      throw new Declined(member, "its term has " + tooLarge.getMessage() + " in it");
    }
  }

  /// The form of a term, in which members that need no correction stand as what is kept for them.
  private Polynomial form(Expr body) {
    return closed(canonical.keeping(sum -> !waits(sum)).of(body));
  }

  private Polynomial closed(Polynomial value) {
    return canonical.substitute(value, this::closed, UnaryOperator.identity());
  }

  private Optional<Polynomial> closed(Expr leaf) {
    if (!(leaf instanceof Expr.Access access) || !plans.containsKey(access.tensor()) || !plans.get(access.tensor()).isPlain()) {
      return Optional.empty();
    }
    return Optional.of(kept.value(plans.get(access.tensor())));
  }

  private Dependence dependence(Chain.Member member) {
    Set<Rank> reduced = Exprs.identitySet();
    reduced.add(chain.rank());
    reduced.addAll(member.inner());
    return new Dependence(
        expr -> expr.nodes().anyMatch(node -> node instanceof Expr.Coordinate(Rank rank) && reduced.contains(rank)),
        this::waits);
  }

  /// Whether `expr` depends on the reductions of the chain.
  private boolean waits(Expr expr) {
    return Exprs.accesses(expr).anyMatch(access -> kept.has(access.tensor())
        || chain.members().stream().anyMatch(other -> ancestry.dependsOn(access.tensor(), other.tensor())));
  }

  private Separator separator(Chain.Member member) {
    return new Separator(canonical, dependence(member), member.bodies().getFirst().type());
  }

  private Plan plan(Chain.Member member, Reduction reduction, Polynomial term) throws Declined {
    Optional<Separation.Ties> ties = separator(member).ties(term, this::isExtreme);
    if (ties.isPresent()) {
      Separation.Ties found = ties.get();
      Accumulator.Plain extreme = extreme(member, found.value(), found.largest()).orElseThrow();
      return single(member, kept.share(new Accumulator.Tied(
          reduction, extreme, found.largest(), found.body(), found.otherwise(), member.inner(), type(member))));
    }
    Separation separation = switch (reduction) {
      case SUM, MAX, MIN -> separator(member).separate(Laws.of(reduction), term);
      case PROD -> separator(member).product(term, extent(member));
      case ANY, ALL, ARGMAX, ARGMIN -> separator(member).separate(Laws.of(reduction), term);
    };
    return switch (separation) {
      case Separation.Parts(Polynomial shift, List<Separation.Part> parts) -> {
        List<Plan.Part> planned = new ArrayList<>();
        for (Separation.Part part : parts) {
          planned.add(new Plan.Part(part.factor(), kept(member, reduction, part), part.outer(), part.masked()));
        }
        yield new Plan(member, shift, planned);
      }
      case Separation.Blocked blocked -> throw declined(member, blocked);
      case Separation.Ties _ -> throw new IllegalStateException("ties are asked for by themselves");
    };
  }

  private static Plan single(Chain.Member member, Accumulator kept) {
    return new Plan(member, Polynomial.ZERO, List.of(new Plan.Part(Polynomial.ONE, kept, false, false)));
  }

  private Rational extent(Chain.Member member) {
    List<Rank> ranks = new ArrayList<>(member.inner());
    ranks.add(chain.rank());
    return Rational.of(Exprs.volume(ranks));
  }

  private static ElementType type(Chain.Member member) {
    return member.tensor().type();
  }

  private Declined declined(Chain.Member member, Separation.Blocked blocked) {
    Polynomial named = canonical.substitute(blocked.blocking(), this::named, UnaryOperator.identity());
    String text = CascadePrinter.print(Written.of(named, member.bodies().getFirst().type()));
    return new Declined(member, text + " " + blocked.reason());
  }

  /// The member that a state becomes, which a reader of the program knows.
  private Optional<Polynomial> named(Expr leaf) {
    return plans.values().stream().filter(plan -> plan.isPlain() && kept.value(plan).equals(Polynomial.of(new Atom.Leaf(leaf))))
        .findFirst().map(plan -> Polynomial.of(new Atom.Leaf(plan.member().access())));
  }

  private Accumulator kept(Chain.Member member, Reduction reduction, Separation.Part part) throws Declined {
    if (part.isDeferred()) {
      return kept.share(new Accumulator.Plain(reduction, part.body(), member.inner(), type(member)));
    }
    Optional<Accumulator.Reference> reference = part.exponent().isZero() ? Optional.empty()
        : Optional.of(reference(member, part.exponent()));
    if (part.variables().isEmpty()) {
      return kept.share(new Accumulator.Weighted(
          reduction, reference.orElseThrow(), part.exponent(), part.body(), member.inner(), type(member)));
    }
    for (Separation.Variable variable : part.variables()) {
      requireRunning(member, variable.value());
    }
    return kept.share(moments(member, part, reference));
  }

  /// The running maximum that keeps the exponential small. Inner ranks share one maximum.
  private Accumulator.Reference reference(Chain.Member member, Polynomial exponent) {
    Dependence dependence = dependence(member);
    return kept.reference(exponent, member.inner(), type(member), value -> !dependence.varies(value) && !dependence.waits(value));
  }

  /// A centre follows the members so far: anything else is not known before the end.
  private void requireRunning(Chain.Member member, Polynomial value) throws Declined {
    for (Expr leaf : value.leaves().toList()) {
      for (Expr.Access access : Exprs.accesses(leaf).toList()) {
        boolean later = chain.members().stream().anyMatch(other -> other.tensor() != access.tensor()
            && ancestry.dependsOn(access.tensor(), other.tensor())) && !plans.containsKey(access.tensor());
        if (later) {
          throw new Declined(member, "'" + access.tensor().name() + "' is only known after the whole pass");
        }
      }
    }
  }

  private Accumulator.Moments moments(Chain.Member member, Separation.Part part, Optional<Accumulator.Reference> reference)
      throws Declined {
    Map<List<Integer>, Polynomial> found = new LinkedHashMap<>();
    derive(part.body(), part.variables(), 0, new ArrayList<>(), found);
    if (found.keySet().stream().anyMatch(order -> order.stream().mapToInt(Integer::intValue).sum() > MOST_DERIVATIVES)) {
      throw new Declined(member, "its term is a polynomial of more than degree " + MOST_DERIVATIVES + " in earlier reductions");
    }
    return new Accumulator.Moments(reference, part.exponent(), List.copyOf(found.keySet()), List.copyOf(found.values()),
        part.variables(), member.inner(), type(member));
  }

  /// The derivatives by the variables from `next` on, divided by factorials, that are not 0.
  private void derive(Polynomial body, List<Separation.Variable> variables, int next, List<Integer> order,
      Map<List<Integer>, Polynomial> found) {
    if (next == variables.size()) {
      found.put(List.copyOf(order), body);
      return;
    }
    Atom variable = variables.get(next).atom();
    Polynomial derivative = body;
    for (int times = 0; times <= MOST_DERIVATIVES + 1 && !canonical.normal(derivative).isZero(); times++) {
      List<Integer> own = new ArrayList<>(order);
      own.add(times);
      derive(derivative, variables, next + 1, own, found);
      derivative = Derivative.of(derivative, variable).times(Rational.of(times + 1).inverse());
    }
  }

  /// Whether `bound` is the largest or smallest `value` over the rank.
  private boolean isExtreme(Polynomial value, boolean largest, Polynomial bound) {
    return kept.plain(largest ? Reduction.MAX : Reduction.MIN, value)
        .filter(plain -> canonical.normal(kept.leaf(plain)).equals(canonical.normal(bound))).isPresent();
  }

  private Optional<Accumulator.Plain> extreme(Chain.Member member, Polynomial value, boolean largest) {
    return kept.plain(largest ? Reduction.MAX : Reduction.MIN, value);
  }

  /// A reduction of the program's own: the components that depend on earlier reductions are all shifted by one addend and scaled
  /// by one factor.
  private Plan fold(Chain.Member member, Combiner combiner, List<Polynomial> terms) throws Declined {
    Dependence dependence = dependence(member);
    Set<Integer> changed = new LinkedHashSet<>();
    for (int i = 0; i < terms.size(); i++) {
      if (dependence.waits(terms.get(i))) {
        changed.add(i);
      }
    }
    for (int i = 0; i < terms.size() && !changed.isEmpty(); i++) {
      if (terms.get(i).isInfinite()) {
        // What is infinite may as well have been shifted and scaled.
        changed.add(i);
      }
    }
    Polynomial shift = Polynomial.ZERO;
    Polynomial factor = Polynomial.ONE;
    Polynomial exponent = Polynomial.ZERO;
    List<Polynomial> bodies = new ArrayList<>(terms);
    boolean first = true;
    for (int i : changed) {
      if (terms.get(i).isInfinite()) {
        continue;
      }
      switch (separator(member).separate(Laws.of(combiner, changed), terms.get(i))) {
        case Separation.Parts(Polynomial addend, List<Separation.Part> parts) -> {
          Separation.Part part = parts.getFirst();
          boolean same = addend.equals(shift) && part.factor().equals(factor) && part.exponent().equals(exponent);
          if (!first && !same) {
            throw new Declined(member, "its components depend on earlier reductions in different ways");
          }
          shift = addend;
          factor = part.factor();
          exponent = part.exponent();
          bodies.set(i, part.body());
          first = false;
        }
        case Separation.Blocked blocked -> throw declined(member, blocked);
        case Separation.Ties _ -> throw new IllegalStateException("ties are asked for by themselves");
      }
    }
    boolean moved = changed.contains(member.component());
    Optional<Accumulator.Reference> reference = exponent.isZero() ? Optional.empty() : Optional.of(reference(member, exponent));
    Accumulator accumulator = kept.share(
        new Accumulator.Folded(combiner, reference, exponent, List.copyOf(changed), bodies, member.inner()));
    return new Plan(member, moved ? shift : Polynomial.ZERO,
        List.of(new Plan.Part(moved ? factor : Polynomial.ONE, accumulator, false, false)));
  }

}
