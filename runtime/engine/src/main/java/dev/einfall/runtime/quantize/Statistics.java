package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Source;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BinaryOperator;
import java.util.stream.IntStream;

/// What products multiply their weights with, over calibration data, for each such tensor: computed by the program itself with these as its results.
///
/// @param sums of products of any two elements of a row, `H[i, j] = sum[...](X[..., i] * X[..., j])`, by rows
/// @param least for each column
/// @param most for each column
record Statistics(Map<Tensor, double[]> sums, Map<Tensor, float[]> least, Map<Tensor, float[]> most) {

  static Statistics none() {
    return new Statistics(Map.of(), Map.of(), Map.of());
  }

  /// What is counted.
  ///
  /// @param sums whether sums of products are
  /// @param extremes whether the least and the largest elements are
  record Wanted(boolean sums, boolean extremes) {}

  /// What the counting program gives of a tensor.
  private record Results(Optional<Tensor> sums, Optional<Tensor> least, Optional<Tensor> most) {}

  /// @param activations with the definitions that compute them
  /// @param options those of the program that is quantized
  /// @throws CompileException when a run gives what is not finite
  static Statistics of(Cascade cascade, Collection<Activation> activations, Wanted wanted, Calibration calibration, WeightsFile weights, Options options,
      QuantizationProgress progress) {
    Map<Tensor, Results> results = new LinkedHashMap<>();
    Cascade counting = counting(cascade, activations, wanted, calibration.mask(), results);
    Statistics statistics = new Statistics(new LinkedHashMap<>(), new LinkedHashMap<>(), new LinkedHashMap<>());
    Options own = calibration.options(options).withWeights(weights).withFunction(Optional.empty());
    try (Program program = Einfall.compile(new Source("calibration of " + cascade.name(), CascadePrinter.print(counting)), own)) {
      int done = 0;
      for (Map<String, dev.einfall.runtime.Tensor> batch : calibration.batches()) {
        var outputs = program.run(batch);
        results.forEach((tensor, result) -> {
          result.sums.ifPresent(found -> statistics.add(tensor, outputs.get(found.name()).floats()));
          result.least.ifPresent(found -> statistics.least.merge(tensor, finite(tensor, outputs.get(found.name()).floats()), (x, y) -> extremes(x, y, Math::min)));
          result.most.ifPresent(found -> statistics.most.merge(tensor, finite(tensor, outputs.get(found.name()).floats()), (x, y) -> extremes(x, y, Math::max)));
        });
        outputs.values().forEach(dev.einfall.runtime.Tensor::close);
        progress.ran("calibration", ++done, calibration.batches().size());
      }
    }
    return statistics;
  }

  private static float[] finite(Tensor tensor, float[] values) {
    for (float value : values) {
      if (!Float.isFinite(value)) {
        throw CompileException.of("with the calibration data, '" + tensor.name() + "', which is multiplied with weights, is not finite: " + value);
      }
    }
    return values;
  }

  private static float[] extremes(float[] left, float[] right, BinaryOperator<Float> extreme) {
    float[] both = new float[left.length];
    for (int i = 0; i < both.length; i++) {
      both[i] = extreme.apply(left[i], right[i]);
    }
    return both;
  }

  private void add(Tensor tensor, float[] values) {
    finite(tensor, values);
    double[] sum = sums.computeIfAbsent(tensor, _ -> new double[values.length]);
    for (int i = 0; i < values.length; i++) {
      sum[i] += values[i];
    }
  }

  /// The sums for products with `tensor`, if it was seen.
  Optional<double[]> sums(Tensor tensor) {
    return Optional.ofNullable(sums.get(tensor));
  }

  /// The largest sizes in its columns, if it was seen.
  Optional<float[]> peaks(Tensor tensor) {
    return Optional.ofNullable(most.get(tensor)).map(high -> extremes(high, least.get(tensor), (x, y) -> Math.max(Math.abs(x), Math.abs(y))));
  }

