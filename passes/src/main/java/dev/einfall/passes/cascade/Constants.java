package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import java.util.Set;

/// The tensors of a cascade that depend on weights alone: they are computed once, when the weights are known.
public final class Constants {
  private Constants() {}

  /// The weights and all that is defined by constants only, but for outputs, which every call must write.
  public static Set<Tensor> of(Cascade cascade) {
    Set<Tensor> constant = Exprs.identitySet();
    cascade.weights().forEach(weight -> constant.add(weight.tensor()));
    Set<Tensor> outputs = Exprs.identitySet();
    cascade.outputs().forEach(output -> outputs.add(output.tensor()));
    for (Definition definition : cascade.definitions()) {
      boolean allConstant = definition.reads().allMatch(constant::contains);
      if (allConstant && definition.tensors().stream().noneMatch(outputs::contains)) {
        constant.addAll(definition.tensors());
      }
    }
    cascade.definitions().forEach(definition -> removeStarts(definition, cascade, constant));
    return constant;
  }

  /// A tensor of mere numbers that a recurrence changes at every call, and nothing else reads, is made at every call: that
  /// is no more than copying it.
  private static void removeStarts(Definition definition, Cascade cascade, Set<Tensor> constant) {
    if (!(definition instanceof Recurrence recurrence) || constant.contains(recurrence.tensors().getFirst())) {
      return;
    }
    recurrence.states().stream().flatMap(state -> state.base().stream()).forEach(base -> {
      boolean mere = cascade.einsums().stream()
          .anyMatch(einsum -> einsum.tensor() == base && einsum.reads().findAny().isEmpty());
      boolean readElsewhere = cascade.definitions().stream()
          .anyMatch(other -> other != definition && other.reads().anyMatch(tensor -> tensor == base));
      if (mere && !readElsewhere) {
        constant.remove(base);
      }
    });
  }
}
