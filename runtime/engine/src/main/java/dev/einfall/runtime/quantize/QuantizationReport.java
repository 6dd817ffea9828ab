package dev.einfall.runtime.quantize;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What quantizing a program came to.
///
/// @param program the file of the program that was written
/// @param weights those quantized, in the order of the program
/// @param bytesKept what the other weights take
/// @param bytesOfSteps what takes that is read to do to activations what was done to weights
/// @param caches those that are in a format, in the order of the inputs
/// @param similarity to the program as it was, if there is calibration data and an output of floats
public record QuantizationReport(Path program, Policy policy, List<Row> weights, long bytesKept, long bytesOfSteps,
    List<Cache> caches, Optional<Similarity> similarity) {

  /// A weight.
  ///
  /// @param format how it is stored, as the program says
  /// @param shape in which it is stored
  /// @param bytesBefore that it took
  /// @param bytesAfter that it takes, with all that belongs to it
  /// @param error the norm of what it is off by, over its own
  public record Row(String key, String format, List<Long> shape, long bytesBefore, long bytesAfter, double error) {}

  /// A cache, or several.
  ///
  /// @param names of the inputs that stand for it
  /// @param origin the tensor of which these hold rows, where the cache is made anew of it
  /// @param bytesBefore that a row took
  /// @param bytesAfter that a row takes
  public record Cache(String name, String format, List<String> names, Optional<String> origin, long bytesBefore, long bytesAfter) {}

  /// The cosine of the angle between what a program gave before and after, for each element along the first dimension of an output.
  ///
  /// @param output its name
  /// @param count the number of these elements
  public record Similarity(String output, long count, double mean, double least) {}

  public QuantizationReport {
    weights = List.copyOf(weights);
    caches = List.copyOf(caches);
  }

  /// What all weights took.
  public long bytesBefore() {
    return bytesKept + weights.stream().mapToLong(Row::bytesBefore).sum();
  }

  /// What all weights take.
  public long bytesAfter() {
    return bytesKept + bytesOfSteps + weights.stream().mapToLong(Row::bytesAfter).sum();
  }
}
