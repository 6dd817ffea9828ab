package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.runtime.Options;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/// Scales that weights find for themselves (AWQ), one vector for all that one tensor is multiplied with where this can be in weights before the tensor ([ScaleFolding]),
/// so that the program does not multiply. Elsewhere each weight has its own.
///
/// @param preparation with these scales
/// @param targets those that have them are not scaled for themselves
record SharedScales(Preparation preparation, List<Target> targets) {

  /// @param weights those of `cascade`
  /// @param matrices the elements of weights
  static SharedScales of(Cascade cascade, List<Target> targets, Map<Product, Activation> activations, Preparation preparation, Statistics statistics,
      WeightsFile weights, Function<Target, Matrix> matrices, Options options) {
    ScaleFolding folding = new ScaleFolding(cascade);
    Map<Tensor, String> keys = cascade.weights().stream().collect(Collectors.toMap(Cascade.Weight::tensor, Cascade.Weight::key));
    Map<Tensor, Preparation.Prepared> inputs = new LinkedHashMap<>(preparation.inputs());
    Set<Cascade.Weight> shared = new LinkedHashSet<>();
    preparation.inputs().forEach((tensor, prepared) -> {
      List<Product> products = preparation.products(tensor, targets, activations);
      List<Target> group = targets.stream().filter(preparation::has).filter(target -> products.contains(target.products().getFirst())).toList();
      boolean isOpen = group.stream().allMatch(Target::scaled) && prepared.maps().stream().allMatch(ChannelScales.class::isInstance);
      double[] ones = new double[group.getFirst().length()];
      Arrays.fill(ones, 1);
      Optional<double[]> sums = statistics.sums(tensor);
      if (isOpen && sums.isPresent() && folding.of(activations.get(products.getFirst()), products.size(), ones)
          .filter(found -> found.keySet().stream().allMatch(weight -> FoldedScales.fits(weight, weights.require(keys.get(weight))))).isPresent()) {
        List<ChannelMap> maps = new ArrayList<>(prepared.maps());
        maps.add(scales(group.stream().map(target -> Mapped.of(matrices.apply(target), sums, prepared.maps())).toList(), group, options));
        inputs.put(tensor, new Preparation.Prepared(prepared.owner(), maps, prepared.folded()));
        group.forEach(target -> shared.add(target.weight()));
      }
    });
    return new SharedScales(new Preparation(inputs, preparation.weights()),
        targets.stream().map(target -> shared.contains(target.weight()) ? target.withoutScales() : target).toList());
  }

  private static ChannelScales scales(List<Mapped> matrices, List<Target> group, Options options) {
    List<ChannelScales.Rounded> rounded = new ArrayList<>();
    try {
      for (int i = 0; i < group.size(); i++) {
        Target target = group.get(i);
        rounded.add(new ChannelScales.Rounded(matrices.get(i).rows(), new EncodingProgram(target.encoding(), target.rows(), target.length(), options)));
      }
      return ChannelScales.of(rounded, matrices.getFirst().sums().orElseThrow());
    } finally {
      rounded.forEach(weight -> weight.program().close());
    }
  }
}
