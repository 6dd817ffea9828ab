package dev.einfall.passes.reduce;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Decisions;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Target;
import dev.einfall.passes.cascade.Decoding;
import dev.einfall.passes.cascade.EliminateCommonEinsums;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.LinkedHashSet;
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
/// @param forms in which form a chain is computed
/// @param rows how many coordinates of the last rank that the chain does not reduce are taken together: tiles are left out for all
///     of them or none
/// @param exponents whether exponentials refer to the largest power of two so far and not to the largest value: `exp(x)` is kept as
///     a mantissa and an exponent (Dukhan & Ablavatski, 2020), so that the reference is no maximum of the program
public record ReducePasses(Forms forms, int rows, boolean exponents) implements Pass.OnCascade {
  /// What is kept for one row is corrected in every step.
  private static final long MOST_RESULTS = 1024;
  private static final int ROWS = 64;

  /// Always in the same form, where the rule of [Worth] says that it is worth it.
  ///
  /// @param tile how many elements a step takes
  /// @param parts how many parts of the rank are reduced side by side and then combined
  /// @param rowBytes a chain that stores no less is left alone where what it reads of one row takes no more
  public ReducePasses(int tile, int rows, int parts, int rowBytes, boolean exponents) {
    this(new Forms.Given(tile, parts, rowBytes), rows, exponents);
  }

  /// In the forms that cost least, or are forced: see [FormCosts]. For a GPU running forms are for what would store a product, such as the scores of
  /// attention, for others to read: where there are rows enough, a block goes over it tile by tile, and stores none of it.
  public ReducePasses(Target target, Decisions decisions) {
    this(target.isGpu() ? new Forms.OnBlocks(target, decisions) : new Forms.ByCost(target, decisions), ROWS, false);
  }

  /// The options that say which form.
  public String form() {
    return forms.text();
  }

  @Override
  public String name() {
    return "reduce-passes";
  }

  @Override
  public Numerics needs() {
    return exponents ? Numerics.FAST : Numerics.REASSOCIATE;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> listener) {
    Set<Diagnostic> said = new LinkedHashSet<>();
    Consumer<Diagnostic> remarks = remark -> {
      if (said.add(remark)) {
        listener.accept(remark);
      }
    };
    Cascade current = cascade;
    Set<Tensor> tried = Exprs.identitySet();
    int before;
    do {
      before = tried.size();
      // Layers have a chain each, so one search is for all that it finds.
      Ancestry ancestry = new Ancestry(current);
      for (Chain chain : new ChainSearch(ancestry, remarks, tried).chains()) {
        ancestry = ancestry.cascade() == current ? ancestry : new Ancestry(current);
        if (isThere(chain, ancestry) && forms.areWorth(chain, ancestry)) {
          current = tried(chain, ancestry, remarks, tried);
        }
      }
    } while (tried.size() > before);
    return current;
  }

  /// Whether reducing another chain has left the definitions that `chain` is made of as they were.
  private static boolean isThere(Chain chain, Ancestry ancestry) {
    return chain.members().stream().allMatch(member -> ancestry.einsum(member.tensor()).filter(einsum -> einsum == member.einsum()).isPresent())
        && chain.absorbed().stream().allMatch(tensor -> ancestry.einsum(tensor).isPresent());
  }

  /// The cascade with `chain` reduced as far as that goes. It is not tried again.
  private Cascade tried(Chain chain, Ancestry ancestry, Consumer<Diagnostic> remarks, Set<Tensor> tried) {
    Set<Tensor> known = Exprs.identitySet();
    ancestry.cascade().definitions().forEach(definition -> known.addAll(definition.tensors()));
    List<Chain.Member> settled = new ArrayList<>();
    Cascade result = reduced(chain, ancestry, remarks, settled).orElse(ancestry.cascade());
    settled.forEach(member -> tried.add(member.tensor()));
    // What puts parts together goes over few elements.
    result.definitions().stream().flatMap(definition -> definition.tensors().stream()).filter(tensor -> !known.contains(tensor))
        .forEach(tried::add);
    return result;
  }

