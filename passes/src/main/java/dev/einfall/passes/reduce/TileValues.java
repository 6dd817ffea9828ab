package dev.einfall.passes.reduce;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.algebra.Canonical;
import dev.einfall.passes.algebra.Polynomial;
import dev.einfall.passes.algebra.Written;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Terms of a chain as values of the element at hand: the reduced rank becomes the element's coordinate, reductions that only
/// the chain reads become tiles, and what several terms have in common is computed once a tile.
final class TileValues {
  private final Chain chain;
  private final Ancestry ancestry;
  private final Canonical canonical;
  private final Steps steps;
  private final Map<Tensor, Expr> tiles = new IdentityHashMap<>();
  private final Map<Polynomial, Expr> shared = new LinkedHashMap<>();

  TileValues(Chain chain, Ancestry ancestry, Canonical canonical, Steps steps) {
    this.chain = chain;
    this.ancestry = ancestry;
    this.canonical = canonical;
    this.steps = steps;
  }

  /// `value` at the element at hand.
  Expr of(Polynomial value, ElementType type) {
    return at(Written.of(value, type));
  }

  private Expr at(Expr expr) {
    Expr inside = expr instanceof Expr.Access access && tile(access).isPresent() ? tile(access).get() : expr.mapChildren(this::at);
    return inside instanceof Expr.Coordinate(Rank rank) && rank == chain.rank() ? steps.element() : inside;
  }

  /// `value`, of which the tile is kept if there is something to compute.
  Expr shared(Polynomial value, ElementType type, String name) {
    return shared.computeIfAbsent(canonical.normal(value), _ -> {
      Expr expr = of(value, type);
      boolean isAccess = Written.of(value, type) instanceof Expr.Access;
      return isAccess ? expr : kept(name, type, expr, expr);
    });
  }

  /// A tile of `value`, for the ranks that `ranks` reads.
  Expr kept(String name, ElementType type, Expr value, Expr ranksOf) {
    List<Rank> ranks = new ArrayList<>(steps.ranksOf(ranksOf));
    Set<Rank> free = Exprs.freeRanks(ranksOf);
    chain.inner().stream().filter(free::contains).forEach(ranks::add);
    ranks.addAll(steps.lane().stream().toList());
    Tensor tile = steps.temporary(name, type, ranks);
    steps.write(tile, ranks, value, steps.exists());
    return new Expr.Access(tile, Exprs.coordinates(ranks));
  }

  /// The element of a tile of a tensor that only the chain reads; a producer without a reduction has been inlined.
  private Optional<Expr> tile(Expr.Access access) {
    if (!chain.absorbed().contains(access.tensor()) || access.outside().isPresent() || !isBare(access)) {
      return Optional.empty();
    }
    if (!tiles.containsKey(access.tensor())) {
      Einsum einsum = ancestry.einsum(access.tensor()).orElseThrow();
      Expr value = at(Exprs.substitute(einsum.value(), Deferral.renamed(einsum.ranks(), access.indices())));
      tiles.put(access.tensor(), kept(einsum.tensor().name(), einsum.tensor().type(), value, access));
    }
    return Optional.of(tiles.get(access.tensor()));
  }

  /// Whether the indices are the chain's ranks, all those that every member has among them, so that nothing is computed twice.
  private boolean isBare(Expr.Access access) {
    List<Rank> ranks = new ArrayList<>();
    for (Expr index : access.indices()) {
      if (!(index instanceof Expr.Coordinate(Rank rank)) || ranks.contains(rank)
          || rank != chain.rank() && !chain.ranks().contains(rank) && !chain.inner().contains(rank)) {
        return false;
      }
      ranks.add(rank);
    }
    return ranks.contains(chain.rank()) && ranks.containsAll(chain.common());
  }

  /// The reduction of `term`, a value of the element at hand, over the tile and `inner`.
  Expr reduced(Reduction reduction, List<Rank> inner, Expr term) {
    Expr present = steps.exists().<Expr>map(exists -> new Expr.Select(exists, term, reduction.identity(term.type()))).orElse(term);
    List<Rank> ranks = new ArrayList<>(steps.lane().stream().toList());
    ranks.addAll(inner);
    return ranks.isEmpty() ? present : new Expr.Reduce(reduction, ranks, present);
  }
}
