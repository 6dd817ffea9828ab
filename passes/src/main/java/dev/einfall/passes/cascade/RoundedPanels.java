package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Lets panels of what is but rounded read it as it was, so that it is rounded and copied at once.
///
/// ```
/// W_bf16[k, n] = bf16(W[k, n])
/// P[np, ks, nl] = W_bf16[2 * ks + nl % 2, 16 * np + nl / 2]     =>     P[np, ks, nl] = bf16(W[2 * ks + nl % 2, 16 * np + nl / 2])
/// ```
final class RoundedPanels {
  private RoundedPanels() {}

  /// `cascade`, where all that reads a rounded tensor are `panels`.
  static Cascade of(Cascade cascade, Set<Tensor> panels) {
    Map<Tensor, Einsum> rounded = new IdentityHashMap<>();
    cascade.einsums().stream().filter(einsum -> isRounding(einsum) && isReadByPanels(einsum.tensor(), cascade, panels))
        .forEach(einsum -> rounded.put(einsum.tensor(), einsum));
    List<Definition> result = new ArrayList<>();
    for (Definition definition : cascade.definitions()) {
      if (definition.tensors().stream().noneMatch(rounded::containsKey)) {
        result.add(definition instanceof Einsum einsum && panels.contains(einsum.tensor()) ? einsum.withValue(through(einsum.value(), rounded)) : definition);
      }
    }
    return rounded.isEmpty() ? cascade : cascade.withDefinitions(result);
  }

  /// Whether `einsum` gives each element of a tensor, rounded.
  private static boolean isRounding(Einsum einsum) {
    return einsum.value() instanceof Expr.Cast(_, Expr.Access read) && read.outside().isEmpty()
        && read.indices().equals(Exprs.coordinates(einsum.ranks())) && read.tensor().shape().equals(einsum.tensor().shape());
  }

  private static boolean isReadByPanels(Tensor tensor, Cascade cascade, Set<Tensor> panels) {
    boolean isKept = cascade.outputs().stream().anyMatch(output -> output.tensor() == tensor) || cascade.mapping().group(tensor).isPresent()
        || Exprs.isReadInOrder(tensor, cascade);
    return !isKept && cascade.definitions().stream().filter(definition -> definition.reads().anyMatch(read -> read == tensor))
        .allMatch(definition -> panels.contains(definition.tensors().getFirst()));
  }

  private static Expr through(Expr value, Map<Tensor, Einsum> rounded) {
    if (!(value instanceof Expr.Access access) || !rounded.containsKey(access.tensor())) {
      return value;
    }
    Expr.Cast source = (Expr.Cast) rounded.get(access.tensor()).value();
    Tensor wide = ((Expr.Access) source.operand()).tensor();
    Optional<Expr> outside = access.outside().map(_ -> Expr.literal(wide.type(), 0));
    return new Expr.Cast(source.type(), new Expr.Access(wide, access.indices(), outside));
  }
}
