package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.frontend.weights.WeightsFile;
import java.util.List;
import java.util.Optional;

/// The weights of a program that has none.
record NoWeights() implements WeightsFile {

  @Override
  public String name() {
    return "no file";
  }

  @Override
  public Optional<StoredTensor> find(String key) {
    return Optional.empty();
  }

  @Override
  public List<String> keys() {
    return List.of();
  }

  @Override
  public void close() {
    // There is nothing to close.
  }
}
