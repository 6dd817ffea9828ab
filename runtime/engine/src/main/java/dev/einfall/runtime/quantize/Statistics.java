package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.BinaryOp;
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
import java.util.stream.IntStream;

/// What products multiply their weights with, over calibration data: for each such tensor the sums of products of any two elements of a row,
/// `H[i, j] = sum[...](X[..., i] * X[..., j])`, computed by the program itself with these as its results.
///
/// @param sums for each tensor, by rows
record Statistics(Map<Tensor, double[]> sums) {

  static Statistics none() {
    return new Statistics(Map.of());
  }

  /// @param activations with the definitions that compute them
  /// @param options those of the program that is quantized
  static Statistics of(Cascade cascade, Collection<Activation> activations, Calibration calibration, WeightsFile weights, Options options) {
    Map<Tensor, Tensor> results = new LinkedHashMap<>();
    Cascade counting = counting(cascade, activations, calibration.mask(), results);
    Map<Tensor, double[]> sums = new LinkedHashMap<>();
    Options own = options.withWeights(weights).withFunction(Optional.empty());
    try (Program program = Einfall.compile(new Source("calibration of " + cascade.name(), CascadePrinter.print(counting)), own)) {
      calibration.batches().forEach(batch -> {
        var outputs = program.run(batch);
        results.forEach((tensor, result) -> add(sums, tensor, outputs.get(result.name()).floats()));
        outputs.values().forEach(dev.einfall.runtime.Tensor::close);
      });
    }
    return new Statistics(sums);
  }

  private static void add(Map<Tensor, double[]> sums, Tensor tensor, float[] values) {
    double[] sum = sums.computeIfAbsent(tensor, _ -> new double[values.length]);
    for (int i = 0; i < values.length; i++) {
      sum[i] += values[i];
    }
  }

  /// The sums for products with `activation`, if it was seen.
  Optional<double[]> of(Activation activation) {
    return Optional.ofNullable(sums.get(activation.tensor()));
  }

  private static Cascade counting(Cascade cascade, Collection<Activation> activations, Optional<String> mask, Map<Tensor, Tensor> results) {
    List<Definition> definitions = new ArrayList<>(cascade.definitions());
    List<Cascade.Output> outputs = new ArrayList<>();
    for (Activation activation : activations) {
      if (!results.containsKey(activation.tensor())) {
        activation.definition().ifPresent(definitions::add);
        Tensor result = new Tensor("products" + results.size(), ElementType.F32, List.of(last(activation.tensor()), last(activation.tensor())), Span.NONE);
        definitions.add(sums(result, activation.tensor(), mask.flatMap(name -> mask(cascade, name, activation.tensor()))));
        outputs.add(new Cascade.Output(result.name(), result));
        results.put(activation.tensor(), result);
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
    List<Rank> rows = IntStream.range(0, tensor.shape().size() - 1).mapToObj(i -> new Rank("m", tensor.shape().get(i))).toList();
    Expr product = new Expr.Binary(BinaryOp.MUL, element(tensor, rows, left), element(tensor, rows, right));
    Expr masked = mask.<Expr>map(input -> new Expr.Binary(BinaryOp.MUL, new Expr.Cast(ElementType.F32, new Expr.Access(input,
        rows.subList(0, input.shape().size()).stream().map(rank -> (Expr) new Expr.Coordinate(rank)).toList())), product)).orElse(product);
    Expr value = rows.isEmpty() ? masked : new Expr.Reduce(Reduction.SUM, rows, masked);
    return new Einsum(result, List.of(left, right), value, Span.NONE);
  }

  private static Expr element(Tensor tensor, List<Rank> rows, Rank last) {
    List<Expr> indices = new ArrayList<>(rows.stream().map(rank -> (Expr) new Expr.Coordinate(rank)).toList());
    indices.add(new Expr.Coordinate(last));
    Expr access = new Expr.Access(tensor, indices);
    return tensor.type() == ElementType.F32 ? access : new Expr.Cast(ElementType.F32, access);
  }
}