  private static Cascade counting(Cascade cascade, Collection<Activation> activations, Wanted wanted, Optional<String> mask, Map<Tensor, Results> results) {
    List<Definition> definitions = new ArrayList<>(cascade.definitions());
    List<Cascade.Output> outputs = new ArrayList<>();
    for (Activation activation : activations) {
      Tensor tensor = activation.tensor();
      if (!results.containsKey(tensor)) {
        activation.definition().ifPresent(definitions::add);
        Optional<Tensor> there = mask.flatMap(name -> mask(cascade, name, tensor));
        List<Einsum> counted = new ArrayList<>();
        if (wanted.sums) {
          counted.add(sums(new Tensor("products" + results.size(), ElementType.F32, List.of(last(tensor), last(tensor)), Span.NONE), tensor, there));
        }
        if (wanted.extremes) {
          counted.add(extreme("least" + results.size(), Reduction.MIN, tensor, there));
          counted.add(extreme("most" + results.size(), Reduction.MAX, tensor, there));
        }
        definitions.addAll(counted);
        List<Tensor> all = counted.stream().map(Einsum::tensor).toList();
        all.forEach(result -> outputs.add(new Cascade.Output(result.name(), result)));
        results.put(tensor, new Results(wanted.sums ? Optional.of(all.getFirst()) : Optional.empty(),
            wanted.extremes ? Optional.of(all.get(all.size() - 2)) : Optional.empty(), wanted.extremes ? Optional.of(all.getLast()) : Optional.empty()));
      }
    }
    return new Cascade(cascade.name(), cascade.inputs(), cascade.weights(), definitions, outputs, Mapping.NONE);
  }

  private static Size last(Tensor tensor) {
    return tensor.shape().getLast();
  }

  /// The input that says which rows of `tensor` are there.
  private static Optional<Tensor> mask(Cascade cascade, String name, Tensor tensor) {
    return cascade.inputs().stream().filter(input -> input.name().equals(name) && input.shape().size() < tensor.shape().size()
        && tensor.shape().subList(0, input.shape().size()).equals(input.shape())).findFirst();
  }

  private static Einsum sums(Tensor result, Tensor tensor, Optional<Tensor> mask) {
    Rank left = new Rank("i", last(tensor));
    Rank right = new Rank("j", last(tensor));
    List<Rank> rows = rows(tensor);
    Expr product = new Expr.Binary(BinaryOp.MUL, element(tensor, rows, left), element(tensor, rows, right));
    return new Einsum(result, List.of(left, right), reduced(Reduction.SUM, rows, masked(product, rows, mask)), Span.NONE);
  }

  private static Einsum extreme(String name, Reduction reduction, Tensor tensor, Optional<Tensor> mask) {
    Rank column = new Rank("i", last(tensor));
    List<Rank> rows = rows(tensor);
    Expr value = reduced(reduction, rows, masked(element(tensor, rows, column), rows, mask));
    return new Einsum(new Tensor(name, ElementType.F32, List.of(last(tensor)), Span.NONE), List.of(column), value, Span.NONE);
  }

  private static List<Rank> rows(Tensor tensor) {
    return IntStream.range(0, tensor.shape().size() - 1).mapToObj(i -> new Rank("m", tensor.shape().get(i))).toList();
  }

  private static Expr masked(Expr value, List<Rank> rows, Optional<Tensor> mask) {
    return mask.<Expr>map(input -> new Expr.Binary(BinaryOp.MUL, new Expr.Cast(ElementType.F32, new Expr.Access(input,
        Additions.coordinates(rows.subList(0, input.shape().size())))), value)).orElse(value);
  }

  private static Expr reduced(Reduction reduction, List<Rank> rows, Expr value) {
    return rows.isEmpty() ? value : new Expr.Reduce(reduction, rows, value);
  }

  private static Expr element(Tensor tensor, List<Rank> rows, Rank last) {
    return Additions.element(tensor, rows, new Expr.Coordinate(last));
  }
}
