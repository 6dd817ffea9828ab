package dev.einfall.ir.cascade;

import java.util.List;
import java.util.stream.Stream;

/// A program of the cascade level: tensors given at the call, tensors read from a weights file, definitions in an order
/// in which every tensor is defined before it is used, and the tensors that are the result.
///
/// Each output is among the tensors defined, and no tensor is an output twice. `mapping` says how to compute it and never
/// changes what is computed.
public record Cascade(
    String name, List<Tensor> inputs, List<Weight> weights, List<Definition> definitions,
    List<Output> outputs, Mapping mapping) {

  /// A constant tensor, named `key` in the weights file.
  public record Weight(Tensor tensor, String key) {}

  /// A result and the name that the caller knows it by.
  public record Output(String name, Tensor tensor) {}

  public Cascade {
    inputs = List.copyOf(inputs);
    weights = List.copyOf(weights);
    definitions = List.copyOf(definitions);
    outputs = List.copyOf(outputs);
  }

  /// The definitions that are Einsums, in order.
  public List<Einsum> einsums() {
    return definitions.stream().filter(Einsum.class::isInstance).map(Einsum.class::cast).toList();
  }

  /// The reductions that the cascade defines and uses: those in expressions, and then those of updates, each in the order of its
  /// first use.
  public List<Combiner> combiners() {
    Stream<Combiner> scatters = definitions.stream()
        .flatMap(definition -> definition instanceof Recurrence recurrence ? recurrence.updates().stream() : Stream.empty())
        .flatMap(update -> update.combination().stream())
        .flatMap(with -> with instanceof Combiner combiner ? Stream.of(combiner) : Stream.empty());
    Stream<Combiner> folds = definitions.stream().flatMap(Definition::exprs).flatMap(Expr::nodes)
        .flatMap(node -> node instanceof Expr.Fold fold ? Stream.of(fold.combiner()) : Stream.empty());
    return Stream.concat(folds, scatters).distinct().toList();
  }

  /// The same cascade with other definitions; the same object if they are the same objects. What the mapping says of
  /// tensors that are no longer defined is dropped.
  public Cascade withDefinitions(List<? extends Definition> newDefinitions) {
    boolean unchanged = newDefinitions.size() == definitions.size();
    for (int i = 0; unchanged && i < definitions.size(); i++) {
      unchanged = newDefinitions.get(i) == definitions.get(i);
    }
    List<Tensor> defined = newDefinitions.stream().flatMap(definition -> definition.tensors().stream()).toList();
    return unchanged ? this : new Cascade(name, inputs, weights, List.copyOf(newDefinitions), outputs, mapping.of(defined));
  }

  public Cascade withMapping(Mapping newMapping) {
    return new Cascade(name, inputs, weights, definitions, outputs, newMapping);
  }
}
