package dev.einfall.runtime;

import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.CompileException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The tensors of a weights file that may be closed since. Those of unknown types are left out.
record HeldWeights(String name, Map<String, StoredTensor> tensors) implements WeightsFile {

  static WeightsFile of(WeightsFile file) {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    for (String key : file.keys()) {
      try {
        file.find(key).ifPresent(tensor -> tensors.put(key, tensor));
      } catch (CompileException _) {
        // a program that names it is told that it is missing
      }
    }
    return new HeldWeights(file.name(), tensors);
  }

  @Override
  public Optional<StoredTensor> find(String key) {
    return Optional.ofNullable(tensors.get(key));
  }

  @Override
  public List<String> keys() {
    return List.copyOf(tensors.keySet());
  }

  @Override
  public void close() {}
}
