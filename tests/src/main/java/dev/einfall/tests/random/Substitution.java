package dev.einfall.tests.random;

import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import java.util.IdentityHashMap;
import java.util.Map;

/// Tensors in place of others.
record Substitution(Map<Tensor, Tensor> tensors) {

  /// Each state's base in place of the state.
  static Substitution ofStates(Recurrence recurrence) {
    Map<Tensor, Tensor> bases = new IdentityHashMap<>();
    recurrence.states().forEach(state -> state.base().ifPresent(base -> bases.put(state.tensor(), base)));
    return new Substitution(bases);
  }

  Tensor tensor(Tensor old) {
    return tensors.getOrDefault(old, old);
  }

  Definition definition(Definition old) {
    Definition changed = old.mapExprs(this::expr);
    return changed instanceof Recurrence recurrence ? new Recurrence(recurrence.steps(), recurrence.states().stream()
        .map(state -> new Recurrence.State(state.tensor(), switch (state.start()) {
          case Recurrence.Start.Copy(Tensor base) -> new Recurrence.Start.Copy(tensor(base));
          case Recurrence.Start.Fill fill -> fill;
        })).toList(),
        recurrence.updates(), recurrence.condition(), recurrence.span()) : changed;
  }

  private Expr expr(Expr old) {
    Expr inside = old.mapChildren(this::expr);
    return inside instanceof Expr.Access access ? new Expr.Access(tensor(access.tensor()), access.indices(), access.outside()) : inside;
  }
}
