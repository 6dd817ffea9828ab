package dev.einfall.runtime.quantize;

import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/// Another order of the elements of a tensor along some of its dimensions, or of the points of some ranks: what is at place `i` now was at `sources[i]`.
///
/// @param along dimensions, in order, or ranks
/// @param sources places by rows over these
record ElementOrder<T>(List<T> along, int[] sources) {

  boolean isTheSame() {
    for (int i = 0; i < sources.length; i++) {
      if (sources[i] != i) {
        return false;
      }
    }
    return true;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ElementOrder<?> that && along.equals(that.along) && Arrays.equals(sources, that.sources);
  }

  @Override
  public int hashCode() {
    return 31 * along.hashCode() + Arrays.hashCode(sources);
  }

  /// The dimensions that `access` goes through by some of `ranks`.
  private static List<Integer> dimensions(Expr.Access access, List<Rank> ranks) {
    List<Integer> dimensions = new ArrayList<>();
    for (int i = 0; i < access.indices().size(); i++) {
      if (access.indices().get(i).nodes().anyMatch(node -> node instanceof Expr.Coordinate(Rank rank) && ranks.contains(rank))) {
        dimensions.add(i);
      }
    }
    return dimensions;
  }

  private static boolean isKnown(Tensor tensor, List<Integer> dimensions) {
    return dimensions.stream().allMatch(dimension -> tensor.shape().get(dimension).constant().isPresent());
  }

  private static int count(Tensor tensor, List<Integer> dimensions) {
    return dimensions.stream().mapToInt(dimension -> tensor.shape().get(dimension).value()).reduce(1, Math::multiplyExact);
  }

  /// The order of the tensor by which `access` reads, at each point, what it read at that point's source; empty if there is none. Elements that nobody reads stay.
  static Optional<ElementOrder<Integer>> ofTensor(Expr.Access access, ElementOrder<Rank> points) {
    List<Integer> dimensions = dimensions(access, points.along);
    Optional<int[]> places = isKnown(access.tensor(), dimensions) && access.outside().isEmpty() ? places(access, dimensions, points.along) : Optional.empty();
    return places.flatMap(found -> {
      int[] sources = new int[count(access.tensor(), dimensions)];
      Arrays.fill(sources, -1);
      for (int i = 0; i < found.length; i++) {
        int source = found[points.sources[i]];
        if (sources[found[i]] >= 0 && sources[found[i]] != source) {
          return Optional.empty();
        }
        sources[found[i]] = source;
      }
      Arrays.setAll(sources, i -> sources[i] < 0 ? i : sources[i]);
      return Optional.of(new ElementOrder<>(dimensions, sources));
    });
  }

  /// The order of the points at which `access` reads, by which it reads from a tensor in another order what it read before; empty if there is none.
  static Optional<ElementOrder<Rank>> ofPoints(Expr.Access access, ElementOrder<Integer> tensor) {
    Set<Rank> ranks = new LinkedHashSet<>();
    for (int dimension : tensor.along) {
      access.indices().get(dimension).nodes().forEach(node -> {
        if (node instanceof Expr.Coordinate(Rank rank)) {
          ranks.add(rank);
        }
      });
    }
    List<Rank> along = List.copyOf(ranks);
    boolean isOpen = along.stream().allMatch(rank -> rank.size().constant().isPresent()) && access.outside().isEmpty() && dimensions(access, along).equals(tensor.along);
    return isOpen ? places(access, tensor.along, along).flatMap(places -> points(places, tensor, along)) : Optional.empty();
  }

  private static Optional<ElementOrder<Rank>> points(int[] places, ElementOrder<Integer> tensor, List<Rank> along) {
    int[] readers = new int[tensor.sources.length];
    Arrays.fill(readers, -1);
    for (int i = 0; i < places.length; i++) {
      if (readers[places[i]] >= 0) {
        return Optional.empty();
      }
      readers[places[i]] = i;
    }
    int[] sources = new int[places.length];
    for (int i = 0; i < places.length; i++) {
      sources[i] = readers[tensor.sources[places[i]]];
      if (sources[i] < 0) {
        return Optional.empty();
      }
    }
    return Optional.of(new ElementOrder<>(along, sources));
  }

  /// Where `access` reads at each point of `ranks`, by rows over `dimensions`; empty where that depends on more, or is outside.
  private static Optional<int[]> places(Expr.Access access, List<Integer> dimensions, List<Rank> ranks) {
    int[] places = new int[ranks.stream().mapToInt(rank -> rank.size().value()).reduce(1, Math::multiplyExact)];
    int[] point = new int[ranks.size()];
    for (int i = 0; i < places.length; i++) {
      for (int dimension : dimensions) {
        OptionalLong index = ColumnFactors.number(access.indices().get(dimension), ranks, point);
        int size = access.tensor().shape().get(dimension).value();
        if (index.isEmpty() || index.getAsLong() < 0 || index.getAsLong() >= size) {
          return Optional.empty();
        }
        places[i] = places[i] * size + (int) index.getAsLong();
      }
      ColumnFactors.advance(point, ranks);
    }
    return Optional.of(places);
  }
}
