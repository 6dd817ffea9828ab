package dev.einfall.runtime.quantize;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Which rows of a cache become which, whatever their elements are: equal for caches that change alike.
sealed interface CacheChange {

  /// Rows that come are written over others.
  ///
  /// @param base the number of the version that it is done to
  /// @param row of those that come
  /// @param index where it is written
  /// @param where whether it is
  record Written(int base, Rank row, Expr index, Optional<Expr> where) implements CacheChange {}

  /// Each row is one of some version or one that comes.
  ///
  /// @param row of those that are chosen
  /// @param choice among elements of `f32` of [Names]
  record Chosen(Rank row, Expr choice) implements CacheChange {}

  /// What stands for rows and tensors in changes, the same in equal ones.
  ///
  /// @param tensors by the number of a version, or -1 for what comes, and the count of rows
  record Names(Map<Size, Rank> ranks, Map<List<Object>, Tensor> tensors) {

    Names() {
      this(new LinkedHashMap<>(), new LinkedHashMap<>());
    }

    Rank rank(Size size) {
      return ranks.computeIfAbsent(size, _ -> new Rank("n", size));
    }

    private Tensor tensor(int version, Size rows) {
      return tensors.computeIfAbsent(List.of(version, rows), _ -> new Tensor("rows", ElementType.F32, List.of(rows), Span.NONE));
    }
  }

  /// The change that `definition` is, if it is the same for all elements of a row.
  ///
  /// @param dimension that counts rows
  static Optional<CacheChange> of(Definition definition, int dimension, List<Tensor> versions, Names names) {
    return switch (definition) {
      case Recurrence recurrence -> written(recurrence, dimension, versions, names);
      case Einsum einsum -> {
        Rank own = einsum.ranks().get(dimension);
        Rank row = names.rank(own.size());
        boolean isOfRows = einsum.ranks().stream().allMatch(rank -> rank == own || isOfRows(einsum.value(), rank, dimension));
        yield isOfRows ? Optional.of(new Chosen(row, Additions.renamed(choice(einsum.value(), dimension, versions, names), Map.of(own, row)))) : Optional.empty();
      }
    };
  }

  private static Optional<CacheChange> written(Recurrence recurrence, int dimension, List<Tensor> versions, Names names) {
    Recurrence.Update update = recurrence.updates().getFirst();
    Optional<Rank> own = row(update, dimension);
    boolean isOfRows = recurrence.updates().size() == 1 && own.isPresent() && update.ranks().stream().noneMatch(rank -> rank != own.get()
        && (reads(update.indices().get(dimension), rank) || update.where().stream().anyMatch(where -> reads(where, rank))));
    return isOfRows ? own.map(rank -> {
      Rank row = names.rank(rank.size());
      return new Written(versions.indexOf(recurrence.states().getFirst().base().orElseThrow()), row, Additions.renamed(update.indices().get(dimension), Map.of(rank, row)),
          update.where().map(where -> Additions.renamed(where, Map.of(rank, row))));
    }) : Optional.empty();
  }

  /// The rank of the rows that an update writes: all others are those of the elements of a row.
  static Optional<Rank> row(Recurrence.Update update, int dimension) {
    List<Expr> elements = new ArrayList<>(update.indices());
    elements.remove(dimension);
    List<Rank> rows = update.ranks().stream().filter(rank -> !elements.contains(new Expr.Coordinate(rank))).toList();
    return rows.size() == 1 ? Optional.of(rows.getFirst()) : Optional.empty();
  }

  private static boolean reads(Expr expr, Rank rank) {
    return expr.nodes().anyMatch(new Expr.Coordinate(rank)::equals);
  }

  /// Whether a choice does not depend on a rank of the elements of a row.
  private static boolean isOfRows(Expr value, Rank element, int dimension) {
    return switch (value) {
      case Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) ->
          !reads(condition, element) && isOfRows(whenTrue, element, dimension) && isOfRows(whenFalse, element, dimension);
      case Expr.Access access -> !reads(access.indices().get(dimension), element);
      case Expr _ -> false;
    };
  }

  private static Expr choice(Expr value, int dimension, List<Tensor> versions, Names names) {
    return switch (value) {
      case Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) ->
          new Expr.Select(condition, choice(whenTrue, dimension, versions, names), choice(whenFalse, dimension, versions, names));
      case Expr.Access access -> new Expr.Access(names.tensor(versions.indexOf(access.tensor()), access.tensor().shape().get(dimension)),
          List.of(access.indices().get(dimension)));
      case Expr _ -> throw new IllegalStateException("a choice of " + value);
    };
  }

  /// The same of the rows of a tensor.
  ///
  /// @param origin whose rows come
  /// @param versions those of the cache of these
  /// @param result the one that is defined
  default Definition of(RowOrigins.Rows origin, List<Tensor> versions, Tensor result, Names names) {
    List<Rank> ranks = new ArrayList<>(Additions.ranks(result));
    return switch (this) {
      case Written(int base, Rank row, Expr index, Optional<Expr> where) -> {
        ranks.set(origin.dimension(), row);
        Expr value = new Expr.Access(origin.tensor(), Additions.coordinates(ranks));
        Recurrence.Update update = new Recurrence.Update(result, ranks, at(ranks, origin.dimension(), index), Optional.empty(), value, where, Span.NONE);
        yield new Recurrence(List.of(), List.of(new Recurrence.State(result, versions.get(base))), List.of(update), Optional.empty(), Span.NONE);
      }
      case Chosen(Rank row, Expr choice) -> {
        ranks.set(origin.dimension(), row);
        yield new Einsum(result, ranks, chosen(choice, ranks, origin, versions, names), Span.NONE);
      }
    };
  }

  private static List<Expr> at(List<Rank> ranks, int dimension, Expr index) {
    List<Expr> indices = new ArrayList<>(Additions.coordinates(ranks));
    indices.set(dimension, index);
    return indices;
  }

  private static Expr chosen(Expr choice, List<Rank> ranks, RowOrigins.Rows origin, List<Tensor> versions, Names names) {
    return switch (choice) {
      case Expr.Access access when names.tensors.containsValue(access.tensor()) -> {
        int version = names.tensors.entrySet().stream().filter(entry -> entry.getValue() == access.tensor()).map(entry -> (int) entry.getKey().getFirst()).findFirst().orElseThrow();
        yield new Expr.Access(version < 0 ? origin.tensor() : versions.get(version), at(ranks, origin.dimension(), access.indices().getFirst()));
      }
      case Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) ->
          new Expr.Select(condition, chosen(whenTrue, ranks, origin, versions, names), chosen(whenFalse, ranks, origin, versions, names));
      case Expr _ -> throw new IllegalStateException("a choice of " + choice);
    };
  }
}
