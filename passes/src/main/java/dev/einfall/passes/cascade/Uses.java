package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;

/// What the tensors of one cascade are used for, found out once for all questions of a pass.
public final class Uses {
  private final Cascade cascade;
  private final Map<Tensor, Einsum> einsums;
  private final Set<Tensor> constants;
  private final Map<Tensor, Integer> accesses = new IdentityHashMap<>();
  private final Set<Tensor> needed = Exprs.identitySet();

  public Uses(Cascade cascade) {
    this.cascade = cascade;
    this.einsums = Exprs.definitions(cascade.einsums());
    this.constants = Constants.of(cascade);
    cascade.definitions().stream().flatMap(Definition::exprs).flatMap(Exprs::accesses)
        .forEach(access -> accesses.merge(access.tensor(), 1, Integer::sum));
    cascade.outputs().forEach(output -> needed.add(output.tensor()));
    cascade.definitions().stream().filter(Recurrence.class::isInstance).flatMap(Definition::reads).forEach(needed::add);
  }

  Cascade cascade() {
    return cascade;
  }

  /// The Einsum that defines each tensor.
  public Map<Tensor, Einsum> einsums() {
    return einsums;
  }

  /// [Constants] of the cascade.
  public Set<Tensor> constants() {
    return constants;
  }

  /// Whether `tensor` is read in one place only, and need not be there itself: no output, no recurrence and no mapping speaks of it.
  boolean isForOne(Tensor tensor) {
    return accesses.getOrDefault(tensor, 0) == 1 && !needed.contains(tensor) && !cascade.mapping().speaksOf(tensor);
  }
}
