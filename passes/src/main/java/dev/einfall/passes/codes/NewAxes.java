package dev.einfall.passes.codes;

import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.passes.cascade.Exprs;
import dev.einfall.passes.cascade.IndexForm;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// What a new tensor has for axes: its own ranks, the indices by which the product reads it, and what coordinates of the product are in terms of its own.
final class NewAxes {
  private final List<Rank> ranks = new ArrayList<>();
  private final List<Expr> indices = new ArrayList<>();
  private final Map<Rank, Expr> coordinates = new IdentityHashMap<>();

  /// Adds one of its own, read at `index`.
  void add(Rank rank, Expr index) {
    ranks.add(rank);
    indices.add(index);
  }

  /// Adds one for each rank of the product in `outer`, read at its coordinate.
  void addOuter(List<Rank> outer) {
    for (Rank rank : outer) {
      Rank own = new Rank(rank.name(), rank.size());
      add(own, new Expr.Coordinate(rank));
      put(rank, new Expr.Coordinate(own));
    }
  }

  /// Says what the coordinate of the product's `rank` is.
  void put(Rank rank, Expr coordinate) {
    coordinates.put(rank, coordinate);
  }

  List<Rank> ranks() {
    return List.copyOf(ranks);
  }

  List<Expr> indices() {
    return List.copyOf(indices);
  }

  /// `expr` of the product at these axes, where places inside of its tensors are in simple terms.
  Expr at(Expr expr) {
    return IndexForm.withSimpleIndices(Exprs.substitute(expr, coordinates));
  }
}
