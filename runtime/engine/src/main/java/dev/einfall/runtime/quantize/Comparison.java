package dev.einfall.runtime.quantize;

import dev.einfall.ir.ElementType;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Port;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// How near what a quantized program gives is to what it gave before.
final class Comparison {
  private Comparison() {}

  /// Of the last output of `f32` that both have, whose first dimension counts what is compared one by one; empty if there is none, or no calibration data, or
  /// what caches held cannot be said of what others do.
  ///
  /// @param caches inputs that are in a format after
  static Optional<QuantizationReport.Similarity> of(Path before, Path after, Calibration calibration, List<CacheInput> caches, Options options) {
    if (calibration.isEmpty() || caches.stream().anyMatch(cache -> cache.remade().isPresent())) {
      return Optional.empty();
    }
    Options own = calibration.options(options);
    try (Program was = Einfall.compile(before, own); Program is = Einfall.compile(after, own.withFunction(Optional.empty()).withoutWeights())) {
      Set<String> left = is.outputs().stream().map(Port::name).collect(Collectors.toSet());
      Optional<String> output = was.outputs().stream().filter(port -> left.contains(port.name()))
          .filter(port -> port.type() == ElementType.F32 && !port.shape().isEmpty()).map(Port::name)
          .reduce((_, last) -> last);
      return output.map(name -> similarity(was, is, name, calibration, caches, options));
    }
  }

  private static QuantizationReport.Similarity similarity(Program was, Program is, String output, Calibration calibration, List<CacheInput> caches,
      Options options) {
    List<Double> cosines = new ArrayList<>();
    for (Map<String, Tensor> batch : calibration.batches()) {
      Map<String, Tensor> old = was.run(batch);
      Map<String, Tensor> inputs = CacheInput.encoded(caches, batch, options);
      Map<String, Tensor> now = is.run(inputs);
      int rows = old.get(output).shape().getFirst().intValue();
      float[] left = old.get(output).floats();
      float[] right = now.get(output).floats();
      for (int row = 0; row < rows; row++) {
        cosines.add(cosine(left, right, left.length / rows, row));
      }
      old.values().forEach(Tensor::close);
      now.values().forEach(Tensor::close);
      inputs.values().forEach(Tensor::close);
    }
    return new QuantizationReport.Similarity(output, cosines.size(), cosines.stream().mapToDouble(x -> x).average().orElse(1),
        cosines.stream().mapToDouble(x -> x).min().orElse(1));
  }

  private static double cosine(float[] left, float[] right, int length, int row) {
    double both = 0;
    double ofLeft = 0;
    double ofRight = 0;
    for (int i = row * length; i < (row + 1) * length; i++) {
      both += (double) left[i] * right[i];
      ofLeft += (double) left[i] * left[i];
      ofRight += (double) right[i] * right[i];
    }
    return ofLeft == 0 && ofRight == 0 ? 1 : both / Math.max(Math.sqrt(ofLeft * ofRight), Double.MIN_NORMAL);
  }
}
