package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.ElementType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/// Finds what a format stores for a matrix.
///
/// @param program the format's functions for its shape
/// @param sums of products of what it is multiplied with, if they are known
/// @param factor that of `sums`
record Rounding(EncodingProgram program, int rows, int length, Optional<double[]> sums, Optional<Factor> factor) {
  private static final double[] CLIPS = {1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5, 0.45, 0.4};
  private static final double[] AS_IT_IS = {1};
  private static final double[] EXPONENTS = {0.5, 0.3, 0.35, 0.4, 0.45, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1};
  private static final int BYTES = 256;

  static Rounding of(EncodingProgram program, int rows, int length, Optional<double[]> sums, boolean needsFactor) {
    return new Rounding(program, rows, length, sums, needsFactor ? sums.map(matrix -> Factor.of(matrix, length)) : Optional.empty());
  }

  /// What is stored.
  List<StoredTensor> round(float[] elements, Policy.Method method) {
    return switch (method) {
      case NEAREST -> program.table().isPresent() || program.exponent().isPresent() ? withCode(elements, scales(elements, AS_IT_IS)) : program.encode(elements);
      case CLIP -> withCode(elements, scales(elements, CLIPS));
      case GPTQ -> {
        List<StoredTensor> scales = scales(elements, CLIPS);
        yield withCode(factor.map(found -> corrected(elements, scales, found.inverse(), false)).orElse(elements), scales);
      }
      case LEARNED -> {
        List<StoredTensor> scales = scales(elements, CLIPS);
        yield withCode(factor.map(found -> corrected(elements, scales, found.inverse(), true)).orElse(elements), scales);
      }
    };
  }

  private List<StoredTensor> withCode(float[] elements, List<StoredTensor> scales) {
    List<StoredTensor> stored = new ArrayList<>(scales);
    stored.add(program.code(elements, scales));
    return stored;
  }

  /// All that is stored but the last, chosen for each unit of it among that of several smaller matrices.
  private List<StoredTensor> scales(float[] elements, double[] clips) {
    if (program.table().isPresent()) {
      return learned(elements, clipped(elements, 1), program.table().getAsInt());
    }
    OptionalInt place = program.exponent();
    if (place.isEmpty()) {
      return best(elements, Arrays.stream(clips).mapToObj(clip -> clipped(elements, clip)).toList());
    }
    List<StoredTensor> plain = clipped(elements, 1);
    List<StoredTensor> powers = best(elements, Arrays.stream(EXPONENTS).mapToObj(exponent -> withExponents(plain, place.getAsInt(), exponent)).toList());
    return best(elements, Arrays.stream(clips).mapToObj(clip -> {
      List<StoredTensor> scales = new ArrayList<>(clipped(elements, clip));
      scales.set(place.getAsInt(), powers.get(place.getAsInt()));
      return scales;
    }).toList());
  }

  /// `scales` with one exponent for all rows (NUPES, Yvinec et al., 2023).
  private static List<StoredTensor> withExponents(List<StoredTensor> scales, int place, double exponent) {
    StoredTensor like = scales.get(place);
    int count = Math.toIntExact(like.data().byteSize() / Float.BYTES);
    List<StoredTensor> powers = new ArrayList<>(scales);
    float[] row = new float[count];
    Arrays.fill(row, (float) exponent);
    powers.set(place, table(like, List.of(row)));
    return powers;
  }

  /// For each unit the one of the candidates with the least squared error.
  private List<StoredTensor> best(float[] elements, List<List<StoredTensor>> candidates) {
    if (candidates.size() == 1) {
      return candidates.getFirst();
    }
    int unit = program.unit();
    int units = length / unit;
    double[] least = new double[rows * units];
    int[] best = new int[rows * units];
    Arrays.fill(least, Double.POSITIVE_INFINITY);
    for (int candidate = 0; candidate < candidates.size(); candidate++) {
      double[] errors = errors(elements, program.decode(withCode(elements, candidates.get(candidate))), unit);
      for (int i = 0; i < errors.length; i++) {
        if (errors[i] < least[i]) {
          least[i] = errors[i];
          best[i] = candidate;
        }
      }
    }
    return chosen(candidates, best);
  }

  /// `scales` with a table of numbers for each row by which the squared error is least. What they are multiplied with is what a table of ones is decoded to.
  private List<StoredTensor> learned(float[] elements, List<StoredTensor> scales, int place) {
    int count = Math.toIntExact(program.shape(place).getLast());
    List<StoredTensor> ones = new ArrayList<>(scales);
    ones.set(place, table(scales.get(place), Collections.nCopies(rows, LearnedTable.ones(count))));
    float[] units = program.decode(withCode(elements, ones));
    List<float[]> tables = IntStream.range(0, rows).parallel().mapToObj(row -> {
      double[] numbers = new double[length];
      double[] weights = new double[length];
      for (int i = 0; i < length; i++) {
        double unit = units[row * length + i];
        int column = i;
        numbers[i] = unit == 0 ? 0 : elements[row * length + i] / unit;
        weights[i] = unit * unit * sums.map(matrix -> matrix[column * length + column]).orElse(1.0);
      }
      return LearnedTable.of(numbers, weights, count);
    }).toList();
    List<StoredTensor> learned = new ArrayList<>(scales);
    learned.set(place, table(scales.get(place), tables));
    return learned;
  }

