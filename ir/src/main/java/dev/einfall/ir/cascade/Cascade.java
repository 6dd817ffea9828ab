package dev.einfall.ir.cascade;

import java.util.List;

/// A program of the cascade level: tensors given at the call, tensors read from a weights file, Einsums in an order
/// in which every tensor is defined before it is used, and the tensors that are the result.
///
/// Each output is defined by an Einsum, and no tensor is an output twice. `mapping` says how to compute it and never
/// changes what is computed.
public record Cascade(
    String name, List<Tensor> inputs, List<Weight> weights, List<Einsum> einsums, List<Output> outputs, Mapping mapping) {

  /// A constant tensor, named `key` in the weights file.
  public record Weight(Tensor tensor, String key) {}

  /// A result and the name that the caller knows it by.
  public record Output(String name, Tensor tensor) {}

  public Cascade {
    inputs = List.copyOf(inputs);
    weights = List.copyOf(weights);
    einsums = List.copyOf(einsums);
    outputs = List.copyOf(outputs);
  }

  /// The same cascade with other Einsums; the same object if they are the same objects.
  public Cascade withEinsums(List<Einsum> newEinsums) {
    boolean unchanged = newEinsums.size() == einsums.size();
    for (int i = 0; unchanged && i < einsums.size(); i++) {
      unchanged = newEinsums.get(i) == einsums.get(i);
    }
    return unchanged ? this : new Cascade(name, inputs, weights, newEinsums, outputs, mapping);
  }

  public Cascade withMapping(Mapping newMapping) {
    return new Cascade(name, inputs, weights, einsums, outputs, newMapping);
  }
}
