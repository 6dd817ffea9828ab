package dev.einfall.tests.random;

import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
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
    for (Einsum einsum : cascade.einsums().reversed()) {
      if (needed.contains(einsum.tensor())) {
        needed.addAll(read(einsum));
      }
    }
    List<Einsum> einsums = cascade.einsums().stream().filter(einsum -> needed.contains(einsum.tensor())).toList();
    if (!keepInputs) {
      keepSizes(cascade.inputs(), einsums, needed);
    }
    List<Tensor> inputs = cascade.inputs().stream().filter(tensor -> keepInputs || needed.contains(tensor)).toList();
    return new Cascade(
        cascade.name(), inputs, cascade.weights(), einsums, cascade.outputs(), cascade.mapping());
  }

  /// Adds the inputs that are needed because no other says what a size is.
  private static void keepSizes(List<Tensor> inputs, List<Einsum> einsums, Set<Tensor> needed) {
    Set<String> missing = new LinkedHashSet<>();
    einsums.forEach(einsum -> addNames(einsum, missing));
    inputs.stream().filter(needed::contains).forEach(tensor -> missing.removeAll(names(tensor)));
    for (Tensor input : inputs) {
      if (!needed.contains(input) && missing.removeAll(names(input))) {
        needed.add(input);
      }
    }
  }

  private static void addNames(Einsum einsum, Set<String> names) {
    names.addAll(names(einsum.tensor()));
    einsum.value().nodes().forEach(node -> {
      if (node instanceof Expr.Reduce reduce) {
        reduce.ranks().forEach(rank -> names.addAll(rank.size().names()));
      } else if (node instanceof Expr.Extent(Size size)) {
        names.addAll(size.names());
      }
    });
  }

  private static List<String> names(Tensor tensor) {
    return tensor.shape().stream().flatMap(size -> size.names().stream()).toList();
  }

  static Set<Tensor> read(Einsum einsum) {
    Set<Tensor> read = new LinkedHashSet<>();
    einsum.value().nodes().forEach(node -> {
      if (node instanceof Expr.Access access) {
        read.add(access.tensor());
      }
    });
    return read;
  }
}
