package dev.einfall.runtime;

import dev.einfall.backends.reference.Array;
import dev.einfall.passes.Compute;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;

/// What rounding the factors of products changes: how far the outputs of a program are from those of the same program without, for some inputs.
///
/// @param compute what factors were rounded to
/// @param outputs one for each output of the program
public record ComputeReport(Compute compute, List<Difference> outputs) {

  /// An output.
  ///
  /// @param largest the largest distance of an element from what it is without rounding, as a part of the largest magnitude of an element without
  /// @param mean the mean of these distances, as such a part
  /// @param cosine of the angle between both outputs, taken as vectors: 1 where they point the same way
  public record Difference(Port output, double largest, double mean, double cosine) {

    static Difference of(Port output, double[] wide, double[] narrow) {
      double magnitude = 0;
      double largest = 0;
      double sum = 0;
      double product = 0;
      double wideSquares = 0;
      double narrowSquares = 0;
      for (int i = 0; i < wide.length; i++) {
        double distance = Double.compare(wide[i], narrow[i]) == 0 ? 0 : Math.abs(wide[i] - narrow[i]);
        magnitude = Math.max(magnitude, Math.abs(wide[i]));
        largest = Math.max(largest, distance);
        sum += distance;
        product += wide[i] * narrow[i];
        wideSquares += wide[i] * wide[i];
        narrowSquares += narrow[i] * narrow[i];
      }
      boolean isSame = largest == 0;
      return new Difference(output, isSame ? 0 : largest / magnitude, isSame ? 0 : sum / wide.length / magnitude,
          isSame ? 1 : product / Math.sqrt(wideSquares * narrowSquares));
    }
  }

  /// Compiles and runs the program as `options` say, and without rounding.
  ///
  /// @param compile the program, compiled with some options
  /// @throws IllegalArgumentException when the inputs do not fit the program
  /// @throws dev.einfall.ir.CompileException when the program is wrong
  public static ComputeReport of(Function<Options, Program> compile, Options options, Map<String, Tensor> inputs) {
    List<Difference> differences = new ArrayList<>();
    try (Program narrow = compile.apply(options); Program wide = compile.apply(options.withCompute(Compute.F32))) {
      Map<String, Tensor> narrowResults = narrow.run(inputs);
      Map<String, Tensor> wideResults = wide.run(inputs);
      try {
        narrow.outputs().forEach(output -> differences.add(
            Difference.of(output, numbers(wideResults.get(output.name())), numbers(narrowResults.get(output.name())))));
      } finally {
        narrowResults.values().forEach(Tensor::close);
        wideResults.values().forEach(Tensor::close);
      }
    }
    return new ComputeReport(options.compute(), differences);
  }

  private static double[] numbers(Tensor tensor) {
    int[] shape = tensor.shape().stream().mapToInt(Math::toIntExact).toArray();
    Array array = Array.read(tensor.type(), tensor.data(), shape);
    return array.type().isFloat() ? array.numbers() : IntStream.range(0, array.elements()).mapToDouble(i -> array.integers()[i]).toArray();
  }

  /// A line for each output.
  public String text() {
    StringBuilder text = new StringBuilder("With factors of ").append(compute.name().toLowerCase(Locale.ROOT))
        .append(", on these inputs, outputs differ from those in f32, as parts of the largest magnitude, by\n");
    for (Difference one : outputs) {
      text.append(String.format(Locale.ROOT, "  %s: %.1e at most, %.1e in the mean, cosine %.6f%n", one.output, one.largest, one.mean, one.cosine));
    }
    return text.toString();
  }
}
