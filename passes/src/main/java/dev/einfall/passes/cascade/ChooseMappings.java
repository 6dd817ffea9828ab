package dev.einfall.passes.cascade;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Decisions;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Target;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// Chooses the loops of every Einsum that has no mapping yet: the vector rank and the register tile with the fewest
/// cycles by the [CostModel], the loop order with the least memory traffic, and parallel loops at the outside.
///
/// ```
/// Y[m, n] = sum[k](X[m, k] * W[k, n])     =>     map Y {
///                                                  split m 8
///                                                  split n 32 16
///                                                  order n2 m1 k m0 n1 n0
///                                                  parallel n2 m1
///                                                  unroll m0 n1
///                                                  vectorize n0
///                                                }
/// ```
///
/// Ranks that stand side by side wherever one of them does are also tried as one rank of rows ([Flattening]).
///
/// Under the `strict` contract no rank is a vector rank over which floats are summed or multiplied.
public record ChooseMappings(Target target, Numerics numerics, Decisions decisions) implements Pass.OnCascade {
  /// With choices by cost alone.
  public ChooseMappings(Target target, Numerics numerics) {
    this(target, numerics, Decisions.byCost());
  }

  @Override
  public String name() {
    return "choose-mappings";
  }

  @Override
  public Machines machines() {
    return Machines.PROCESSORS;
  }

  @Override
  public Numerics needs() {
    return numerics;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    Set<Tensor> constant = Constants.of(cascade);
    Map<Tensor, String> subjects = subjects(cascade);
    List<Mapping.Nest> nests = new ArrayList<>(cascade.mapping().nests());
    Set<Tensor> inside = Exprs.identitySet();
    for (Mapping.Group group : cascade.mapping().groups()) {
      KernelView view = new KernelView(cascade, group);
      if (view.isNeeded()) {
        inside.addAll(group.members());
        nests.addAll(nests(view, cascade.mapping(), constant, subjects));
      }
    }
    for (Einsum einsum : cascade.einsums()) {
      if (cascade.mapping().nest(einsum.tensor()).isEmpty() && !inside.contains(einsum.tensor())) {
        Optional<Mapping.Group> group = cascade.mapping().group(einsum.tensor());
        List<Tensor> fused = group.map(Mapping.Group::members).orElse(List.of());
        int shared = group.map(outside -> outside.shared().size()).orElse(0);
        nests.add(Interleaving.of(einsum, target).map(lanes -> lanes.nest(target, shared))
            .orElseGet(() -> tiled(einsum.tensor(), subjects.get(einsum.tensor()), einsum, new CostModel(target, einsum, constant, fused),
                shared, group.isEmpty(), constant).nest()));
      }
    }
    // A scalar has no loops, and a map without a directive says nothing.
    nests.removeIf(nest -> nest.splits().isEmpty() && nest.order().isEmpty() && nest.bindings().isEmpty());
    return cascade.withMapping(cascade.mapping().withNests(nests));
  }

  /// What the decisions are about. Of tensors of one name, the second is `NAME_1`.
  private Map<Tensor, String> subjects(Cascade cascade) {
    Map<Tensor, String> subjects = new IdentityHashMap<>();
    Map<String, Integer> count = new HashMap<>();
    for (Tensor tensor : cascade.definitions().stream().flatMap(definition -> definition.tensors().stream()).toList()) {
      int before = count.merge(tensor.name(), 1, Integer::sum) - 1;
      subjects.put(tensor, name() + " " + tensor.name() + (before == 0 ? "" : "_" + before));
    }
    return subjects;
  }

  /// The nests of a group's members inside their kernel. If the work is worth sharing, those of the first say that the loops around are
  /// parallel; where there is but one point of these, such as for a recurrence whose steps connect all, threads share the loops inside.
  private List<Mapping.Nest> nests(KernelView view, Mapping mapping, Set<Tensor> constant, Map<Tensor, String> subjects) {
    List<Mapping.Nest> nests = new ArrayList<>();
    double cycles = 0;
    boolean isOneTask = view.tasks() == 1;
    for (KernelView.Writer writer : view.writers()) {
      boolean isMapped = mapping.nest(writer.tensor()).isPresent() || nests.stream().anyMatch(nest -> nest.tensor() == writer.tensor());
      if (!isMapped) {
        TiledNest choice = writer.inside().map(inside -> inKernel(view, writer, inside, constant, subjects)).orElse(null);
        nests.add(choice == null ? new Mapping.Nest(writer.tensor(), List.of(), List.of(), List.of())
            : choice.nestInKernel(isOneTask && target.threads() > 1 && writer.times() * choice.cycles() >= TiledNest.PARALLEL_CYCLES, isNear(view, writer)));
        cycles += writer.times() * (choice == null ? TiledNest.PARALLEL_CYCLES : choice.cycles());
      }
    }
    if (!nests.isEmpty() && !isOneTask && cycles >= TiledNest.PARALLEL_CYCLES) {
      Mapping.Nest first = nests.getFirst();
      List<Mapping.Bound> bindings = new ArrayList<>(first.bindings());
      view.shared(first.tensor()).forEach(rank -> bindings.add(new Mapping.Bound(rank.name(), Mapping.Binding.PARALLEL)));
      nests.set(0, new Mapping.Nest(first.tensor(), first.flattened(), first.splits(), first.order(), bindings));
    }
    return nests;
  }

