package dev.einfall.passes.reduce;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.algebra.Atom;
import dev.einfall.passes.algebra.Canonical;
import dev.einfall.passes.algebra.Polynomial;
import dev.einfall.passes.algebra.Written;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Writes the members of a chain from what is kept at the end: of parts that went side by side, what they are together.
///
/// Where the reference of an exponential is still `-inf`, as for a row that is masked entirely, the source takes `-inf` from `-inf`:
/// members are NaN there.
final class FinalForm {
  private final Canonical canonical;
  private final Steps steps;
  private final Kept kept;
  private final RunningForm running;
  private final List<Definition> definitions = new ArrayList<>();
  private final Map<Tensor, Set<Accumulator.Plain>> guards = new IdentityHashMap<>();
  /// What stands for a state of one part when the parts have been put together.
  private final Map<Expr, Expr> whole = new HashMap<>();

  FinalForm(Canonical canonical, Steps steps, Kept kept, RunningForm running) {
    this.canonical = canonical;
    this.steps = steps;
    this.kept = kept;
    this.running = running;
  }

  /// The Einsums for `plans`, in order.
  List<Definition> einsums(List<Plan> plans) {
    for (Plan plan : plans) {
      plan.parts().forEach(part -> finish(part.kept(), plan.member()));
      Chain.Member member = plan.member();
      define(member.tensor(), member.ranks(), guarded(plan, whole(kept.value(plan))));
    }
    return definitions;
  }

  private void define(Tensor tensor, List<Rank> ranks, Expr value) {
    List<Rank> own = ranks.stream().map(rank -> new Rank(rank.name(), rank.size())).toList();
    Expr renamed = Exprs.substitute(Exprs.freshRanks(value), Deferral.renamed(ranks, Exprs.coordinates(own)));
    definitions.add(new Einsum(tensor, own, renamed, tensor.span()));
  }

  private Polynomial whole(Polynomial value) {
    return canonical.substitute(value, leaf -> Optional.ofNullable(whole.get(leaf)).map(FinalForm::leaf),
        expr -> Exprs.rewrite(expr, node -> whole.getOrDefault(node, node)));
  }

  private static Polynomial leaf(Expr expr) {
    return Polynomial.of(new Atom.Leaf(expr));
  }

  /// Puts the parts of `accumulator` together, and moments to where their centres should be.
  private void finish(Accumulator accumulator, Chain.Member member) {
    Kept.exponentOf(accumulator).ifPresent(reference -> finish(reference.plain(), member));
    if (whole.containsKey(kept.slots(accumulator).getFirst().access())) {
      return;
    }
    if (accumulator instanceof Accumulator.Tied tied) {
      finish(tied.extreme(), member);
    }
    boolean moves = accumulator instanceof Accumulator.Moments && (steps.part().isPresent() || steps.isGuarded());
    if (steps.part().isEmpty() && !moves) {
      return;
    }
    Span span = member.einsum().span();
    switch (accumulator) {
      case Accumulator.Plain plain -> combine(accumulator, 0, plain.reduction(), kept.slots(plain).getFirst().access(), span);
      case Accumulator.Weighted weighted -> combine(accumulator, 0, weighted.reduction(),
          weighted(kept.slots(weighted).getFirst().access(), weighted.reference(), weighted.reduction()), span);
      case Accumulator.Moments moments -> combine(accumulator, 0, Reduction.SUM, moved(moments), span);
      case Accumulator.Tied tied -> combine(accumulator, 0, tied.reduction(), tied(tied), span);
      case Accumulator.Folded folded -> {
        List<Expr> components = new ArrayList<>();
        for (int i = 0; i < folded.bodies().size(); i++) {
          Expr.Access own = kept.slots(folded).get(i).access();
          boolean scaled = folded.reference().isPresent() && folded.scaled().contains(i);
          components.add(scaled ? weighted(own, folded.reference().get(), Reduction.MAX) : own);
        }
        for (int i = 0; i < folded.bodies().size(); i++) {
          Kept.Slot slot = kept.slots(folded).get(i);
          put(slot, new Expr.Fold(folded.combiner(), List.of(steps.part().orElseThrow()), components, i), span);
        }
      }
    }
  }

