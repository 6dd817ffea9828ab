package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.runtime.Options;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// Gives weights as many bits as they need under a budget. What a weight costs with some count of bits is how much the program's last output of floats changes
/// with [#MEASURED] of them, measured, times how much larger its error is with that count, in products with the calibration data.
///
/// @param mapped a weight as it is rounded
record BitsOfWeights(List<Target> targets, Function<Target, Mapped> mapped, Options options, QuantizationProgress progress) {
  private static final int[] BITS = {2, 3, 4, 5, 6, 8};
  private static final int MEASURED = 3;
  /// How many batches of the calibration data the program is run with.
  private static final int BATCHES = 2;

  /// The targets with the formats chosen.
  ///
  /// @param finished keeps what was measured
  /// @param digest of all that it depends on
  List<Target> under(Budget budget, Cascade cascade, Calibration calibration, WeightsFile weights, FinishedWeights finished, String digest) {
    List<Target> choosing = targets.stream().filter(target -> !target.products().isEmpty()).toList();
    long[][] bytes = new long[choosing.size()][];
    long before = 0;
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = bytes(choosing.get(i));
      before += weights.require(choosing.get(i).weight().key()).data().byteSize();
    }
    double[] all = finished.of(digest, () -> List.of(stored(measured(choosing, cascade, calibration, weights)))).getFirst().data()
        .toArray(ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN));
    double[][] costs = new double[choosing.size()][BITS.length];
    for (int i = 0; i < all.length; i++) {
      costs[i / BITS.length][i % BITS.length] = all[i];
    }
    List<Integer> choices = BitChoice.of(bytes, costs, budget.bytes(before));
    Map<Target, Target> chosen = new LinkedHashMap<>();
    for (int i = 0; i < choosing.size(); i++) {
      chosen.put(choosing.get(i), with(choosing.get(i), BITS[choices.get(i)]));
    }
    return targets.stream().map(target -> chosen.getOrDefault(target, target)).toList();
  }

  private static StoredTensor stored(double[][] costs) {
    double[] all = new double[costs.length * BITS.length];
    for (int i = 0; i < all.length; i++) {
      all[i] = costs[i / BITS.length][i % BITS.length];
    }
    return new StoredTensor("costs", ElementType.F64, List.of((long) all.length), MemorySegment.ofArray(all));
  }

  private static Target with(Target target, int bits) {
    return target.withEncoding(target.encoding().with(Encoding.BITS, Integer.toString(bits)));
  }

  private long[] bytes(Target target) {
    long[] bytes = new long[BITS.length];
    for (int i = 0; i < BITS.length; i++) {
      try (EncodingProgram program = program(with(target, BITS[i]))) {
        bytes[i] = program.bytes();
      }
    }
    return bytes;
  }

  private EncodingProgram program(Target target) {
    return new EncodingProgram(target.encoding(), target.rows(), target.length(), options);
  }

  private double[][] measured(List<Target> choosing, Cascade cascade, Calibration calibration, WeightsFile weights) {
    List<float[]> exact = choosing.stream().map(target -> Matrix.of(weights.require(target.weight().key()), target.order()).elements()).toList();
    Map<List<Object>, EncodingProgram> programs = new LinkedHashMap<>();
    double[][] costs = new double[choosing.size()][BITS.length];
    List<Map<String, dev.einfall.runtime.Tensor>> batches = calibration.batches().subList(0, Math.min(BATCHES, calibration.batches().size()));
    try (Sensitivity sensitivity = new Sensitivity(cascade, choosing, exact, batches, weights, options)) {
      for (int place = 0; place < choosing.size(); place++) {
        Target target = choosing.get(place);
        Mapped weight = mapped.apply(target);
        Optional<Factor> factor = weight.sums().map(sums -> Factor.of(sums, target.length()));
        float[] measured = new float[0];
        double least = 0;
        for (int i = 0; i < BITS.length; i++) {
          Target coded = with(target, BITS[i]);
          EncodingProgram program = programs.computeIfAbsent(List.of(coded.encoding(), target.rows(), target.length()), _ -> program(coded));
          float[] decoded = program.decode(program.encode(weight.rows().elements()));
          costs[place][i] = error(weight.rows(), decoded, factor);
          if (BITS[i] == MEASURED) {
            measured = narrowed(weight.undone(Matrix.widened(decoded)));
            least = costs[place][i];
          }
        }
        double change = sensitivity.change(place, measured);
        progress.ran("sensitivity of " + target.weight().key(), place + 1, choosing.size());
        for (int i = 0; i < BITS.length; i++) {
          costs[place][i] = least == 0 ? 0 : change * costs[place][i] / least;
        }
      }
    } finally {
      programs.values().forEach(EncodingProgram::close);
    }
    return costs;
  }

  private static double error(Matrix rows, float[] decoded, Optional<Factor> factor) {
    double[] error = Matrix.widened(rows.less(Matrix.widened(decoded)));
    if (factor.isPresent()) {
      return factor.get().weigh(error, rows.rows());
    }
    double sum = 0;
    for (double element : error) {
      sum += element * element;
    }
    return sum;
  }

  private static float[] narrowed(double[] values) {
    float[] narrow = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      narrow[i] = (float) values[i];
    }
    return narrow;
  }
}
