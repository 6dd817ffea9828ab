package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.ElementType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// What is stored of a weight, and how far that is off.
///
/// @param tensors with their keys in the file
/// @param error the norm of the difference, over that of the weight
record QuantizedWeight(List<StoredTensor> tensors, double error) {
  private static final String ERROR = ".error";

  /// By how much the largest element of a weight may be larger than all that it is decoded to: binary formats store the mean of a group.
  private static final double SATURATED = 1e4;

  /// What a format and perhaps thin matrices store, and what that is decoded to.
  private record Approximation(List<StoredTensor> stored, List<StoredTensor> thin, double[] decoded) {}

  /// @param sums of products of what it is multiplied with, if they are known
  /// @param maps what is done to it before it is rounded, in order
  static QuantizedWeight of(Target target, Matrix matrix, EncodingProgram program, Optional<double[]> sums, Policy policy, List<ChannelMap> maps) {
    Policy.Method method = target.products().isEmpty() ? Policy.Method.NEAREST : policy.method();
    boolean needsFactor = method.feedsBack() || target.lowRank();
    Mapped mapped = Mapped.of(matrix, sums, maps);
    Mapped last = target.scaled() && sums.isPresent() ? mapped.then(ChannelScales.of(List.of(new ChannelScales.Rounded(mapped.rows(), program)), mapped.sums().orElseThrow())) : mapped;
    Rounding rounding = Rounding.of(program, matrix.rows(), matrix.length(), last.sums(), needsFactor);
    Approximation made = target.lowRank() ? withLowRank(target, last.rows(), rounding, policy) : rounded(last.rows().elements(), rounding, method);
    requireFit(target, last.rows(), made.decoded);
    List<StoredTensor> named = named(target, made);
    last.outliers(target.weight().key()).forEach(columns -> named.add(new StoredTensor(columns.key(), columns.type(), shape(target, columns), columns.data())));
    if (target.scaled()) {
      named.addAll(last.maps().getLast().stored(target.weight().key()));
    }
    return new QuantizedWeight(named, matrix.errorOf(last.undone(made.decoded)));
  }

  private static Approximation rounded(float[] elements, Rounding rounding, Policy.Method method) {
    List<StoredTensor> stored = rounding.round(elements, method);
    return new Approximation(stored, List.of(), Matrix.widened(rounding.program().decode(stored)));
  }

  /// The thin matrices take most of what the format's error is, or of the weight; the format stores what they leave. In the first case they are chosen anew for that.
  private static Approximation withLowRank(Target target, Matrix matrix, Rounding rounding, Policy policy) {
    int rank = LowRank.rank(policy, target);
    double[] plain = policy.rankFirst() ? new double[matrix.elements().length] : rounded(matrix.elements(), rounding, policy.method()).decoded;
    LowRank first = lowRank(matrix, plain, rounding, rank);
    Approximation rest = rounded(matrix.less(first.product(matrix.rows(), matrix.length())), rounding, policy.method());
    LowRank last = policy.rankFirst() ? first : lowRank(matrix, rest.decoded, rounding, rank);
    double[] decoded = last.product(matrix.rows(), matrix.length());
    for (int i = 0; i < decoded.length; i++) {
      decoded[i] += rest.decoded[i];
    }
    return new Approximation(rest.stored, last.stored(target.weight().key(), matrix.rows(), matrix.length()), decoded);
  }

  private static LowRank lowRank(Matrix matrix, double[] decoded, Rounding rounding, int rank) {
    return LowRank.of(Matrix.widened(matrix.less(decoded)), matrix.rows(), matrix.length(), rank, rounding.factor());
  }

  private static List<StoredTensor> named(Target target, Approximation made) {
    List<StoredTensor> named = new ArrayList<>();
    for (int i = 0; i < made.stored.size(); i++) {
      StoredTensor tensor = made.stored.get(i);
      String key = target.weight().key() + "." + target.encoding().format().stored().get(i);
      named.add(new StoredTensor(key, tensor.type(), shape(target, tensor), tensor.data()));
    }
    named.addAll(made.thin);
    return named;
  }

  /// Formats say what becomes of numbers beyond their scales: no number, or the largest that there is. Neither is what was meant.
  private static void requireFit(Target target, Matrix matrix, double[] decoded) {
    int first = Matrix.firstOf(decoded);
    double most = Arrays.stream(decoded).map(Math::abs).max().orElse(0);
    for (int i = 0; first == decoded.length && most > 0 && i < decoded.length; i++) {
      first = Math.abs(matrix.elements()[i]) > SATURATED * most ? i : first;
    }
    if (first < decoded.length) {
      throw CompileException.of("weight '" + target.weight().key() + "' does not fit the format " + target.encoding() + ": " + matrix.elements()[first]
          + " becomes " + decoded[first] + ", since its scale overflows; keep the weight as it is by --keep, or take another format");
    }
  }

  /// The shape of what was made of rows, for a weight of more dimensions; what was made of the whole matrix has the same.
  private static List<Long> shape(Target target, StoredTensor tensor) {
    if (target.order().size() == 2 || tensor.shape().isEmpty()) {
      return tensor.shape();
    }
    List<Long> shape = new ArrayList<>(target.shape().subList(0, target.shape().size() - 1).stream().map(size -> (long) size.value()).toList());
    shape.addAll(tensor.shape().subList(1, tensor.shape().size()));
    return shape;
  }

  /// All of it, for a file.
  List<StoredTensor> kept(String key) {
    List<StoredTensor> all = new ArrayList<>(tensors);
    all.add(new StoredTensor(key + ERROR, ElementType.F64, List.of(), MemorySegment.ofArray(new double[] {error})));
    return all;
  }

  /// What [#kept] gave.
  static QuantizedWeight of(String key, List<StoredTensor> kept) {
    List<StoredTensor> tensors = kept.stream().filter(tensor -> !tensor.key().equals(key + ERROR)).toList();
    StoredTensor error = kept.stream().filter(tensor -> tensor.key().equals(key + ERROR)).findFirst().orElseThrow();
    return new QuantizedWeight(tensors, error.data().get(ValueLayout.JAVA_DOUBLE_UNALIGNED, 0));
  }

  long bytes() {
    return tensors.stream().mapToLong(tensor -> tensor.data().byteSize()).sum();
  }
}
