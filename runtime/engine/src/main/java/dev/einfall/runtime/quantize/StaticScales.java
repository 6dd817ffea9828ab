package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.runtime.Options;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The scales of activations, where these are the same for all rows: those that the format gives to a row with the least and the largest elements that were
/// seen in each group of columns.
///
/// @param scales for what is rounded, all that the format stores but the last
record StaticScales(Map<Input, List<StoredTensor>> scales) {
  private static final String INPUT = ".input_";

  /// What products multiply weights with.
  ///
  /// @param isPrepared whether it is that after the steps
  record Input(Tensor tensor, boolean isPrepared) {}

  static StaticScales none() {
    return new StaticScales(Map.of());
  }

  /// @param weights those of `cascade`
  static StaticScales of(Cascade cascade, Encoding encoding, List<Target> targets, Map<Product, Activation> activations, Preparation preparation,
      Calibration calibration, WeightsFile weights, Options options, QuantizationProgress progress) {
    Additions additions = Additions.to(new ArrayList<>(cascade.definitions()));
    Map<Input, String> owners = new LinkedHashMap<>();
    Map<Input, Activation> inputs = new LinkedHashMap<>();
    for (Target target : targets) {
      for (Product product : target.products().stream().filter(activations::containsKey).toList()) {
        Activation activation = activations.get(product);
        Input input = new Input(activation.tensor(), preparation.has(target));
        owners.putIfAbsent(input, target.weight().key());
        inputs.computeIfAbsent(input, _ -> {
          activation.definition().filter(einsum -> !additions.definitions().contains(einsum)).ifPresent(additions.definitions()::add);
          return new Activation(preparation.applied(input, additions), Optional.empty(), activation.ranks());
        });
      }
    }
    List<Cascade.Weight> all = new ArrayList<>(cascade.weights());
    all.addAll(additions.weights().values());
    Cascade prepared = new Cascade(cascade.name(), cascade.inputs(), all, additions.definitions(), cascade.outputs(), cascade.mapping());
    Statistics seen = Statistics.of(prepared, inputs.values(), new Statistics.Wanted(false, true), calibration,
        MoreWeights.of(weights, preparation.stored()), options, progress);
    Map<Input, List<StoredTensor>> scales = new LinkedHashMap<>();
    inputs.forEach((input, activation) -> scales.put(input,
        scales(owners.get(input), encoding, seen.least().get(activation.tensor()), seen.most().get(activation.tensor()), options)));
    return new StaticScales(scales);
  }

  private static List<StoredTensor> scales(String key, Encoding encoding, float[] least, float[] most, Options options) {
    try (EncodingProgram program = new EncodingProgram(encoding, 1, least.length, options)) {
      List<StoredTensor> stored = program.encode(extremes(least, most, program.unit()));
      List<StoredTensor> scales = new ArrayList<>();
      for (int i = 0; i + 1 < stored.size(); i++) {
        StoredTensor scale = stored.get(i);
        scales.add(new StoredTensor(key + INPUT + encoding.format().stored().get(i), scale.type(), scale.shape().subList(1, scale.shape().size()), scale.data()));
      }
      return scales;
    }
  }

  /// A row that has the least and the largest element of each group first, and zeros else.
  private static float[] extremes(float[] least, float[] most, int group) {
    float[] row = new float[least.length];
    for (int start = 0; start < row.length; start += group) {
      float low = 0;
      float high = 0;
      for (int i = start; i < start + group; i++) {
        low = Math.min(low, least[i]);
        high = Math.max(high, most[i]);
      }
      boolean isAlone = group == 1;
      row[start] = isAlone && -low > high ? low : high;
      if (!isAlone) {
        row[start + 1] = low;
      }
    }
    return row;
  }

  /// All that programs read.
  List<StoredTensor> stored() {
    return scales.values().stream().flatMap(List::stream).toList();
  }
}
