package dev.einfall.frontend;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What indices bind: the ranks in order, the coordinate that each name stands for, and the ranks of `...`.
///
/// @param unknown the first name whose range is not known
/// @param byData the indices whose bounds depend on data: they run over a whole dimension and need a condition
record Bound(List<Rank> order, Map<String, Expr> named, Optional<List<Rank>> rest, Optional<Syntax.Name> unknown,
    List<Syntax.Subscript.Ranged> byData) {

  static Bound empty() {
    return new Bound(new ArrayList<>(), new LinkedHashMap<>(), Optional.empty(), Optional.empty(), new ArrayList<>());
  }

  Bound withRest(List<Rank> ranks) {
    order.addAll(ranks);
    return new Bound(order, named, Optional.of(ranks), unknown, byData);
  }

  Bound withUnknown(Syntax.Name name) {
    return new Bound(order, named, rest, unknown.or(() -> Optional.of(name)), byData);
  }

  /// @param from where the range of the name starts; that of the rank starts at 0
  void add(Rank rank, Size from) {
    Expr coordinate = new Expr.Coordinate(rank);
    order.add(rank);
    named.put(rank.name(), from.equals(Size.of(0)) ? coordinate
        : new Expr.Binary(BinaryOp.ADD, coordinate, Scalars.extent(from)));
  }
}