  /// Whether all that `writer` reads and writes lives in the kernel.
  private static boolean isNear(KernelView view, KernelView.Writer writer) {
    return view.isLocal(writer.tensor()) && writer.inside().stream().flatMap(inside -> Exprs.accesses(inside.value()))
        .allMatch(access -> view.isInside(access.tensor()));
  }

  /// The choice for what writes a tensor in a kernel, where only what is the same in all runs can be copied before.
  private TiledNest inKernel(
      KernelView view, KernelView.Writer writer, Einsum inside, Set<Tensor> constant, Map<Tensor, String> subjects) {
    CostModel costs = new CostModel(target, inside, constant, access -> view.isSteady(writer, access), writer.times());
    return tiled(writer.tensor(), subjects.get(writer.tensor()), inside, costs, 0, false, constant);
  }

  /// The loops of one Einsum, in the tiles that take the fewest cycles.
  ///
  /// @param tensor under whose name the loops are known
  /// @param subject of the decision
  /// @param shared how many of its first ranks a group shares
  /// @param isKernel whether the Einsum is all of its kernel
  private TiledNest tiled(
      Tensor tensor, String subject, Einsum einsum, CostModel costs, int shared, boolean isKernel, Set<Tensor> constant) {
    List<Candidate> candidates = new ArrayList<>(candidates(Flattening.none(einsum), costs, shared, isKernel, constant));
    if (isKernel) {
      Flattening.of(einsum).ifPresent(flat -> candidates.addAll(flatRows(flat, constant)));
    }
    Candidate best = decisions.choose(subject, candidates, Candidate::cyclesWithReading);
    return new TiledNest(target, tensor, best.view, shared, best.tiling, best.cycles(), best.streams.goAlongRows(best.tiling));
  }

  /// Tiles of an Einsum, some of whose ranks may be one.
  private record Candidate(Flattening view, CostModel costs, Streams streams, Tiling tiling) {
    double cycles() {
      return costs.cycles(tiling);
    }

    double cyclesWithReading() {
      return cycles() + streams.reading(tiling);
    }

    @Override
    public String toString() {
      return tiling.toString();
    }
  }

  private List<Candidate> candidates(Flattening view, CostModel costs, int shared, boolean isKernel, Set<Tensor> constant) {
    Einsum einsum = view.einsum();
    List<Rank> free = einsum.ranks().subList(shared, einsum.ranks().size());
    List<Rank> reduced = Exprs.reduced(einsum.value());
    Streams streams = new Streams(target, numerics, einsum, reduced, isKernel, constant);
    List<Tiling> tilings = new ArrayList<>();
    new Tilings(target, numerics, einsum, free, reduced).all().forEach(tiling -> {
      Tiling ofConstants = DotSteps.atOnce(target, einsum, access -> constant.contains(access.tensor()), tiling);
      tilings.add(ofConstants);
      streams.of(ofConstants).forEach(tilings::add);
      // What is copied at every run may cost more than it saves.
      Stream.of(DotSteps.atOnce(target, einsum, costs::canCopy, tiling)).filter(steps -> !steps.equals(ofConstants)).forEach(tilings::add);
    });
    if (numerics.allows(Numerics.REASSOCIATE)) {
      tilings.addAll(new MatrixTiles(target, einsum, free, costs::canCopy).all());
    }
    Transposition.tile(einsum, free, target, numerics, isKernel).ifPresent(tilings::add);
    return tilings.stream().map(tiling -> new Candidate(view, costs, streams, tiling)).toList();
  }

  /// Those with rows along ranks that are one, where nothing else gains.
  private List<Candidate> flatRows(Flattening flat, Set<Tensor> constant) {
    Set<Tensor> known = flat.withViews(constant);
    return candidates(flat, new CostModel(target, flat.einsum(), known, List.of()), 0, true, known).stream()
        .filter(candidate -> candidate.tiling.row().filter(flat::isFlat).isPresent() && candidate.tiling.vector().filter(flat::isFlat).isEmpty())
        .toList();
  }
}
