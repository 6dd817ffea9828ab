package dev.einfall.passes.reduce;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.cascade.EliminateCommonEinsums;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// Computes reductions over one rank that depend on each other in one pass over it: each keeps its value for the elements so far,
/// and is corrected when one that it depends on changes.
///
/// ```
/// R[p] = max[m](S[p, m])                       update RUN: f32[P] from -inf, SUM: f32[P] from 0.0, ... for m1 in 0..M / 64 {
/// E[p, m] = exp(S[p, m] - R[p])                  OLD[p] = RUN[p]
/// D[p] = sum[m](E[p, m])                  =>     RUN[p] = max(RUN[p], max[m0](S[p, m1 * 64 + m0]))
///                                                SUM[p] = SUM[p] * exp(OLD[p] - RUN[p]) + sum[m0](exp(S[p, m1 * 64 + m0] - RUN[p]))
///                                              }
///                                              D[p] = SUM[p]
/// ```
///
/// Nothing is recognised but by algebra ([dev.einfall.passes.algebra.Separator]): a factor that does not vary with the rank is
/// applied at the end; an exponential refers to the largest exponent so far; a polynomial in an earlier reduction is kept as
/// moments about a centre that follows it. What does not come apart keeps a pass of its own, and a remark says why.
///
/// @param tile how many elements a step takes
/// @param parts how many parts of the rank are reduced side by side and then combined
public record ReducePasses(int tile, int parts) implements Pass.OnCascade {

  @Override
  public String name() {
    return "reduce-passes";
  }

  @Override
  public Numerics needs() {
    return Numerics.REASSOCIATE;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    Cascade current = cascade;
    Set<Tensor> tried = Exprs.identitySet();
    while (true) {
      Ancestry ancestry = new Ancestry(current);
      Optional<Chain> chain = new ChainSearch(ancestry, remarks).chains().stream()
          .filter(candidate -> candidate.members().stream().noneMatch(member -> tried.contains(member.tensor()))).findFirst();
      if (chain.isEmpty()) {
        return current;
      }
      chain.get().members().forEach(member -> tried.add(member.tensor()));
      current = reduced(chain.get(), ancestry, remarks).orElse(current);
    }
  }

  private Optional<Cascade> reduced(Chain chain, Ancestry ancestry, Consumer<Diagnostic> remarks) {
    Chain current = chain;
    while (current.members().size() > 1) {
      try {
        return Optional.of(replaced(current, ancestry));
      } catch (Planner.Declined declined) {
        remarks.accept(Diagnostic.remark(declined.member().einsum().span(), "'" + declined.member().tensor().name()
            + "' keeps a pass of its own over '" + current.rank().name() + "': " + declined.getMessage()));
        current = without(current, declined.member());
      }
    }
    return Optional.empty();
  }

  private static Chain without(Chain chain, Chain.Member member) {
    return new Chain(chain.rank(), chain.members().stream().filter(other -> other != member).toList(), chain.absorbed(), chain.ranks());
  }

  private Cascade replaced(Chain chain, Ancestry ancestry) throws Planner.Declined {
    Steps steps = new Steps(chain, Steps.TileShape.of(chain.rank().size().value(), tile, parts),
        chain.members().getFirst().einsum().span());
    Kept kept = new Kept(ancestry.canonical(), steps);
    List<Plan> plans = new Planner(chain, ancestry, kept).plans();
    new RunningForm(ancestry.canonical(), steps, kept, new TileValues(chain, ancestry, ancestry.canonical(), steps), plans).write();
    List<Definition> written = new ArrayList<>();
    Recurrence recurrence = steps.recurrence();
    written.add(recurrence);
    written.addAll(new FinalForm(kept).einsums(plans));
    List<Definition> definitions = new ArrayList<>();
    boolean placed = false;
    for (Definition definition : ancestry.cascade().definitions()) {
      boolean isMember = chain.members().stream().anyMatch(member -> member.einsum() == definition);
      if (isMember && !placed) {
        definitions.addAll(written);
        placed = true;
      } else if (!isMember) {
        definitions.add(definition);
      }
    }
    Cascade cascade = ancestry.cascade().withDefinitions(Ordering.byNeed(definitions));
    return EliminateCommonEinsums.withoutDead(cascade);
  }
}
