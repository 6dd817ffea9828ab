package dev.einfall.passes.codes;

import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.List;

/// The tensors that are defined before a product, which reads them in place of what it has read.
///
/// ```
///                                   P_shared[kg, n] = scale[n, kg]
/// P[m, n] = .. scale[n, k / 64] =>  P[m, n] = .. P_shared[kg, n]
/// ```
final class NewTensors {
  private final Einsum einsum;
  private final List<Rank> reduced;
  private final Rank whole;
  private final List<Definition> definitions = new ArrayList<>();

  /// @param reduced the ranks of the product's sum
  /// @param whole the one of these that is in steps
  NewTensors(Einsum einsum, List<Rank> reduced, Rank whole) {
    this.einsum = einsum;
    this.reduced = reduced;
    this.whole = whole;
  }

  /// What defines these tensors, in their order.
  List<Definition> definitions() {
    return List.copyOf(definitions);
  }

  /// The ranks of `expr` but the one of the steps: those of the reduction before those of the result.
  List<Rank> outer(Expr expr) {
    List<Rank> ranks = new ArrayList<>(reduced);
    ranks.addAll(einsum.ranks());
    return ranks.stream().filter(rank -> rank != whole && Exprs.freeRanks(expr).contains(rank)).toList();
  }

  /// A tensor with `value` for each point of `ranks`; what has these elements already, if there is such.
  Tensor defined(String what, List<Rank> ranks, Expr value) {
    if (value instanceof Expr.Access access && access.outside().isEmpty() && access.indices().equals(Exprs.coordinates(ranks))
        && access.tensor().shape().equals(ranks.stream().map(Rank::size).toList())) {
      return access.tensor();
    }
    Tensor tensor = new Tensor(einsum.tensor().name() + "_" + what, value.type(), ranks.stream().map(Rank::size).toList(), einsum.span());
    definitions.add(new Einsum(tensor, ranks, value, einsum.span()));
    return tensor;
  }
}
