package dev.einfall.passes.recurrence;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.passes.Pass;
import java.util.function.Consumer;

/// Keeps of a state only the slices that the next step reads, in tensors without the dimension of the steps.
///
/// ```
/// H0[i in 0..T + 1, d in 0..D] = 0.0
/// update H from H0 for t in 0..T {                      update H: f32[D] from 0.0 for t in 0..T {
///   H[t + 1, d] = A[t, d] * H[t, d] + B[t, d]     =>      H[d] = A[t, d] * H[d] + B[t, d]
/// }                                                     }
/// Y[d] = H[T, d]                                        Y[d] = H[d]
/// ```
///
/// A state that other elements of the slice before are read of is written to a tensor of its own and copied at the end of
/// the step. Where other definitions read more than the last slices, or the state is a result, the steps write what they
/// compute to a tensor with all slices as well, which they do not read: a history. It has no slice for the start of the
/// state unless somebody may read that.
///
/// A state stays as it is if a step does not write a slice as a whole by one update, reads a slice that is older than four
/// steps, or reads at places that do not move by one index with each step.
public record KeepLastStates() implements Pass.OnCascade {

  @Override
  public String name() {
    return "keep-last-states";
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    Cascade current = cascade;
    for (Definition definition : cascade.definitions()) {
      if (definition instanceof Recurrence recurrence && recurrence.steps().size() == 1 && Recurrences.steps(recurrence) > 0
          && !Recurrences.isMapped(recurrence, cascade.mapping())) {
        // An earlier recurrence that changed has changed what this one reads.
        Recurrence now = (Recurrence) current.definitions().stream()
            .filter(candidate -> candidate.tensors().equals(recurrence.tensors())).findFirst().orElseThrow();
        current = new RollingStates(current, now).rolled();
      }
    }
    return current;
  }
}
