package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/// What is done before weights are rounded: the same for all weights that one tensor is multiplied with, so that it is done to that once.
///
/// @param inputs for each tensor that has steps
/// @param weights to which it is done
record Preparation(Map<Tensor, Prepared> inputs, Set<Cascade.Weight> weights) {

  /// What is done to one tensor.
  ///
  /// @param owner the first of its weights
  /// @param folded how many of the maps, of the first ones, are in weights before it, so that the program has none of them
  record Prepared(ChannelMap.Owner owner, List<ChannelMap> maps, int folded) {

    /// What the program does.
    List<ChannelMap> inProgram() {
      return maps.subList(folded, maps.size());
    }
  }

  /// @param steps those that are taken, in order
  /// @param ordered tensors whose channels are in order
  /// @param matrices the elements of weights
  static Preparation of(Policy policy, List<Step> steps, Set<Tensor> ordered, List<Target> targets, Map<Product, Activation> activations, Statistics statistics,
      Function<Target, Matrix> matrices) {
    Map<Tensor, List<Target>> groups = new LinkedHashMap<>();
    for (Target target : targets) {
      if (target.onlyMultiplied() && (!steps.isEmpty() || target.scaled())) {
        Set<Tensor> tensors = new LinkedHashSet<>();
        target.products().forEach(product -> tensors.add(activations.get(product).tensor()));
        if (tensors.size() == 1) {
          groups.computeIfAbsent(tensors.iterator().next(), _ -> new ArrayList<>()).add(target);
        }
      }
    }
    Map<Tensor, Prepared> inputs = new LinkedHashMap<>();
    groups.forEach((tensor, group) -> inputs.put(tensor, new Prepared(new ChannelMap.Owner(group.getFirst().weight().key(), tensor.name()),
        maps(steps.stream().filter(step -> !(step instanceof Step.Order) || !ordered.contains(tensor)).toList(), policy.activations().isPresent(), group, statistics.sums(tensor), statistics.peaks(tensor), matrices), 0)));
    Set<Cascade.Weight> prepared = new LinkedHashSet<>();
    groups.values().forEach(group -> group.forEach(target -> prepared.add(target.weight())));
    return new Preparation(inputs, prepared);
  }

  private static List<ChannelMap> maps(List<Step> steps, boolean roundsActivations, List<Target> group, Optional<double[]> sums, Optional<float[]> peaks, Function<Target, Matrix> matrices) {
    int length = group.getFirst().length();
    List<ChannelMap> maps = new ArrayList<>();
    for (Step step : steps) {
      Columns columns = Columns.of(group.stream().map(target -> Mapped.of(matrices.apply(target), sums, maps)).toList(), length);
      Optional<double[]> active = peaks.filter(_ -> step.needsCalibration(roundsActivations)).map(found -> Matrix.widened(mapped(found, maps)));
      switch (step) {
        case Step.Smooth(double strength) -> maps.add(ChannelScales.smooth(active.orElseThrow(), columns.peaks(), strength));
        case Step.Outliers(int count) -> maps.add(outliers(group.getFirst(), active.orElse(columns.contributions()), count));
        case Step.Order() -> maps.add(ChannelOrder.by(active.orElse(columns.sizes())));
        case Step.Rotate(int largest) -> {
          if (ChannelRotation.size(length, largest) > 1) {
            maps.add(ChannelRotation.of(ChannelRotation.size(length, largest)));
          }
        }
      }
    }
    return maps;
  }

  /// The largest sizes of what is multiplied after maps, none of which mixes columns.
  private static float[] mapped(float[] peaks, List<ChannelMap> maps) {
    float[] mapped = peaks;
    for (ChannelMap map : maps) {
      mapped = switch (map) {
        case ChannelScales scales -> scales.activations(mapped);
        case ChannelOrder order -> order.weights(mapped);
        case OutlierColumns outliers -> outliers.weights(mapped);
        case ChannelRotation _ -> throw new IllegalStateException("a step behind the rotation");
      };
    }
    return mapped;
  }

  private static OutlierColumns outliers(Target target, double[] sizes, int count) {
    if (count >= target.length()) {
      throw CompileException.of("the step outliers=" + count + " leaves nothing of weight '" + target.weight().key() + "', which has " + target.length()
          + " columns: expected fewer. To leave the weight as it is: --keep '" + target.weight().key() + "'");
    }
    return OutlierColumns.of(sizes, count);
  }

  boolean has(Target target) {
    return weights.contains(target.weight());
  }

  /// Those of weights that are prepared with `tensor`.
  List<Product> products(Tensor tensor, List<Target> targets, Map<Product, Activation> activations) {
    return targets.stream().filter(this::has).flatMap(target -> target.products().stream())
        .filter(product -> activations.get(product).tensor() == tensor).toList();
  }

  /// What is done to what `target` is multiplied with.
  List<ChannelMap> maps(Target target, Map<Product, Activation> activations) {
    return has(target) ? inputs.get(activations.get(target.products().getFirst()).tensor()).maps() : List.of();
  }

  /// What the program does of that, where the rest is in other weights.
  List<ChannelMap> inProgram(Target target, Map<Product, Activation> activations) {
    return has(target) ? inputs.get(activations.get(target.products().getFirst()).tensor()).inProgram() : List.of();
  }

  /// What is multiplied with weights, after the steps that it has.
  Tensor applied(StaticScales.Input input, Additions additions) {
    Tensor tensor = input.tensor();
    if (input.isPrepared()) {
      Prepared prepared = inputs.get(tensor);
      for (ChannelMap map : prepared.inProgram()) {
        tensor = map.applied(tensor, prepared.owner(), additions);
      }
    }
    return tensor;
  }

  /// What programs read to do it, each once.
  List<StoredTensor> stored() {
    Map<String, StoredTensor> stored = new LinkedHashMap<>();
    inputs.values().forEach(input -> input.inProgram().forEach(map -> map.stored(input.owner.key()).forEach(tensor -> stored.putIfAbsent(tensor.key(), tensor))));
    return List.copyOf(stored.values());
  }
}
