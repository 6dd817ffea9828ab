package dev.einfall.passes.reduce;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.algebra.Atom;
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
  private final Map<List<Object>, Expr> shared = new LinkedHashMap<>();

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
    return switch (expr) {
      case Expr.Access access when tile(access).isPresent() -> tile(access).get();
      case Expr.Access access -> elsewhere(access, (Expr.Access) access.mapChildren(this::at));
      case Expr.Coordinate(Rank rank) when rank == chain.rank() -> steps.element();
      case Expr _ -> expr.mapChildren(this::at);
    };
  }

  /// An element of a tensor outside of the steps: 0 where the tile has more elements than the tensor.
  private Expr elsewhere(Expr.Access access, Expr.Access here) {
    boolean leaves = steps.exists().isPresent() && access.outside().isEmpty()
        && access.indices().stream().anyMatch(index -> Exprs.freeRanks(index).contains(chain.rank()));
    return leaves ? new Expr.Access(here.tensor(), here.indices(), Optional.of(Expr.literal(here.type(), 0))) : here;
  }

  /// `value`, of which the tile is kept if there is something to compute; elements that do not exist are what `extreme` takes no
  /// notice of.
  Expr exponent(Reduction extreme, Polynomial value, ElementType type, String name) {
    return shared.computeIfAbsent(List.of(extreme, canonical.normal(value)), _ -> {
      Expr expr = present(of(value, type), extreme.identity(type));
      return expr instanceof Expr.Access ? expr : kept(name, type, expr, expr);
    });
  }

  /// The tile of the exponential `value`, which is kept.
  ///
  /// @param vanishes whether it is 0 where elements do not exist, since their exponents are `-inf`
  Expr weight(Polynomial value, boolean vanishes, ElementType type, String name) {
    return shared.computeIfAbsent(List.of(canonical.normal(value)), _ -> {
      Expr expr = vanishes ? of(value, type) : present(of(value, type), Expr.literal(type, 0));
      return kept(name, type, expr, expr);
    });
  }

  /// `term` where the element exists, `otherwise` elsewhere.
  private Expr present(Expr term, Expr otherwise) {
    return steps.exists().isEmpty() ? term
        : term instanceof Expr.Access access && access.outside().filter(Expr.FloatLiteral.class::isInstance).isPresent()
            && ends(access, steps.element())
        ? new Expr.Access(access.tensor(), access.indices(), Optional.of(otherwise))
        : new Expr.Select(steps.exists().get(), term, otherwise);
  }

  /// A tile of `value`, for the ranks that `ranks` reads.
  Expr kept(String name, ElementType type, Expr value, Expr ranksOf) {
    List<Rank> ranks = new ArrayList<>(steps.ranksOf(ranksOf));
    Set<Rank> free = Exprs.freeRanks(ranksOf);
    chain.inner().stream().filter(free::contains).forEach(ranks::add);
    ranks.addAll(steps.lane().stream().toList());
    Tensor tile = steps.temporary(name, type, ranks);
    steps.write(tile, ranks, value);
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
    return whole(reduction, inner, present(term, reduction.identity(term.type())));
  }

  /// The reduction of `term`, which is the identity where an element does not exist.
  Expr whole(Reduction reduction, List<Rank> inner, Expr term) {
    List<Rank> ranks = new ArrayList<>(steps.lane().stream().toList());
    ranks.addAll(inner);
    return ranks.isEmpty() ? term : new Expr.Reduce(reduction, ranks, term);
  }

  /// Whether `value` is finite where elements do not exist: a polynomial of elements that are 0 there.
  boolean isFinite(Polynomial value) {
    return value.terms().keySet().stream().allMatch(term -> term.exponent().isZero() && term.powers().entrySet().stream().allMatch(factor ->
        factor.getValue().isNatural() && switch (factor.getKey()) {
          case Atom.Leaf _ -> true;
          case Atom.Base(Polynomial sum) -> isFinite(sum);
          case Atom.Whole(Expr _, Polynomial sum) -> isFinite(sum);
          case Atom.Apply _, Atom.Pair _, Atom.Extreme _, Atom.Choice _, Atom.Infinity _ -> false;
        }));
  }

  /// Whether `value` is 0 where elements do not exist.
  boolean vanishes(Polynomial value) {
    return isFinite(value) && value.terms().keySet().stream().allMatch(term -> term.atoms().anyMatch(atom ->
        atom instanceof Atom.Leaf(Expr.Access access) && !chain.absorbed().contains(access.tensor())
            && access.outside().isEmpty() && ends(access, new Expr.Coordinate(chain.rank()))));
  }

  /// Whether the tensor ends where the rank does, and `access` reads it there at the index `element`.
  private boolean ends(Expr.Access access, Expr element) {
    int dimension = access.indices().indexOf(element);
    return dimension >= 0 && access.tensor().shape().get(dimension).equals(chain.rank().size());
  }
}
