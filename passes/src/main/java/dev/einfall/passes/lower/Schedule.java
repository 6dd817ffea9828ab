package dev.einfall.passes.lower;

import dev.einfall.ir.cascade.Mapping;
import java.util.List;

/// What a mapping asks for in one kernel, by the names of the kernel's loops.
///
/// @param flattened the loops that become one
/// @param splits the loops that are cut into tiles
/// @param order the loops of all nests, each after those that go outside of it
/// @param bindings what loops become
/// @param reductions the loops that are reduced
public record Schedule(
    List<Mapping.Flatten> flattened, List<Mapping.Split> splits, List<String> order, List<Mapping.Bound> bindings, List<String> reductions) {

  /// That of a kernel of which no mapping speaks.
  public static final Schedule NONE = new Schedule(List.of(), List.of(), List.of(), List.of(), List.of());

  public Schedule {
    flattened = List.copyOf(flattened);
    splits = List.copyOf(splits);
    order = List.copyOf(order);
    bindings = List.copyOf(bindings);
    reductions = List.copyOf(reductions);
  }

  /// The loops bound to `binding`, in order.
  public List<String> bound(Mapping.Binding binding) {
    return bindings.stream().filter(bound -> bound.binding() == binding).map(Mapping.Bound::loop).toList();
  }
}
