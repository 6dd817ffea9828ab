package dev.einfall.passes.recurrence;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.SharedReductions;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The states and updates of a recurrence that is being written. Ranks may be used in several updates: each gets copies.
record Block(Recurrence like, List<Recurrence.State> states, List<Recurrence.Update> updates) {

  Block(Recurrence like) {
    this(like, new ArrayList<>(), new ArrayList<>());
  }

  /// A new tensor over `ranks` that starts as zeros.
  Tensor tensor(String name, ElementType type, List<Rank> ranks) {
    Tensor tensor = new Tensor(name, type, ranks.stream().map(Rank::size).toList(), like.span());
    states.add(Recurrences.zeros(tensor));
    return tensor;
  }

  /// A new tensor over `ranks` that is `value`, where `where` holds; gives its element at the coordinates of `ranks`.
  Expr named(String name, List<Rank> ranks, Expr value, Optional<Expr> where) {
    Tensor tensor = tensor(name, value.type(), ranks);
    update(tensor, ranks, Exprs.coordinates(ranks), value, where);
    return new Expr.Access(tensor, Exprs.coordinates(ranks));
  }

  /// Adds an update with ranks of its own in place of `ranks` and those of reductions.
  void update(Tensor tensor, List<Rank> ranks, List<Expr> indices, Expr value, Optional<Expr> where) {
    Map<Rank, Expr> fresh = new IdentityHashMap<>();
    List<Rank> own = new ArrayList<>();
    for (Rank rank : ranks) {
      Rank copy = new Rank(rank.name(), rank.size());
      own.add(copy);
      fresh.put(rank, new Expr.Coordinate(copy));
    }
    updates.add(new Recurrence.Update(tensor, own, indices.stream().map(index -> Exprs.substitute(index, fresh)).toList(),
        Optional.empty(), SharedReductions.of(Exprs.freshRanks(Exprs.substitute(value, fresh))),
        where.map(condition -> Exprs.substitute(condition, fresh)), like.span()));
  }

  /// The product of `factors` at a point of `ranks`: those that do not depend on the last of the ranks are multiplied once, in a tensor of
  /// their own, if that is smaller.
  Expr product(String name, List<Expr> factors, List<Rank> ranks, ElementType type, Optional<Expr> where) {
    List<Expr> early = factors.stream().filter(factor -> !dependsOn(factor, List.of(ranks.getLast()))).toList();
    List<Expr> late = factors.stream().filter(factor -> dependsOn(factor, List.of(ranks.getLast()))).toList();
    if (early.size() < 2 || late.isEmpty()) {
      return Terms.product(factors, type);
    }
    Expr product = Terms.product(early, type);
    List<Rank> own = ranks.stream().filter(rank -> dependsOn(product, List.of(rank))).toList();
    return own.size() < 2 ? Terms.times(product, Terms.product(late, type))
        : Terms.times(named(name, own, product, where), Terms.product(late, type));
  }

  static boolean dependsOn(Expr expr, List<Rank> ranks) {
    Set<Rank> free = Exprs.freeRanks(expr);
    return ranks.stream().anyMatch(free::contains);
  }

  /// `ranks` and `more`.
  static List<Rank> with(List<Rank> ranks, Rank... more) {
    List<Rank> all = new ArrayList<>(ranks);
    all.addAll(List.of(more));
    return all;
  }
}
