package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Einsum;
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
    for (Einsum einsum : cascade.einsums()) {
      boolean allConstant = Exprs.accesses(einsum.value()).allMatch(access -> constant.contains(access.tensor()));
      if (allConstant && !outputs.contains(einsum.tensor())) {
        constant.add(einsum.tensor());
      }
    }
    return constant;
  }
}
