package dev.einfall.passes.lower;

import dev.einfall.ir.InternalException;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// What a cascade launches, one after the other: each definition, or the members of a group together at the place of the last.
/// What stands between them and reads one of them comes after them.
final class LaunchOrder {
  private final Cascade cascade;
  private final Set<Tensor> missing = Exprs.identitySet();
  private final List<List<Definition>> order = new ArrayList<>();

  private LaunchOrder(Cascade cascade) {
    this.cascade = cascade;
  }

  /// The members of each launch, in the order of the cascade.
  static List<List<Definition>> of(Cascade cascade) {
    return new LaunchOrder(cascade).launches();
  }

  private List<List<Definition>> launches() {
    cascade.definitions().forEach(definition -> missing.addAll(definition.tensors()));
    List<List<Definition>> waiting = new ArrayList<>();
    for (Definition definition : cascade.definitions()) {
      List<Definition> members = members(definition);
      if (members.getLast() == definition) {
        waiting.add(members);
        boolean launched = true;
        while (launched) {
          launched = launchFirst(waiting);
        }
      }
    }
    if (!waiting.isEmpty()) {
      throw new InternalException("groups that need each other: " + waiting.getFirst().getFirst().tensors());
    }
    return order;
  }

  private List<Definition> members(Definition definition) {
    List<Tensor> group = cascade.mapping().group(definition.tensors().getFirst()).map(Mapping.Group::members).orElse(List.of());
    return group.isEmpty() ? List.of(definition)
        : cascade.definitions().stream().filter(member -> group.contains(member.tensors().getFirst())).toList();
  }

  /// Launches the first of `waiting` that needs nothing that is missing, if there is one.
  private boolean launchFirst(List<List<Definition>> waiting) {
    for (Iterator<List<Definition>> next = waiting.iterator(); next.hasNext();) {
      List<Definition> members = next.next();
      List<Tensor> own = tensors(members).toList();
      if (members.stream().flatMap(Definition::reads).noneMatch(tensor -> missing.contains(tensor) && !own.contains(tensor))) {
        next.remove();
        order.add(members);
        own.forEach(missing::remove);
        return true;
      }
    }
    return false;
  }

  private static Stream<Tensor> tensors(List<Definition> members) {
    return members.stream().flatMap(member -> member.tensors().stream());
  }
}
