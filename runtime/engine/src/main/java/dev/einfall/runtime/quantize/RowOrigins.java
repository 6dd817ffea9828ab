package dev.einfall.runtime.quantize;

import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Of what the rows of tensors are computed, where each row is the same function of rows of other tensors and of weights: `k` here of `n`, and that of `x`.
///
/// ```
/// n[p, d] = x[p, d] / sqrt(sum[d_1](x[p, d_1] * x[p, d_1])) * gamma[d]
/// k[h, p, e] = sum[d](n[p, d] * W[d, h, e])
/// ```
///
/// @param definitions those of Einsums by the tensor that they define, without calls, of which nothing is known
/// @param places that of the definition of each tensor
/// @param constants weights
record RowOrigins(Map<Tensor, Einsum> definitions, Map<Tensor, Integer> places, Set<Tensor> constants) {

  /// The rows of a tensor.
  ///
  /// @param dimension that counts them
  record Rows(Tensor tensor, int dimension) {}

  /// Where a row stands in the end, by its coordinate, as `position[] + i64(p)`: such a number may be computed with, too.
  record Place(Rank rank, Expr index) {

    boolean is(Expr expr, Rank row) {
      return index.equals(Additions.renamed(expr, Map.of(row, rank)));
    }
  }

  static RowOrigins of(Rewriting.Result program) {
    Map<Tensor, Einsum> definitions = new LinkedHashMap<>();
    Map<Tensor, Integer> places = new LinkedHashMap<>();
    for (Definition definition : program.cascade().definitions()) {
      definition.tensors().forEach(tensor -> places.put(tensor, places.size()));
      if (definition instanceof Einsum einsum && !program.shorthand().calls().containsKey(einsum.tensor())) {
        definitions.put(einsum.tensor(), einsum);
      }
    }
    return new RowOrigins(definitions, places, program.cascade().weights().stream().map(Cascade.Weight::tensor).collect(Collectors.toSet()));
  }

  /// Tensors whose rows are all that rows are computed of, beside weights and their place: the nearest first.
  List<Rows> all(Expr value, Rank row, Optional<Place> place) {
    List<Rows> all = new ArrayList<>();
    Optional<Set<Rows>> open = sources(value, row, place);
    while (open.isPresent() && !open.get().isEmpty()) {
      Set<Rows> rows = open.get();
      if (rows.size() == 1) {
        all.add(rows.iterator().next());
      }
      Rows last = rows.stream().max((left, right) -> Integer.compare(places.getOrDefault(left.tensor, -1), places.getOrDefault(right.tensor, -1))).orElseThrow();
      open = sources(last, place).map(more -> {
        Set<Rows> rest = new LinkedHashSet<>(rows);
        rest.remove(last);
        rest.addAll(more);
        return rest;
      });
    }
    return all;
  }

  private Optional<Set<Rows>> sources(Rows rows, Optional<Place> place) {
    return Optional.ofNullable(definitions.get(rows.tensor)).flatMap(einsum -> sources(einsum.value(), einsum.ranks().get(rows.dimension), place));
  }

  /// The rows that `value`, at one coordinate of `row`, is computed of, but for those that depend on their place alone; empty if of something else, too.
  Optional<Set<Rows>> sources(Expr value, Rank row, Optional<Place> place) {
    Set<Rows> found = new LinkedHashSet<>();
    return collect(value, row, place, found) ? Optional.of(found) : Optional.empty();
  }

  private boolean collect(Expr expr, Rank row, Optional<Place> place, Set<Rows> found) {
    if (place.isPresent() && place.get().is(expr, row)) {
      return true;
    }
    return switch (expr) {
      case Expr.Coordinate(Rank rank) -> rank != row;
      case Expr.Access access when dimension(access, row).isPresent() -> {
        Rows rows = new Rows(access.tensor(), dimension(access, row).get());
        if (!isPlaced(rows, place)) {
          found.add(rows);
        }
        yield rest(access, row).allMatch(index -> collect(index, row, place, found));
      }
      case Expr.Access access -> isConstant(access.tensor()) && access.children().allMatch(index -> collect(index, row, place, found));
      case Expr other -> other.children().allMatch(child -> collect(child, row, place, found));
    };
  }

  private Stream<Expr> rest(Expr.Access access, Rank row) {
    int dimension = dimension(access, row).orElseThrow();
    return IntStream.range(0, access.indices().size()).filter(i -> i != dimension).mapToObj(access.indices()::get);
  }

  /// Whether rows depend on their place alone.
  private boolean isPlaced(Rows rows, Optional<Place> place) {
    Einsum einsum = definitions.get(rows.tensor);
    return place.isPresent() && einsum != null && isPlaced(einsum.value(), einsum.ranks().get(rows.dimension), place);
  }

  private boolean isPlaced(Expr expr, Rank row, Optional<Place> place) {
    return place.orElseThrow().is(expr, row) || switch (expr) {
      case Expr.Coordinate(Rank rank) -> rank != row;
      case Expr.Access access when dimension(access, row).isPresent() ->
          isPlaced(new Rows(access.tensor(), dimension(access, row).get()), place) && rest(access, row).allMatch(index -> isPlaced(index, row, place));
      case Expr.Access access -> isConstant(access.tensor()) && access.children().allMatch(index -> isPlaced(index, row, place));
      case Expr other -> other.children().allMatch(child -> isPlaced(child, row, place));
    };
  }

  /// The dimension along which an access reads the element of its row: of a single row that is also one of one element.
  Optional<Integer> dimension(Expr.Access access, Rank row) {
    Optional<Integer> found = access.outside().isPresent() ? Optional.empty() : Caches.dimension(access, row);
    boolean isSingle = found.isEmpty() && row.size().equals(Size.of(1)) && access.outside().isEmpty() && !isConstant(access.tensor());
    return isSingle ? IntStream.range(0, access.indices().size()).boxed()
        .filter(i -> access.tensor().shape().get(i).equals(Size.of(1)) && access.indices().get(i).equals(Expr.index(0))).findFirst() : found;
  }

  private boolean isConstant(Tensor tensor) {
    return constants.contains(tensor) || definitions.containsKey(tensor) && definitions.get(tensor).value().nodes()
        .allMatch(node -> !(node instanceof Expr.Access access) || isConstant(access.tensor()));
  }

  /// The elements of a row, where the program says how many: those of a dimension without a number count as one.
  static long elements(Tensor tensor, int dimension) {
    return IntStream.range(0, tensor.shape().size()).filter(i -> i != dimension).mapToLong(i -> tensor.shape().get(i).constant().orElse(1L)).reduce(1, Math::multiplyExact);
  }
}
