package dev.einfall.frontend;

import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// Calls the result of a function by the name that the caller gives it, not by the name that it has inside.
final class Nicknames {
  private final Map<Tensor, Tensor> renamed = new IdentityHashMap<>();

  void name(Tensor tensor, String name) {
    renamed.put(tensor, new Tensor(name, tensor.type(), tensor.shape(), tensor.span()));
  }

  /// The cascade with the tensors' new names.
  Cascade apply(Cascade cascade) {
    List<Definition> definitions = cascade.definitions().stream().map(this::definition).toList();
    List<Cascade.Output> outputs = cascade.outputs().stream()
        .map(output -> new Cascade.Output(output.name(), tensor(output.tensor())))
        .toList();
    return new Cascade(cascade.name(), cascade.inputs(), cascade.weights(), definitions, outputs, mapping(cascade.mapping()));
  }

  private Definition definition(Definition definition) {
    return switch (definition.mapExprs(this::expr)) {
      case Einsum einsum -> new Einsum(tensor(einsum.tensor()), einsum.ranks(), einsum.value(), einsum.span());
      case Recurrence recurrence -> new Recurrence(recurrence.steps(),
          recurrence.states().stream()
              .map(state -> state.mapTensors(this::tensor)).toList(),
          recurrence.updates().stream()
              .map(update -> new Recurrence.Update(tensor(update.tensor()), update.ranks(), update.indices(),
                  update.combination(), update.value(), update.where(), update.span())).toList(),
          recurrence.condition(), recurrence.span());
    };
  }

  private Tensor tensor(Tensor tensor) {
    return renamed.getOrDefault(tensor, tensor);
  }

  private Expr expr(Expr expr) {
    Expr changed = expr.mapChildren(this::expr);
    return changed instanceof Expr.Access access && renamed.containsKey(access.tensor())
        ? new Expr.Access(tensor(access.tensor()), access.indices(), access.outside()) : changed;
  }

  private Mapping mapping(Mapping mapping) {
    return new Mapping(
        mapping.nests().stream().map(nest -> nest.of(tensor(nest.tensor()))).toList(),
        mapping.groups().stream().map(group ->
            new Mapping.Group(group.members().stream().map(this::tensor).toList(), group.shared(), group.tile())).toList(),
        mapping.layouts().stream().map(layout -> new Mapping.Layout(tensor(layout.tensor()), layout.ranks())).toList(),
        mapping.schedules().stream().map(schedule ->
            new Mapping.Schedule(tensor(schedule.tensor()), schedule.way(), schedule.number())).toList());
  }
}
