package dev.einfall.runtime.quantize;

import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// A cache to which rows come at one place in the program.
///
/// @param dimension that counts rows
/// @param versions the input, and what is made of it, in order
/// @param ranks of the rows that come, in the order of the dimensions
/// @param value of an element of these
/// @param place where they stand, if that can be computed with
/// @param changes how each version but the first is made of those before
record CachedRows(Tensor input, int dimension, List<Tensor> versions, List<Rank> ranks, Expr value, Optional<RowOrigins.Place> place,
    List<CacheChange> changes) {

  /// The rank of the rows that come.
  Rank row() {
    return ranks.get(dimension);
  }

  /// Whether rows come to both at the same places.
  boolean comesWith(CachedRows other) {
    return changes.equals(other.changes) && row().size().equals(other.row().size())
        && input.shape().get(dimension).equals(other.input.shape().get(other.dimension));
  }

  static List<Size> with(List<Size> shape, int dimension, Size size) {
    List<Size> changed = new ArrayList<>(shape);
    changed.set(dimension, size);
    return changed;
  }

  /// @param reasons why a cache is none of these, to which one is added
  static Optional<CachedRows> of(Tensor input, Caches caches, Cascade cascade, CacheChange.Names names, List<String> reasons) {
    Set<Tensor> versions = new LinkedHashSet<>(List.of(input));
    List<Definition> changes = new ArrayList<>();
    for (Definition definition : cascade.definitions()) {
      boolean isChange = caches.rows().containsKey(definition.tensors().getFirst()) && bases(definition).stream().anyMatch(versions::contains);
      if (isChange) {
        versions.add(definition.tensors().getFirst());
        changes.add(definition);
      } else if (definition.exprs().flatMap(Expr::nodes).anyMatch(node -> node instanceof Expr.Access access && access.tensor() == input)) {
        reasons.add("what stood in '" + input.name() + "' before is read, too");
        return Optional.empty();
      }
    }
    Optional<Integer> dimension = dimension(changes, versions, input.shape().size());
    Optional<CachedRows> found = dimension.flatMap(rows -> arrival(input, rows, List.copyOf(versions), changes, names));
    if (found.isEmpty()) {
      reasons.add("rows do not come to '" + input.name() + "' in one place, along one dimension");
    }
    return found;
  }

  private static Set<Tensor> bases(Definition definition) {
    return switch (definition) {
      case Recurrence recurrence -> recurrence.states().stream().flatMap(state -> state.base().stream()).collect(Collectors.toSet());
      case Einsum einsum -> Caches.leaves(einsum.value()).stream().map(Expr.Access::tensor).collect(Collectors.toSet());
    };
  }

  /// The one along which something is read or written elsewhere than where it stands.
  private static Optional<Integer> dimension(List<Definition> changes, Set<Tensor> versions, int count) {
    Set<Integer> found = new LinkedHashSet<>();
    for (Definition definition : changes) {
      switch (definition) {
        case Recurrence recurrence -> recurrence.updates().forEach(update ->
            IntStream.range(0, count).filter(i -> !isWhole(update.indices().get(i), update.tensor().shape().get(i))).forEach(found::add));
        case Einsum einsum -> Caches.leaves(einsum.value()).forEach(leaf ->
            IntStream.range(0, count).filter(i -> i >= leaf.indices().size() || !leaf.indices().get(i).equals(new Expr.Coordinate(einsum.ranks().get(i)))).forEach(found::add));
      }
    }
    return found.size() == 1 ? Optional.of(found.iterator().next()) : Optional.empty();
  }

  private static boolean isWhole(Expr index, Size size) {
    return index instanceof Expr.Coordinate(Rank rank) && rank.size().equals(size);
  }

  private static Optional<CachedRows> arrival(Tensor input, int dimension, List<Tensor> versions, List<Definition> definitions, CacheChange.Names names) {
    List<CacheChange> changes = definitions.stream().flatMap(definition -> CacheChange.of(definition, dimension, versions, names).stream()).toList();
    List<CachedRows> arrivals = new ArrayList<>();
    for (Definition definition : definitions) {
      switch (definition) {
        case Recurrence recurrence -> recurrence.updates().forEach(update -> CacheChange.row(update, dimension).ifPresent(row -> {
          Optional<RowOrigins.Place> place = Optional.of(new RowOrigins.Place(row, update.indices().get(dimension)));
          List<Rank> ranks = update.indices().stream().map(index -> index instanceof Expr.Coordinate(Rank rank) ? rank : row).toList();
          arrivals.add(new CachedRows(input, dimension, versions, ranks, update.value(), place, changes));
        }));
        case Einsum einsum -> Caches.leaves(einsum.value()).stream().filter(leaf -> !versions.contains(leaf.tensor())).forEach(leaf -> {
          List<Rank> ranks = new ArrayList<>(einsum.ranks());
          ranks.set(dimension, new Rank("p", leaf.tensor().shape().get(dimension)));
          arrivals.add(new CachedRows(input, dimension, versions, ranks, new Expr.Access(leaf.tensor(), Additions.coordinates(ranks)), Optional.empty(), changes));
        });
      }
    }
    return arrivals.size() == 1 && changes.size() == definitions.size() ? Optional.of(arrivals.getFirst()) : Optional.empty();
  }
}
