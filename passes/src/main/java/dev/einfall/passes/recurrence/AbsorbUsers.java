package dev.einfall.passes.recurrence;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.passes.Pass;
import java.util.function.Consumer;

/// Computes what reads every state of a recurrence in the step that makes it, so that the states of all steps need not be
/// stored.
///
/// ```
/// update H from H0 for t in 0..T {                      update H from H0, Y: f32[T] from 0.0 for t in 0..T {
///   H[t + 1, d] = A[t, d] * H[t, d] + B[t, d]             H[t + 1, d] = A[t, d] * H[t, d] + B[t, d]
/// }                                               =>      Y[t] = sum[d](C[t, d] * H[t + 1, d])
/// Y[t] = sum[d](C[t, d] * H[t + 1, d])                  }
/// ```
///
/// An Einsum over as many coordinates as there are steps becomes an update if it reads at each of them what one step knows, and
/// if with it every user of a state becomes one but for those that read its last slices: only then is a state forgotten.
/// A product of the states of all steps with something that does not depend on the step, such as weights, stays: it is one product of
/// matrices for all steps, and would be one with a vector in each.
public record AbsorbUsers() implements Pass.OnCascade {

  @Override
  public String name() {
    return "absorb-users";
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    Cascade current = cascade;
    for (Definition definition : cascade.definitions()) {
      if (definition instanceof Recurrence recurrence && recurrence.steps().size() == 1 && recurrence.condition().isEmpty()
          && Recurrences.steps(recurrence) > 0 && !Recurrences.isMapped(recurrence, cascade.mapping())) {
        current = new Absorption(current, recurrence.states().getFirst().tensor()).absorbed();
      }
    }
    return current;
  }
}
