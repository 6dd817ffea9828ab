package dev.einfall.passes.cascade;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.SharedRanks;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Decisions;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Target;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// Computes the factor of a product that all rows share ahead of them, for a tile of columns at a time, where that costs less than computing it anew for every tile of
/// rows.
///
/// ```
/// Y[m, n] = sum[kw, kf](X[m, 8 * kw + kf] * V[shr(W[kw, n], 4 * kf) && 15])     for m in 0..128
///     =>  Y_factor[k, n] = V[shr(W[k / 8, n], k % 8 * 4) && 15]
///         Y[m, n] = sum[k](X[m, k] * Y_factor[k, n])
///         map Y { fuse Y_factor Y over n by 64 }
/// ```
///
/// Weights of few bits are decoded so once for all rows, into a panel that stays in the cache of a core, and the product is as fast as one of floats; with few rows, decoding them
/// where they are used costs less than writing and reading them. Ranks that the reduction was cut into become one where all other factors have them as one index.
///
/// Where lanes along the steps add up apart, both definitions are one sum again ([LaneSum]), and the factor keeps the rank of the lanes, along which it is computed:
///
/// ```
/// L[m, n, l] = sum[w, f](X[m, 128 * w + 16 * f + l] * T[n, shr(W[n, w, l], 4 * f) && 15])
/// Y[m, n] = sum[l](L[m, n, l])
///     =>  Y_factor[w, f, l, n] = T[n, shr(W[n, w, l], 4 * f) && 15]
///         Y[m, n] = sum[k](X[m, k] * Y_factor[k / 16 / 8, k / 16 % 8, k % 16, n])
/// ```
///
/// Weights that are stored along the steps, as are those of `f16`, are put in the order of the factor before, so that vectors of columns are read:
///
/// ```
/// Y[m, n] = sum[k](X[m, k] * f32(W[n, k]))     =>     W_columns[k, n] = W[n, k]
///                                                     Y_factor[k, n] = f32(W_columns[k, n])
///                                                     Y[m, n] = sum[k](X[m, k] * Y_factor[k, n])
/// ```
///
/// Where factors stand in another order, they are multiplied in another one, and lanes added up with their like, if the numerics allow that. A factor that is but converted and scaled is declined.
///
/// @param numerics under which loops are chosen later, and whether factors may be multiplied and lanes be added up in another order
public record HoistFactors(Target target, Numerics numerics, Decisions decisions) implements Pass.OnCascade {
  private static final List<Integer> TILES = List.of(16, 32, 64, 128);

  /// What can be done with a product.
  ///
  /// @param group the kernel that computes the factor first; empty for computing it where it is used
  private record Alternative(Optional<Mapping.Group> group, double cycles) {

    /// Such as `in place`, or `ahead, n by 64`.
    @Override
    public String toString() {
      return group.map(ahead -> "ahead, " + String.join(" ", ahead.shared()) + " by " + ahead.tile()).orElse("in place");
    }
  }

  /// With choices by cost alone.
  public HoistFactors(Target target, Numerics numerics) {
    this(target, numerics, Decisions.byCost());
  }

  @Override
  public String name() {
    return "hoist-factors";
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
    BlockCosts costs = new BlockCosts(target, numerics, constant);
    Cascade result = cascade;
    Uses uses = new Uses(cascade);
    Map<Tensor, LaneSum> sums = new IdentityHashMap<>();
    cascade.einsums().stream().filter(_ -> numerics.allows(Numerics.REASSOCIATE))
        .forEach(einsum -> LaneSum.of(einsum, uses).ifPresent(sum -> sums.put(einsum.tensor(), sum)));
    for (Einsum einsum : cascade.einsums()) {
      Optional<LaneSum> sum = Optional.ofNullable(sums.get(einsum.tensor()));
      boolean isPart = sums.values().stream().anyMatch(other -> other.lanes() == einsum);
      boolean isOpen = !isPart && !constant.contains(einsum.tensor()) && !cascade.mapping().speaksOf(einsum.tensor());
      Optional<HoistedFactor> hoisted = isOpen ? HoistedFactor.of(sum.map(LaneSum::whole).orElse(einsum), constant, numerics) : Optional.empty();
      if (hoisted.isPresent()) {
        result = chosen(sum.map(lanes -> List.of(lanes.lanes(), einsum)).orElse(List.of(einsum)), hoisted.get(), result, costs);
      }
    }
    return result;
  }

  /// `cascade` with the better of both forms of what `einsums` compute.
  private Cascade chosen(List<Einsum> einsums, HoistedFactor hoisted, Cascade cascade, BlockCosts costs) {
    Cascade ahead = hoisted.in(cascade, einsums);
    List<Tensor> members = List.of(hoisted.factor().tensor(), hoisted.product().tensor());
    List<String> shared = hoisted.factor().ranks().stream().map(Rank::name).toList().subList(
        hoisted.factor().ranks().size() - hoisted.columns().size(), hoisted.factor().ranks().size());
    List<Alternative> alternatives = new ArrayList<>();
    alternatives.add(new Alternative(Optional.empty(), costs.apart(einsums)));
    if (new SharedRanks(List.of(hoisted.factor(), hoisted.product()), shared).problem().isEmpty()) {
      KernelView untiled = new KernelView(ahead, new Mapping.Group(members, shared));
      TILES.stream().filter(tile -> tile <= hoisted.columns().getLast().size().value()).map(untiled::by)
          .filter(view -> view.localBytes() <= target.l2Bytes())
          .forEach(view -> alternatives.add(new Alternative(Optional.of(view.group()), costs.together(view))));
    }
    Optional<Mapping.Group> group = decisions.choose(name() + " " + hoisted.product().tensor().name(), alternatives, Alternative::cycles).group();
    return group.map(one -> ahead.withMapping(ahead.mapping().withGroups(Stream.concat(ahead.mapping().groups().stream(), Stream.of(one)).toList()))).orElse(cascade);
  }
}
