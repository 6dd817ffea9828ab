package dev.einfall.passes.lower;

import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Collects what a mapping says of the nests of a kernel, under the names of the kernel's loops.
final class ScheduleBuilder {
  private final Mapping mapping;
  private final Set<Tensor> seen = Collections.newSetFromMap(new IdentityHashMap<>());
  private final List<Mapping.Flatten> flattened = new ArrayList<>();
  private final List<Mapping.Split> splits = new ArrayList<>();
  private final List<String> order = new ArrayList<>();
  private final List<Mapping.Bound> bindings = new ArrayList<>();
  private final List<String> reductions = new ArrayList<>();

  ScheduleBuilder(Mapping mapping) {
    this.mapping = mapping;
  }

  Schedule schedule() {
    return new Schedule(flattened, splits, order, bindings, reductions);
  }

  /// Adds a loop around all nests.
  void outer(Var counter) {
    order.add(counter.name());
  }

  void parallel(Var counter) {
    bind(new Mapping.Bound(counter.name(), Mapping.Binding.PARALLEL));
  }

  void vectorize(Var counter) {
    bind(new Mapping.Bound(counter.name(), Mapping.Binding.VECTORIZE));
  }

  void reduced(Var counter) {
    if (!reductions.contains(counter.name())) {
      reductions.add(counter.name());
    }
  }

  Mapping mapping() {
    return mapping;
  }

  /// Adds the nest of `tensor`, once: where several updates write it, a mapping speaks of the first.
  ///
  /// @param mayShare whether threads may share loops of the nest: its points do not depend on each other
  /// @param inner the loops of the nest
  /// @param around the loops over the shared ranks: a rank that goes in tiles has one there and one inside, and only
  ///     `parallel` speaks of the former
  void add(Tensor tensor, boolean mayShare, Map<Rank, Var> inner, Map<Rank, Var> around) {
    if (seen.add(tensor)) {
      mapping.nest(tensor).ifPresent(nest -> add(nest, mayShare, inner, around));
    }
  }

  private void add(Mapping.Nest nest, boolean mayShare, Map<Rank, Var> inner, Map<Rank, Var> around) {
    Map<String, String> outer = new LinkedHashMap<>();
    around.forEach((rank, counter) -> outer.put(rank.name(), counter.name()));
    Map<String, String> renamed = new LinkedHashMap<>(outer);
    inner.forEach((rank, counter) -> renamed.put(rank.name(), counter.name()));
    for (Mapping.Flatten flatten : nest.flattened()) {
      Mapping.Flatten here = new Mapping.Flatten(flatten.ranks().stream().map(renamed::get).toList());
      if (!flattened.contains(here)) {
        flattened.add(here);
      }
      renamed.put(flatten.name(), here.name());
    }
    for (Mapping.Split split : nest.splits()) {
      Mapping.Split here = new Mapping.Split(renamed.get(split.rank()), split.factors());
      if (!splits.contains(here)) {
        splits.add(here);
      }
      for (int level = 0; level <= split.factors().size(); level++) {
        renamed.put(split.rank() + level, renamed.get(split.rank()) + level);
      }
    }
    nest.order().stream().map(renamed::get).filter(name -> !order.contains(name)).forEach(order::add);
    for (Mapping.Bound bound : nest.bindings()) {
      boolean parallel = bound.binding() == Mapping.Binding.PARALLEL;
      String loop = (parallel ? outer : renamed).getOrDefault(bound.loop(), renamed.get(bound.loop()));
      if (!parallel || outer.containsValue(loop) || mayShare && !isReduced(loop)) {
        bind(new Mapping.Bound(loop, bound.binding()));
      }
    }
  }

  /// Whether `loop` is one over a reduced rank, or over tiles of one.
  private boolean isReduced(String loop) {
    return reductions.stream().anyMatch(reduced -> loop.equals(reduced) || loop.matches(reduced + "[0-9]+"));
  }

  private void bind(Mapping.Bound bound) {
    if (!bindings.contains(bound)) {
      bindings.add(bound);
    }
  }
}