  private void combine(Accumulator accumulator, int component, Reduction reduction, Expr value, Span span) {
    Kept.Slot slot = kept.slots(accumulator).get(component);
    put(slot, steps.part().<Expr>map(part -> new Expr.Reduce(reduction, List.of(part), value)).orElse(value), span);
  }

  private void put(Kept.Slot slot, Expr value, Span span) {
    List<Rank> ranks = slot.ranks().stream().filter(rank -> steps.part().filter(part -> part == rank).isEmpty()).toList();
    Tensor tensor = new Tensor(slot.tensor().name() + "_all", slot.tensor().type(), ranks.stream().map(Rank::size).toList(), span);
    define(tensor, ranks, value);
    whole.put(slot.access(), new Expr.Access(tensor, Exprs.coordinates(ranks)));
  }

  /// `own` of one part, relative to the reference of all. A part of nothing has the identity.
  private Expr weighted(Expr own, Accumulator.Reference reference, Reduction reduction) {
    Expr part = kept.slots(reference.plain()).getFirst().access();
    Expr nothing = new Expr.Binary(BinaryOp.EQ, part, reference.nothing());
    Expr weight = Written.of(reference.exponential(part, whole.getOrDefault(part, part)), reference.plain().type());
    return new Expr.Select(nothing, reduction.identity(own.type()), new Expr.Binary(BinaryOp.MUL, own, weight));
  }

  private Expr moved(Accumulator.Moments moments) {
    List<Polynomial> by = moments.variables().stream().map(variable ->
        whole(variable.value()).minus(running.centres().get(canonical.normal(variable.value())).state().leaf())).toList();
    Expr sum = Written.of(running.taylor(moments, 0, by), moments.type());
    return moments.reference().filter(_ -> steps.part().isPresent())
        .map(reference -> weighted(sum, reference, Reduction.SUM)).orElse(sum);
  }

  private Expr tied(Accumulator.Tied tied) {
    Expr part = kept.slots(tied.extreme()).getFirst().access();
    BinaryOp worse = tied.largest() ? BinaryOp.LT : BinaryOp.GT;
    return new Expr.Select(new Expr.Binary(worse, part, whole.getOrDefault(part, part)),
        Written.of(tied.otherwise(), tied.type()), kept.slots(tied).getFirst().access());
  }

  private Expr guarded(Plan plan, Polynomial value) {
    Expr expr = Written.of(value, plan.member().tensor().type());
    Set<Accumulator.Plain> own = Exprs.identitySet();
    for (Plan.Part part : plan.parts()) {
      Kept.exponentOf(part.kept()).filter(reference -> !part.masked() && cancels(reference.plain(), value))
          .ifPresent(reference -> own.add(reference.plain()));
    }
    guards.put(plan.member().tensor(), own);
    for (Accumulator.Plain reference : own) {
      boolean already = Exprs.accesses(expr).anyMatch(access -> guards.containsKey(access.tensor())
          && access.tensor() != plan.member().tensor() && guards.get(access.tensor()).contains(reference));
      if (!already) {
        Expr lowest = reference.reduction().identity(reference.type());
        Expr nothing = new Expr.Binary(BinaryOp.EQ, wholeReference(reference), lowest);
        expr = new Expr.Select(nothing, Expr.literal(expr.type(), Double.NaN), expr);
      }
    }
    return expr;
  }

  private Expr wholeReference(Accumulator.Plain reference) {
    Expr access = kept.slots(reference).getFirst().access();
    return whole.getOrDefault(access, access);
  }

  /// Whether the reference has left the value, as in `exp(r - r)`.
  private boolean cancels(Accumulator.Plain reference, Polynomial value) {
    Expr access = wholeReference(reference);
    return value.terms().keySet().stream().noneMatch(term -> term.exponent().leaves().anyMatch(access::equals));
  }
}
