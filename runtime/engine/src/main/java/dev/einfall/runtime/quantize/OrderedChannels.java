package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// The orders of channels that are in the weights around them ([OrderFolding]), so that no program has to gather: all that comes after sees weights in that order. Tensors
/// that such an order reaches have it together, that of the one which comes first.
///
/// @param tensors whose channels are in order
/// @param weights those of the program, some of which are in another order
/// @param folds what was done
record OrderedChannels(Set<Tensor> tensors, WeightsFile weights, List<Fold> folds) {

  /// An order that is in weights.
  ///
  /// @param tensor the name of what is in another order
  /// @param keys of the weights that are, too
  record Fold(String tensor, List<String> keys) {}

  static OrderedChannels none(WeightsFile weights) {
    return new OrderedChannels(Set.of(), weights, List.of());
  }

  /// @param preparation of which the last map of a tensor is the order of its channels, where it has one
  /// @param weights those of `cascade`
  static OrderedChannels of(Cascade cascade, Preparation preparation, WeightsFile weights) {
    OrderFolding folding = new OrderFolding(cascade);
    Map<Tensor, String> keys = cascade.weights().stream().collect(Collectors.toMap(Cascade.Weight::tensor, Cascade.Weight::key));
    Set<Tensor> all = new LinkedHashSet<>();
    Map<String, StoredTensor> changed = new LinkedHashMap<>();
    List<Fold> folds = new ArrayList<>();
    preparation.inputs().forEach((tensor, prepared) -> {
      if (!all.contains(tensor) && !prepared.maps().isEmpty() && prepared.maps().getLast() instanceof ChannelOrder(int[] order)) {
        Optional<Map<Tensor, List<ElementOrder<Integer>>>> found = folding.of(tensor, order)
            .filter(orders -> orders.keySet().stream().filter(keys::containsKey).allMatch(weight -> fits(weight, weights.require(keys.get(weight)))));
        found.ifPresent(orders -> {
          all.addAll(orders.keySet());
          Map<String, List<ElementOrder<Integer>>> byKey = new TreeMap<>();
          orders.forEach((weight, sources) -> Optional.ofNullable(keys.get(weight)).ifPresent(key -> byKey.put(key, sources)));
          byKey.forEach((key, several) -> several.forEach(sources -> changed.put(key, ordered(changed.containsKey(key) ? changed.get(key) : weights.require(key), sources))));
          folds.add(new Fold(tensor.name(), List.copyOf(byKey.keySet())));
        });
      }
    });
    return new OrderedChannels(all, changed.isEmpty() ? weights : MoreWeights.of(weights, changed.values()), folds);
  }

  private static boolean fits(Tensor weight, StoredTensor stored) {
    return stored.shape().equals(weight.shape().stream().map(size -> (long) size.value()).toList());
  }

  private static StoredTensor ordered(StoredTensor stored, ElementOrder<Integer> order) {
    int size = stored.type().bytes();
    MemorySegment data = MemorySegment.ofArray(new byte[Math.toIntExact(stored.data().byteSize())]);
    int[] shape = stored.shape().stream().mapToInt(Math::toIntExact).toArray();
    int[] place = new int[shape.length];
    for (long i = 0; i < data.byteSize() / size; i++) {
      MemorySegment.copy(stored.data(), source(place, shape, order) * size, data, i * size, size);
      for (int d = shape.length - 1; d >= 0 && ++place[d] == shape[d]; d--) {
        place[d] = 0;
      }
    }
    return new StoredTensor(stored.key(), stored.type(), stored.shape(), data);
  }

  /// Where the element comes from that is at `place`.
  private static long source(int[] place, int[] shape, ElementOrder<Integer> order) {
    int within = 0;
    for (int dimension : order.along()) {
      within = within * shape[dimension] + place[dimension];
    }
    int rest = order.sources()[within];
    int[] source = place.clone();
    for (int dimension : order.along().reversed()) {
      source[dimension] = rest % shape[dimension];
      rest /= shape[dimension];
    }
    long index = 0;
    for (int d = 0; d < shape.length; d++) {
      index = index * shape[d] + source[d];
    }
    return index;
  }
}
