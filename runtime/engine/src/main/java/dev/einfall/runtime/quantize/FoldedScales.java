package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/// The scales of activations, which are the first step before these are rounded, in the weights that activations are computed of, wherever these can have them
/// ([ScaleFolding]). What is not found so is multiplied in the program.
///
/// @param preparation with what is left for the program
/// @param weights those of the program, some of which are multiplied
/// @param folds what was done
record FoldedScales(Preparation preparation, WeightsFile weights, List<Fold> folds) {

  /// Scales that are in weights.
  ///
  /// @param tensor the name of what is scaled, which several layers may have
  /// @param users the keys of the weights that it is multiplied with
  /// @param keys of the weights that have the scales
  record Fold(String tensor, List<String> users, List<String> keys) {}

  /// @param weights those of `cascade`
  static FoldedScales of(Cascade cascade, List<Target> targets, Map<Product, Activation> activations, Preparation preparation, WeightsFile weights) {
    ScaleFolding folding = new ScaleFolding(cascade);
    Map<Tensor, String> keys = cascade.weights().stream().collect(Collectors.toMap(Cascade.Weight::tensor, Cascade.Weight::key));
    Map<Tensor, Preparation.Prepared> inputs = new LinkedHashMap<>(preparation.inputs());
    Map<String, StoredTensor> changed = new LinkedHashMap<>();
    Function<String, StoredTensor> stored = key -> changed.containsKey(key) ? changed.get(key) : weights.require(key);
    List<Fold> folds = new ArrayList<>();
    preparation.inputs().forEach((tensor, prepared) -> {
      List<Product> products = preparation.products(tensor, targets, activations);
      Set<String> places = new LinkedHashSet<>();
      int folded = 0;
      for (double[] scales : scales(prepared)) {
        Optional<Map<Tensor, ColumnFactors>> found = folding.of(activations.get(products.getFirst()), products.size(), scales)
            .filter(factors -> factors.keySet().stream().allMatch(weight -> fits(weight, stored.apply(keys.get(weight)))));
        if (found.isEmpty()) {
          break;
        }
        found.get().forEach((weight, columns) -> {
          changed.put(keys.get(weight), times(stored.apply(keys.get(weight)), columns));
          places.add(keys.get(weight));
        });
        folded++;
      }
      if (folded > 0) {
        inputs.put(tensor, new Preparation.Prepared(prepared.owner(), prepared.maps(), folded));
        folds.add(new Fold(tensor.name(), products.stream().map(product -> product.weight().key()).distinct().toList(), List.copyOf(places)));
      }
    });
    return new FoldedScales(new Preparation(inputs, preparation.weights()), MoreWeights.of(weights, changed.values()), folds);
  }

  /// Those of the first steps.
  private static List<double[]> scales(Preparation.Prepared prepared) {
    return prepared.maps().stream().takeWhile(ChannelScales.class::isInstance).map(map -> ((ChannelScales) map).factors()).toList();
  }

  /// Whether what is stored can be multiplied.
  static boolean fits(Tensor weight, StoredTensor stored) {
    return stored.type() == ElementType.F32 && stored.shape().equals(weight.shape().stream().map(size -> (long) size.value()).toList());
  }

  private static StoredTensor times(StoredTensor stored, ColumnFactors factors) {
    float[] elements = stored.data().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN));
    return new StoredTensor(stored.key(), stored.type(), stored.shape(), MemorySegment.ofArray(factors.times(elements, stored.shape())));
  }
}
