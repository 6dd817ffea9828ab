package dev.einfall.runtime.quantize;

import dev.einfall.runtime.Options;
import dev.einfall.runtime.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Inputs that a program is run with to see what it computes. Who makes it closes the tensors.
///
/// @param name what reports call it
/// @param batches the inputs of each run, by name
/// @param mask the input that is 0 where rows of other tensors mean nothing, as those of texts that are shorter than others
public record Calibration(String name, List<Map<String, Tensor>> batches, Optional<String> mask) implements AutoCloseable {
  public Calibration {
    batches = List.copyOf(batches);
  }

  /// No inputs.
  public static Calibration none() {
    return new Calibration("nothing", List.of(), Optional.empty());
  }

  boolean isEmpty() {
    return batches.isEmpty();
  }

  /// How a program is compiled that is run once for each batch: for one run, code that becomes fast later does as well.
  Options options(Options options) {
    return options.withWarmUp(options.warmUp() && batches.size() > 1);
  }

  @Override
  public void close() {
    batches.forEach(batch -> batch.values().forEach(Tensor::close));
  }
}