  /// @param settled takes the members that need not be tried again: all, or those that do not fit where the others read what these read too, and are to be
  ///     looked at without them
  private Optional<Cascade> reduced(Chain chain, Ancestry ancestry, Consumer<Diagnostic> remarks, List<Chain.Member> settled) {
    Chain current = chain;
    while (current.members().size() > 1) {
      if (!isAlone(current, ancestry)) {
        List<Chain.Member> left = current.members();
        chain.members().stream().filter(member -> !left.contains(member)).forEach(settled::add);
        return Optional.empty();
      }
      Optional<Chain.Member> wide = wide(current);
      if (wide.isPresent()) {
        remarks.accept(Diagnostic.remark(wide.get().einsum().span(), "'" + wide.get().tensor().name() + "' keeps a pass of its own over '"
            + current.rank().name() + "': it has more than " + MOST_RESULTS + " results for each row, which do not stay near while they are corrected"));
        current = without(current, wide.get());
        continue;
      }
      Optional<Chain.Member> coded = coded(current);
      if (coded.isPresent()) {
        remarks.accept(Diagnostic.remark(coded.get().einsum().span(), "'" + coded.get().tensor().name() + "' keeps a pass of its own over '"
            + current.rank().name() + "': it reads what is stored in bytes, which a product by itself decodes"));
        current = without(current, coded.get());
        continue;
      }
      try {
        Form first = forms.first(current);
        Running running = replaced(current, first, ancestry);
        Form chosen = forms.choose(current, ancestry, Coverage.of(running.recurrence(), first.tile()));
        settled.addAll(chain.members());
        return chosen.isPlain() ? Optional.empty()
            : Optional.of((chosen.equals(first) ? running : replaced(current, chosen, ancestry)).cascade());
      } catch (Planner.Declined declined) {
        remarks.accept(Diagnostic.remark(declined.member().einsum().span(), "'" + declined.member().tensor().name()
            + "' keeps a pass of its own over '" + current.rank().name() + "': " + declined.getMessage()));
        current = without(current, declined.member());
      }
    }
    settled.addAll(chain.members());
    return Optional.empty();
  }

  /// Whether nobody but its members reads what they have taken in, so that nothing is computed twice.
  private static boolean isAlone(Chain chain, Ancestry ancestry) {
    return new Absorption(ancestry, chain.members().stream().map(Chain.Member::einsum).toList()).tensors().containsAll(chain.absorbed());
  }

  private static Optional<Chain.Member> wide(Chain chain) {
    return chain.members().stream().filter(member ->
        Exprs.volume(member.ranks().stream().filter(rank -> !chain.common().contains(rank)).toList()) > MOST_RESULTS).findFirst();
  }

  /// A product with what is stored in bytes: it decodes that by itself, with vectors, and is not for sums that are corrected.
  private static Optional<Chain.Member> coded(Chain chain) {
    return chain.members().stream().filter(member -> FormCosts.isProduct(member.einsum()))
        .filter(member -> member.bodies().stream().flatMap(Exprs::accesses).anyMatch(access -> Decoding.isByte(access.tensor()))).findFirst();
  }

  private static Chain without(Chain chain, Chain.Member member) {
    return new Chain(chain.rank(), chain.members().stream().filter(other -> other != member).toList(), chain.absorbed(), chain.ranks());
  }

  /// The cascade with a chain in a running form, which is `recurrence`.
  private record Running(Cascade cascade, Recurrence recurrence) {}

  private Running replaced(Chain chain, Form form, Ancestry ancestry) throws Planner.Declined {
    Steps steps = new Steps(chain, Steps.TileShape.of(chain.rank().size().value(), form.tile(), form.parts()),
        chain.members().getFirst().einsum().span());
    Kept kept = new Kept(ancestry.canonical(), steps, exponents);
    List<Plan> plans = new Planner(chain, ancestry, kept).plans();
    steps.guard(new Guards(chain, ancestry.canonical(), kept, steps, rows).guard());
    RunningForm running = new RunningForm(
        ancestry.canonical(), steps, kept, new TileValues(chain, ancestry, ancestry.canonical(), steps), plans);
    running.write();
    List<Definition> written = new ArrayList<>();
    Recurrence recurrence = steps.recurrence();
    written.add(recurrence);
    written.addAll(new FinalForm(ancestry.canonical(), steps, kept, running).einsums(plans));
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
    return new Running(EliminateCommonEinsums.withoutDead(cascade), recurrence);
  }
}
