package dev.einfall.passes.recurrence;

import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What one slice of a state holds before the first step, found behind the updates that change elements of its base.
///
/// ```
/// H0[i in 0..9, d in 0..4] = 0.0
/// update H1 from H0 {
///   H1[0, d] = h[d]                   slice 0 of H1: h[d]
/// }                                   slice 1 of H1: 0.0
/// ```
///
/// @param before the definitions to look into
record StartSlice(List<Definition> before) {

  StartSlice(Cascade cascade) {
    this(cascade.definitions());
  }

  /// What the elements of a slice start as, and an Einsum that computes them if that is needed.
  record Result(Recurrence.Start start, Optional<Einsum> einsum) {}

  /// The start of a tensor `like`, with `ranks`, that is slice `index` along `dimension` of a state that starts as `start`.
  Result of(Recurrence.Start start, int dimension, long index, Tensor like, List<Rank> ranks) {
    return switch (start) {
      case Recurrence.Start.Fill fill -> new Result(fill, Optional.empty());
      case Recurrence.Start.Copy(Tensor base) -> {
        Expr value = element(base, Recurrences.with(Expr.index(index), dimension, Exprs.coordinates(ranks)));
        yield named(value, ranks, like);
      }
    };
  }

  private static Result named(Expr value, List<Rank> ranks, Tensor like) {
    if (Recurrences.isLiteral(value)) {
      return new Result(new Recurrence.Start.Fill(value), Optional.empty());
    }
    if (value instanceof Expr.Access(Tensor tensor, List<Expr> indices, Optional<Expr> outside) && outside.isEmpty()
        && indices.equals(Exprs.coordinates(ranks)) && tensor.shape().equals(like.shape())) {
      return new Result(new Recurrence.Start.Copy(tensor), Optional.empty());
    }
    Tensor tensor = new Tensor(like.name() + "_start", like.type(), like.shape(), like.span());
    return new Result(new Recurrence.Start.Copy(tensor), Optional.of(new Einsum(tensor, ranks, value, like.span())));
  }

  /// The element of `tensor` at `indices`, each a number or a coordinate.
  private Expr element(Tensor tensor, List<Expr> indices) {
    for (Definition definition : before) {
      if (definition.tensors().contains(tensor)) {
        return switch (definition) {
          case Einsum einsum when !Exprs.hasReduction(einsum.value()) -> substituted(einsum.value(), einsum.ranks(), indices);
          case Recurrence recurrence when recurrence.steps().isEmpty() ->
              element(recurrence, tensor, indices).orElseGet(() -> new Expr.Access(tensor, indices));
          case Einsum _, Recurrence _ -> new Expr.Access(tensor, indices);
        };
      }
    }
    return new Expr.Access(tensor, indices);
  }

  /// The element after the updates of `changes`; none if it cannot be told which of them wrote it.
  private Optional<Expr> element(Recurrence changes, Tensor tensor, List<Expr> indices) {
    for (Recurrence.Update update : changes.updates().reversed()) {
      if (update.tensor() == tensor && !isElsewhere(update, indices)) {
        return Optional.of(update).filter(writer -> isEverywhere(writer, indices, tensor))
            .filter(writer -> changes.tensors().stream().noneMatch(state -> Exprs.reads(writer.value(), state)))
            .filter(writer -> !Exprs.hasReduction(writer.value()))
            .map(writer -> written(writer, indices));
      }
    }
    Recurrence.State state = changes.states().stream().filter(candidate -> candidate.tensor() == tensor).findFirst().orElseThrow();
    return Optional.of(switch (state.start()) {
      case Recurrence.Start.Fill(Expr value) -> value;
      case Recurrence.Start.Copy(Tensor base) -> element(base, indices);
    });
  }

  private static boolean isElsewhere(Recurrence.Update update, List<Expr> indices) {
    for (int i = 0; i < indices.size(); i++) {
      if (update.indices().get(i) instanceof Expr.IntLiteral place && indices.get(i) instanceof Expr.IntLiteral index
          && place.value() != index.value()) {
        return true;
      }
    }
    return false;
  }

  /// Whether `update` writes all the elements at `indices`.
  private static boolean isEverywhere(Recurrence.Update update, List<Expr> indices, Tensor tensor) {
    List<Expr> coordinates = update.indices().stream().filter(Expr.Coordinate.class::isInstance).distinct().toList();
    boolean whole = update.combination().isEmpty() && update.where().isEmpty() && update.ranks().size() == coordinates.size()
        && update.indices().stream().filter(Expr.Coordinate.class::isInstance).count() == coordinates.size();
    for (int i = 0; whole && i < indices.size(); i++) {
      whole = switch (update.indices().get(i)) {
        case Expr.Coordinate(Rank rank) -> rank.size().equals(tensor.shape().get(i));
        case Expr.IntLiteral literal -> literal.equals(indices.get(i));
        case Expr _ -> false;
      };
    }
    return whole;
  }

  private static Expr written(Recurrence.Update update, List<Expr> indices) {
    Map<Rank, Expr> values = new IdentityHashMap<>();
    for (int i = 0; i < indices.size(); i++) {
      if (update.indices().get(i) instanceof Expr.Coordinate(Rank rank)) {
        values.put(rank, indices.get(i));
      }
    }
    return Exprs.substitute(update.value(), values);
  }

  private static Expr substituted(Expr value, List<Rank> ranks, List<Expr> indices) {
    Map<Rank, Expr> values = new IdentityHashMap<>();
    for (int i = 0; i < ranks.size(); i++) {
      values.put(ranks.get(i), indices.get(i));
    }
    return Exprs.substitute(value, values);
  }
}
