package dev.einfall.passes.reduce;

import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// Puts definitions into an order in which each comes after those that it needs, and otherwise changes as little as possible.
final class Ordering {
  private Ordering() {}

  static List<Definition> byNeed(List<Definition> definitions) {
    Set<Tensor> defined = Exprs.identitySet();
    definitions.forEach(definition -> defined.addAll(definition.tensors()));
    Set<Tensor> ready = Exprs.identitySet();
    List<Definition> ordered = new ArrayList<>();
    Set<Definition> waiting = new LinkedHashSet<>(definitions);
    while (!waiting.isEmpty()) {
      Definition next = waiting.stream()
          .filter(definition -> definition.reads().allMatch(tensor -> ready.contains(tensor) || !defined.contains(tensor)))
          .findFirst().orElseThrow(() -> new IllegalStateException("definitions that need each other"));
      waiting.remove(next);
      ordered.add(next);
      ready.addAll(next.tensors());
    }
    return ordered;
  }
}
