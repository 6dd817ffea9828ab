package dev.einfall.tests.random;

import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// Takes away what the outputs of a cascade do not need.
final class Pruning {
  private Pruning() {}

  static Cascade prune(Cascade cascade, boolean keepInputs) {
    Set<Tensor> needed = new LinkedHashSet<>();
    cascade.outputs().forEach(output -> needed.add(output.tensor()));
    for (Definition definition : cascade.definitions().reversed()) {
      if (definition.tensors().stream().anyMatch(needed::contains)) {
        definition.reads().forEach(needed::add);
      }
    }
    List<Definition> definitions = cascade.definitions().stream()
        .filter(definition -> definition.tensors().stream().anyMatch(needed::contains)).toList();
    if (!keepInputs) {
      keepSizes(cascade.inputs(), definitions, needed);
    }
    List<Tensor> inputs = cascade.inputs().stream().filter(tensor -> keepInputs || needed.contains(tensor)).toList();
    return new Cascade(
        cascade.name(), inputs, cascade.weights(), definitions, cascade.outputs(), cascade.mapping());
  }

  /// Adds the inputs that are needed because no other says what a size is: one whose dimension is the bare name.
  private static void keepSizes(List<Tensor> inputs, List<Definition> definitions, Set<Tensor> needed) {
    Set<String> missing = new LinkedHashSet<>();
    definitions.forEach(definition -> addNames(definition, missing));
    inputs.stream().filter(needed::contains).forEach(tensor -> missing.addAll(names(tensor)));
    inputs.stream().filter(needed::contains).forEach(tensor -> missing.removeAll(bareNames(tensor)));
    for (Tensor input : inputs) {
      if (!needed.contains(input) && bareNames(input).equals(names(input)) && missing.removeAll(bareNames(input))) {
        needed.add(input);
      }
    }
  }

  private static List<String> bareNames(Tensor tensor) {
    return names(tensor).stream().filter(name -> tensor.shape().contains(Size.named(name))).toList();
  }

  private static void addNames(Definition definition, Set<String> names) {
    definition.tensors().forEach(tensor -> names.addAll(names(tensor)));
    if (definition instanceof Recurrence recurrence) {
      recurrence.steps().forEach(rank -> names.addAll(rank.size().names()));
      recurrence.updates().forEach(update -> update.ranks().forEach(rank -> names.addAll(rank.size().names())));
    }
    definition.exprs().flatMap(Expr::nodes).forEach(node -> {
      node.bound().forEach(rank -> names.addAll(rank.size().names()));
      if (node instanceof Expr.Extent(Size size)) {
        names.addAll(size.names());
      }
    });
  }

  private static List<String> names(Tensor tensor) {
    return tensor.shape().stream().flatMap(size -> size.names().stream()).toList();
  }
}
