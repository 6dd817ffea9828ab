package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.IndexBounds;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A copy of an operand while its ranks are found, in the order in which they lie in memory.
final class PanelCopy {
  private final List<Rank> ranks = new ArrayList<>();
  private final List<Expr> indices = new ArrayList<>();
  private final Map<Rank, Expr> values = new IdentityHashMap<>();

  /// Adds a rank as it is.
  void keep(Rank rank) {
    Rank copy = new Rank(rank.name(), rank.size());
    add(copy, new Expr.Coordinate(rank));
    put(rank, new Expr.Coordinate(copy));
  }

  /// Adds a rank of the copy, which is read at `index`.
  void add(Rank copy, Expr index) {
    ranks.add(copy);
    indices.add(index);
  }

  /// Says of which coordinates of the copy the one of `rank` is made.
  void put(Rank rank, Expr value) {
    values.put(rank, value);
  }

  /// Adds the Einsum that fills the copy and gives the access to it. An element that a condition guards, or that is in no whole panel, is 0.
  ///
  /// @param einsum what reads `access`
  /// @param isWhole whether no panel goes beyond the operand
  Expr define(Expr.Access access, Einsum einsum, boolean isWhole, List<Definition> before) {
    Tensor tensor = new Tensor(access.tensor().name() + "_panels", access.tensor().type(), ranks.stream().map(Rank::size).toList(), einsum.span());
    List<Expr> source = access.indices().stream().map(index -> Exprs.substitute(index, values)).toList();
    Optional<Expr> outside = isWhole && IndexBounds.isWithin(access) ? Optional.empty() : Optional.of(Expr.literal(access.tensor().type(), 0));
    before.add(new Einsum(tensor, List.copyOf(ranks), new Expr.Access(access.tensor(), source, outside), einsum.span()));
    return new Expr.Access(tensor, List.copyOf(indices));
  }
}
