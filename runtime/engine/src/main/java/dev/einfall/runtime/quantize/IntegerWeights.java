package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// The weights of a program in whole numbers: those of products in bytes, with a unit for each column, others in 32 bits.
final class IntegerWeights {
  private final WeightsFile file;
  private final Map<Tensor, String> keys;
  private final Map<String, Cascade.Weight> made = new LinkedHashMap<>();
  private final Map<List<Object>, Tensor> tensors = new HashMap<>();
  private final List<StoredTensor> stored = new ArrayList<>();
  private final Map<String, QuantizationReport.Row> rows = new LinkedHashMap<>();

  /// A weight in bytes, where a product reads it.
  ///
  /// @param access the product's
  /// @param free the dimensions of columns
  /// @param units by rows over these
  record Columns(Tensor bytes, Expr.Access access, List<Integer> free, double[] units) {

    /// A sum of products with it times `ratio` and the unit of its column.
    Expr times(Expr sum, double ratio, IntegerWeights weights) {
      IntegerArithmetic.Rate rates = IntegerArithmetic.Rate.of(ratio * Arrays.stream(units).max().orElseThrow());
      int[] factors = Arrays.stream(units).mapToInt(unit -> rates.factor(unit * ratio)).toArray();
      List<Size> shape = free.stream().map(access.tensor().shape()::get).toList();
      Tensor rate = weights.add(weights.keys.get(access.tensor()) + ".rate", access.tensor().name() + "_rate", ElementType.I32, shape, MemorySegment.ofArray(factors));
      return IntegerArithmetic.shifted(sum, new Expr.Access(rate, free.stream().map(access.indices()::get).toList()), rates);
    }
  }

  IntegerWeights(Cascade cascade, WeightsFile file) {
    this.file = file;
    keys = cascade.weights().stream().collect(Collectors.toMap(Cascade.Weight::tensor, Cascade.Weight::key, (first, _) -> first, LinkedHashMap::new));
  }

  Set<Tensor> tensors() {
    return keys.keySet();
  }

  List<Cascade.Weight> all() {
    return List.copyOf(made.values());
  }

  List<StoredTensor> stored() {
    return stored;
  }

  List<QuantizationReport.Row> rows() {
    return List.copyOf(rows.values());
  }

  private float[] elements(Tensor weight) {
    return Matrix.of(file.require(keys.get(weight)), IntStream.range(0, weight.shape().size()).boxed().toList()).elements();
  }

  private Tensor add(String key, String name, ElementType type, List<Size> shape, MemorySegment data) {
    String free = key;
    for (int i = 1; made.containsKey(free); i++) {
      free = key + i;
    }
    Cascade.Weight weight = new Cascade.Weight(new Tensor(name, type, shape, Span.NONE), free);
    made.put(free, weight);
    stored.add(new StoredTensor(free, type, shape.stream().map(size -> (long) size.value()).toList(), data));
    return weight.tensor();
  }

  /// A weight in 32 bits.
  Tensor fixed(Tensor weight, double unit) {
    return tensors.computeIfAbsent(List.of(weight, unit), _ -> {
      float[] elements = elements(weight);
      int[] whole = IntStream.range(0, elements.length).map(i -> Math.toIntExact(Math.round(Math.clamp(elements[i] / unit, -0x1p30, 0x1p30)))).toArray();
      row(weight, "i32", elements, i -> whole[i] * unit, Integer.BYTES);
      return add(keys.get(weight) + ".whole", weight.name(), ElementType.I32, weight.shape(), MemorySegment.ofArray(whole));
    });
  }

  /// The dimensions that an access goes through by ranks of what is defined, each by one alone.
  List<Integer> free(Expr.Access access, Set<Rank> ranks) {
    return IntStream.range(0, access.indices().size()).filter(i -> access.indices().get(i) instanceof Expr.Coordinate(Rank rank) && ranks.contains(rank)).boxed().toList();
  }

  /// A weight in bytes.
  ///
  /// @param free the dimensions of columns
  Columns columns(Expr.Access access, List<Integer> free) {
    Tensor weight = access.tensor();
    float[] elements = elements(weight);
    int[] column = columnOf(weight, free, elements.length);
    double[] units = new double[Arrays.stream(column).max().orElse(0) + 1];
    Arrays.fill(units, 0x1p-40);
    IntStream.range(0, elements.length).forEach(i -> units[column[i]] = Math.max(units[column[i]], Math.abs(elements[i]) / 127));
    Tensor made = tensors.computeIfAbsent(List.of(weight, free), _ -> {
      byte[] bytes = new byte[elements.length];
      IntStream.range(0, elements.length).forEach(i -> bytes[i] = (byte) Math.round(elements[i] / units[column[i]]));
      row(weight, "i8", elements, i -> bytes[i] * units[column[i]], Byte.BYTES);
      return add(keys.get(weight) + ".bytes", weight.name(), ElementType.I8, weight.shape(), MemorySegment.ofArray(bytes));
    });
    return new Columns(made, access, free, units);
  }

  private static int[] columnOf(Tensor weight, List<Integer> free, int count) {
    int[] column = new int[count];
    for (int i = 0; i < count; i++) {
      int rest = i;
      int stride = 1;
      for (int d = weight.shape().size() - 1; d >= 0; d--) {
        int size = weight.shape().get(d).value();
        if (free.contains(d)) {
          column[i] += rest % size * stride;
          stride *= size;
        }
        rest /= size;
      }
    }
    return column;
  }

  private void row(Tensor weight, String format, float[] elements, IntToDoubleFunction decoded, int bytes) {
    StoredTensor before = file.require(keys.get(weight));
    double[] after = IntStream.range(0, elements.length).mapToDouble(decoded).toArray();
    rows.putIfAbsent(before.key(), new QuantizationReport.Row(before.key(), format, before.shape(), before.data().byteSize(), (long) elements.length * bytes,
        new Matrix(1, elements.length, elements).errorOf(after)));
  }
}
