package dev.einfall.passes.reduce;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.algebra.Polynomial;
import dev.einfall.passes.algebra.Written;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Writes the members of a chain from what is kept at the end.
///
/// Where the reference of an exponential is still `-inf`, as for a row that is masked entirely, the source takes `-inf` from `-inf`:
/// members are NaN there.
final class FinalForm {
  private final Kept kept;
  private final Map<Tensor, Set<Accumulator.Plain>> guards = new IdentityHashMap<>();

  FinalForm(Kept kept) {
    this.kept = kept;
  }

  /// An Einsum for each plan, in order.
  List<Definition> einsums(List<Plan> plans) {
    List<Definition> definitions = new ArrayList<>();
    for (Plan plan : plans) {
      Chain.Member member = plan.member();
      definitions.add(einsum(member.tensor(), member.ranks(), guarded(plan, kept.value(plan)), member));
    }
    return definitions;
  }

  private static Einsum einsum(Tensor tensor, List<Rank> ranks, Expr value, Chain.Member member) {
    List<Rank> own = ranks.stream().map(rank -> new Rank(rank.name(), rank.size())).toList();
    Expr renamed = Exprs.substitute(Exprs.freshRanks(value), Deferral.renamed(ranks, Exprs.coordinates(own)));
    return new Einsum(tensor, own, renamed, member.einsum().span());
  }

  private Expr guarded(Plan plan, Polynomial value) {
    Expr expr = Written.of(value, plan.member().tensor().type());
    Set<Accumulator.Plain> own = Exprs.identitySet();
    for (Plan.Part part : plan.parts()) {
      Kept.exponentOf(part.kept()).filter(reference -> cancels(reference, value)).ifPresent(own::add);
    }
    guards.put(plan.member().tensor(), own);
    for (Accumulator.Plain reference : own) {
      boolean already = Exprs.accesses(expr).anyMatch(access -> guards.containsKey(access.tensor())
          && access.tensor() != plan.member().tensor() && guards.get(access.tensor()).contains(reference));
      if (!already) {
        Expr lowest = Expr.literal(reference.type(), Double.NEGATIVE_INFINITY);
        Expr nothing = new Expr.Binary(BinaryOp.EQ, kept.slots(reference).getFirst().access(), lowest);
        expr = new Expr.Select(nothing, Expr.literal(expr.type(), Double.NaN), expr);
      }
    }
    return expr;
  }

  /// Whether the reference has left the value, as in `exp(r - r)`.
  private boolean cancels(Accumulator.Plain reference, Polynomial value) {
    Expr access = kept.slots(reference).getFirst().access();
    return value.terms().keySet().stream().noneMatch(term -> term.exponent().leaves().anyMatch(access::equals));
  }
}
