package dev.einfall.passes.codes;

import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// What a product reads in place of computing it for each of its points.
final class AheadOfProduct {
  private AheadOfProduct() {}

  /// The element of a new tensor `PRODUCT_what` that has `value` for each point of those ranks of `order` that it depends on.
  ///
  /// @param before gets the definition
  static Expr element(Einsum product, String what, Expr value, List<Rank> order, List<Definition> before) {
    return element(product, product.tensor().name(), what, value, order, before);
  }

  /// The same of a tensor `OWNER_what`.
  static Expr element(Einsum product, String owner, String what, Expr value, List<Rank> order, List<Definition> before) {
    List<Rank> outer = order.stream().filter(Exprs.freeRanks(value)::contains).toList();
    List<Rank> ranks = outer.stream().map(rank -> new Rank(rank.name(), rank.size())).toList();
    Map<Rank, Expr> places = new IdentityHashMap<>();
    for (int i = 0; i < outer.size(); i++) {
      places.put(outer.get(i), new Expr.Coordinate(ranks.get(i)));
    }
    Tensor tensor = new Tensor(owner + "_" + what, value.type(), ranks.stream().map(Rank::size).toList(), product.span());
    before.add(new Einsum(tensor, ranks, Exprs.substitute(Exprs.freshRanks(value), places), product.span()));
    return new Expr.Access(tensor, Exprs.coordinates(outer));
  }
}
