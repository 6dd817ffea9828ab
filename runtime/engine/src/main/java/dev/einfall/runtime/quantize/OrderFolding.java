package dev.einfall.runtime.quantize;

import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// Finds the order of weights by which the channels of a tensor are in another order, while all that the program gives stays what it is.
///
/// ```
/// H[m, k] = gelu(sum[d](X[m, d] * W[k, d]) + bias[k])      H[m, k] = gelu(sum[d](X[m, d] * W'[k, d]) + bias'[k])
/// H_ordered[m, k] = H[m, order[k]]                    =>   Y[m, n] = sum[k](H[m, k] * V'[n, k])
/// Y[m, n] = sum[k](H_ordered[m, k] * V'[n, k])
/// ```
///
/// Where a tensor is in another order, so are the points of what defines it and of all that reads it: with them all else that these read along the same ranks, and
/// what they define. Points that a reduction adds up may be in any order. So the order goes through functions of any kind, norms, residual paths, views and sums
/// over other ranks, until it ends in weights; a product that reads the tensor for itself has its weights in that order, too. No input and no output may be reached.
final class OrderFolding {
  private final Map<Tensor, Definition> definitions = new LinkedHashMap<>();
  private final Map<Tensor, List<Definition>> readers = new LinkedHashMap<>();
  private final Set<Tensor> weights;
  private final Set<Tensor> outputs;
  private final Map<Tensor, String> keys;

  private record Place(Tensor tensor, ElementOrder<Integer> order) {}

  /// What is in another order so far.
  private final class Search {
    private final Map<Tensor, List<ElementOrder<Integer>>> tensors = new LinkedHashMap<>();
    private final Map<Definition, List<ElementOrder<Rank>>> points = new LinkedHashMap<>();
    private final Deque<Place> open = new ArrayDeque<>();

    /// Whether `tensor` may be in this order, and was in no other along these dimensions.
    private boolean add(Tensor tensor, ElementOrder<Integer> order) {
      List<ElementOrder<Integer>> known = tensors.computeIfAbsent(tensor, _ -> new ArrayList<>());
      if (known.contains(order) || order.isTheSame()) {
        return true;
      }
      boolean isFree = isApart(order, known);
      known.add(order);
      open.add(new Place(tensor, order));
      return isFree && isOpen(tensor);
    }

    private static <T> boolean isApart(ElementOrder<T> order, List<ElementOrder<T>> known) {
      return known.stream().noneMatch(found -> found.along().stream().anyMatch(order.along()::contains));
    }

    private boolean isOpen(Tensor tensor) {
      return weights.contains(tensor) || definitions.get(tensor) instanceof Einsum && !outputs.contains(tensor);
    }

    private boolean isConsistent() {
      while (!open.isEmpty()) {
        Place place = open.remove();
        Tensor tensor = place.tensor;
        ElementOrder<Integer> order = place.order;
        if (definitions.get(tensor) instanceof Einsum einsum && !add(einsum, new ElementOrder<>(order.along().stream().map(einsum.ranks()::get).toList(), order.sources()))
            || !readers.getOrDefault(tensor, List.of()).stream().allMatch(reader -> reads(reader, tensor, order))) {
          return false;
        }
      }
      return tensors.keySet().stream().filter(weights::contains).allMatch(weight -> weights.stream().allMatch(other -> !keys.get(other).equals(keys.get(weight))
          || Set.copyOf(tensors.get(weight)).equals(Set.copyOf(tensors.getOrDefault(other, List.of())))));
    }

    private boolean reads(Definition reader, Tensor tensor, ElementOrder<Integer> order) {
      return reader instanceof Einsum einsum && einsum.value().nodes().distinct().allMatch(node -> !(node instanceof Expr.Access access) || access.tensor() != tensor
          || reads(einsum, access, order));
    }

    private boolean reads(Einsum einsum, Expr.Access access, ElementOrder<Integer> order) {
      List<ElementOrder<Rank>> known = points.getOrDefault(einsum, List.of()).stream()
          .filter(found -> order.along().stream().flatMap(dimension -> access.indices().get(dimension).nodes())
              .anyMatch(node -> node instanceof Expr.Coordinate(Rank rank) && found.along().contains(rank))).toList();
      return known.isEmpty() ? ElementOrder.ofPoints(access, order).filter(found -> add(einsum, found)).isPresent()
          : known.size() == 1 && ElementOrder.ofTensor(access, known.getFirst()).filter(order::equals).isPresent();
    }

    /// Whether the points of an Einsum may be in this order.
    private boolean add(Einsum einsum, ElementOrder<Rank> order) {
      List<ElementOrder<Rank>> known = points.computeIfAbsent(einsum, _ -> new ArrayList<>());
      if (known.contains(order) || order.isTheSame()) {
        return true;
      }
      boolean isFree = isApart(order, known);
      known.add(order);
      return isFree && holds(einsum.value(), order) && all(new Expr.Access(einsum.tensor(), Additions.coordinates(einsum.ranks())), order);
    }

    /// Whether the value at a point becomes what it was at the point's source.
    private boolean holds(Expr value, ElementOrder<Rank> order) {
      return switch (value) {
        case Expr.Coordinate(Rank rank) -> !order.along().contains(rank);
        case Expr.Access access -> all(access, order);
        case Expr.Reduce reduce when reduce.ranks().stream().anyMatch(order.along()::contains) -> !reduce.reduction().isPosition() && holds(reduce.body(), order);
        case Expr.Fold fold -> fold.ranks().stream().noneMatch(order.along()::contains) && fold.children().allMatch(child -> holds(child, order));
        case Expr other -> other.children().allMatch(child -> holds(child, order));
      };
    }

    private boolean all(Expr.Access access, ElementOrder<Rank> order) {
      boolean isApart = access.nodes().noneMatch(node -> node instanceof Expr.Coordinate(Rank rank) && order.along().contains(rank));
      return isApart || ElementOrder.ofTensor(access, order).filter(found -> add(access.tensor(), found)).isPresent();
    }
  }

  OrderFolding(Cascade cascade) {
    keys = cascade.weights().stream().collect(Collectors.toMap(Cascade.Weight::tensor, Cascade.Weight::key));
    weights = keys.keySet();
    outputs = cascade.outputs().stream().map(Cascade.Output::tensor).collect(Collectors.toSet());
    for (Definition definition : cascade.definitions()) {
      definition.tensors().forEach(tensor -> definitions.put(tensor, definition));
      definition.exprs().flatMap(Expr::nodes).filter(Expr.Access.class::isInstance).map(node -> ((Expr.Access) node).tensor()).distinct()
          .forEach(tensor -> readers.computeIfAbsent(tensor, _ -> new ArrayList<>()).add(definition));
      if (definition instanceof Recurrence recurrence) {
        recurrence.states().forEach(state -> state.base().ifPresent(base -> readers.computeIfAbsent(base, _ -> new ArrayList<>()).add(definition)));
      }
    }
  }

  /// What is in which order when the last dimension of `tensor` is in this one: weights, and what is computed of them.
  Optional<Map<Tensor, List<ElementOrder<Integer>>>> of(Tensor tensor, int[] order) {
    Search search = new Search();
    boolean isFound = search.add(tensor, new ElementOrder<>(List.of(tensor.shape().size() - 1), order)) && search.isConsistent();
    search.tensors.values().removeIf(List::isEmpty);
    return isFound ? Optional.of(search.tensors) : Optional.empty();
  }
}