  private static StoredTensor table(StoredTensor like, List<float[]> rows) {
    if (like.type() != ElementType.F32) {
      throw CompileException.of("what is learned is of f32, and this format's is of " + like.type());
    }
    ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(like.data().byteSize())).order(ByteOrder.LITTLE_ENDIAN);
    rows.forEach(row -> {
      for (float number : row) {
        bytes.putFloat(number);
      }
    });
    return new StoredTensor(like.key(), like.type(), like.shape(), MemorySegment.ofArray(bytes.array()));
  }

  private List<StoredTensor> clipped(float[] elements, double clip) {
    float[] smaller = new float[elements.length];
    for (int i = 0; i < elements.length; i++) {
      smaller[i] = (float) (elements[i] * clip);
    }
    return program.encode(smaller).subList(0, program.count() - 1);
  }

  private double[] errors(float[] elements, float[] decoded, int unit) {
    double[] errors = new double[elements.length / unit];
    for (int i = 0; i < elements.length; i++) {
      double difference = (double) elements[i] - decoded[i];
      int column = i % length;
      double weight = sums.map(matrix -> matrix[column * length + column]).orElse(1.0);
      errors[i / unit] += difference * difference * weight;
    }
    return errors;
  }

  private List<StoredTensor> chosen(List<List<StoredTensor>> candidates, int[] best) {
    List<StoredTensor> scales = new ArrayList<>();
    for (int index = 0; index + 1 < program.count(); index++) {
      StoredTensor first = candidates.getFirst().get(index);
      MemorySegment data = MemorySegment.ofArray(new byte[Math.toIntExact(first.data().byteSize())]);
      int bytes = Math.toIntExact(first.data().byteSize() / best.length);
      for (int i = 0; i < best.length; i++) {
        MemorySegment.copy(candidates.get(best[i]).get(index).data(), (long) i * bytes, data, (long) i * bytes, bytes);
      }
      scales.add(new StoredTensor(first.key(), first.type(), first.shape(), data));
    }
    return scales;
  }

  /// The numbers that the elements of each unit of each row can be, in order: what is decoded of each byte.
  private float[][] grids(List<StoredTensor> scales, int unit) {
    int last = program.count() - 1;
    StoredTensor shape = program.code(new float[rows * length], scales);
    if (shape.type() != ElementType.U8 && shape.type() != ElementType.I8) {
      throw CompileException.of("the method gptq is for formats that store bytes last, and this one stores " + shape.type());
    }
    float[][] values = new float[rows * (length / unit)][BYTES];
    for (int code = 0; code < BYTES; code++) {
      byte[] bytes = new byte[Math.toIntExact(shape.data().byteSize())];
      Arrays.fill(bytes, (byte) code);
      List<StoredTensor> stored = new ArrayList<>(scales.subList(0, last));
      stored.add(new StoredTensor(shape.key(), shape.type(), shape.shape(), MemorySegment.ofArray(bytes)));
      float[] decoded = program.decode(stored);
      for (int i = 0; i < values.length; i++) {
        values[i][code] = decoded[i * unit];
      }
    }
    for (int i = 0; i < values.length; i++) {
      values[i] = distinct(values[i]);
    }
    return values;
  }

  private static float[] distinct(float[] values) {
    double[] sorted = IntStream.range(0, values.length).mapToDouble(i -> values[i] + 0.0).filter(Double::isFinite).sorted().distinct().toArray();
    float[] floats = new float[sorted.length];
    for (int i = 0; i < sorted.length; i++) {
      floats[i] = (float) sorted[i];
    }
    return floats;
  }

  /// The elements rounded to what the scales can say, each row from the left, with the errors made up for on the right.
  ///
  /// @param isImproved whether each is then chosen anew beside the others
  private float[] corrected(float[] elements, List<StoredTensor> scales, double[] inverse, boolean isImproved) {
    Optional<CoordinateDescent> descent = isImproved ? sums.map(matrix -> new CoordinateDescent(Factor.damped(matrix, length), length)) : Optional.empty();
    int unit = program.grain();
    float[][] grids = grids(scales, unit);
    float[] rounded = new float[elements.length];
    IntStream.range(0, rows).parallel().forEach(row -> {
      double[] rest = new double[length];
      for (int i = 0; i < length; i++) {
        rest[i] = elements[row * length + i];
      }
      for (int j = 0; j < length; j++) {
        float[] grid = grids[(row * length + j) / unit];
        rounded[row * length + j] = nearest(grid, rest[j]);
        double error = (rest[j] - rounded[row * length + j]) / inverse[j * length + j];
        for (int k = j + 1; k < length; k++) {
          rest[k] -= error * inverse[j * length + k];
        }
      }
      descent.ifPresent(found -> found.improve(rounded, elements, row * length, grids, unit));
    });
    return rounded;
  }

  /// The number of `grid`, in order, that is nearest to `value`; of equally near ones the smaller.
  static float nearest(float[] grid, double value) {
    int low = 0;
    int high = grid.length - 1;
    while (high - low > 1) {
      int middle = (low + high) / 2;
      if (grid[middle] <= value) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return Math.abs(grid[low] - value) <= Math.abs(grid[high] - value) ? grid[low] : grid[high];
  }

  /// A tensor of `f16` with the nearest numbers to `values`.
  static StoredTensor halves(String key, double[] values, long... shape) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (double value : values) {
      bytes.putShort(Float.floatToFloat16((float) value));
    }
    return new StoredTensor(key, ElementType.F16, Arrays.stream(shape).boxed().toList(), MemorySegment.ofArray(bytes.array()));
  }
}
