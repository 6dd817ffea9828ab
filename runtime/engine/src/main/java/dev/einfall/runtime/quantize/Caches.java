package dev.einfall.runtime.quantize;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// The caches of a program: inputs of floats of which it replaces rows, or which it makes longer by some, as `K` here. Rows are whole along one dimension, that of their
/// elements: the last one, of several.
///
/// ```
/// update K_1 from K {
///   K_1[h, position[] + p, d] = k[h, p, d]                  K_1[h, n, d] = where(n < N, K[h, n, d], k[h, n - N, d])
/// }
/// ```
///
/// @param rows the dimension of the elements of a row, for each input that is a cache, and for all that is made of it on the way to an output or to where the
///     program reads it
record Caches(Map<Tensor, Integer> rows) {

  static Caches none() {
    return new Caches(Map.of());
  }

  /// @param isKept whether the input of this name stays as it is
  /// @throws CompileException when an input whose elements are replaced has no whole rows, or there is no cache
  static Caches of(Cascade cascade, String file, Predicate<String> isKept) {
    Map<Tensor, Integer> all = new LinkedHashMap<>();
    for (Tensor input : cascade.inputs()) {
      if (input.type().isFloat() && !isKept.test(input.name())) {
        Optional<Map<Tensor, Integer>> found = IntStream.range(0, input.shape().size()).map(i -> input.shape().size() - 1 - i)
            .mapToObj(dimension -> new Trace(cascade).of(input, dimension)).flatMap(Optional::stream).findFirst();
        found.ifPresent(all::putAll);
        requireRows(cascade, input, found.isPresent());
      }
    }
    if (all.isEmpty()) {
      throw CompileException.of("there is no cache in " + file + ": no input of floats of which it replaces whole rows, or which it makes longer by some");
    }
    return new Caches(all);
  }

  private static void requireRows(Cascade cascade, Tensor input, boolean isCache) {
    cascade.definitions().forEach(definition -> {
      boolean isChanged = definition instanceof Recurrence recurrence && recurrence.steps().isEmpty()
          && recurrence.states().stream().anyMatch(state -> state.base().filter(base -> base == input).isPresent());
      if (isChanged && !isCache) {
        throw new CompileException(Diagnostic.error(definition.span(), "the cache '" + input.name()
            + "' cannot be in a format: what is written here is not whole rows along one of its dimensions, or depends on what stands there. To leave it as it is: --keep '" + input.name() + "'"));
      }
    });
  }

  /// What is made of one input, whose rows have their elements along one dimension.
  private record Trace(Cascade cascade, Map<Tensor, Integer> rows, Set<Tensor> longer) {

    Trace(Cascade cascade) {
      this(cascade, new LinkedHashMap<>(), new LinkedHashSet<>());
    }

    /// All that has such rows, if the program adds some.
    Optional<Map<Tensor, Integer>> of(Tensor input, int dimension) {
      rows.put(input, dimension);
      for (Definition definition : cascade.definitions()) {
        Tensor result = definition.tensors().getFirst();
        switch (definition) {
          case Recurrence recurrence when isAppended(recurrence, rows) -> {
            rows.put(result, rows.get(recurrence.states().getFirst().base().orElseThrow()));
            longer.add(result);
          }
          case Einsum einsum -> chosen(einsum, rows).ifPresent(rank -> {
            rows.put(result, einsum.ranks().indexOf(rank));
            if (isLonger(einsum) || leaves(einsum.value()).stream().map(Expr.Access::tensor).anyMatch(longer::contains)) {
              longer.add(result);
            }
          });
          case Recurrence _ -> { }
        }
      }
      Set<Tensor> kept = kept();
      return kept.isEmpty() ? Optional.empty()
          : Optional.of(rows.entrySet().stream().filter(entry -> kept.contains(entry.getKey())).collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue)));
    }

    /// Whether there are rows that are not of the cache, at other places.
    private boolean isLonger(Einsum einsum) {
      List<Expr> own = Additions.coordinates(einsum.ranks());
      return leaves(einsum.value()).stream().anyMatch(leaf -> !rows.containsKey(leaf.tensor()) && !leaf.indices().equals(own));
    }

    /// What changes a cache, and that of which it is made, and outputs that are made of these.
    private Set<Tensor> kept() {
      Set<Tensor> outputs = cascade.outputs().stream().map(Cascade.Output::tensor).collect(Collectors.toSet());
      Set<Tensor> kept = new LinkedHashSet<>();
      for (Definition definition : cascade.definitions().reversed()) {
        Tensor result = definition.tensors().getFirst();
        boolean isEnd = longer.contains(result) && (definition instanceof Recurrence || outputs.contains(result));
        if (rows.containsKey(result) && (isEnd || kept.contains(result))) {
          kept.add(result);
          bases(definition).filter(rows::containsKey).forEach(kept::add);
        }
      }
      return kept;
    }

    private static Stream<Tensor> bases(Definition definition) {
      return switch (definition) {
        case Recurrence recurrence -> recurrence.states().getFirst().base().stream();
        case Einsum einsum -> leaves(einsum.value()).stream().map(Expr.Access::tensor);
      };
    }
  }

  /// Whether it replaces rows of a cache, all of whose elements are written at once and depend on none of the cache.
  static boolean isAppended(Recurrence recurrence, Map<Tensor, Integer> rows) {
    Recurrence.State state = recurrence.states().getFirst();
    boolean isOne = recurrence.states().size() == 1 && recurrence.steps().isEmpty() && recurrence.condition().isEmpty();
    return isOne && state.base().filter(rows::containsKey).isPresent()
        && recurrence.updates().stream().allMatch(update -> isRow(update, rows.get(state.base().orElseThrow())));
  }

  private static boolean isRow(Recurrence.Update update, int dimension) {
    if (update.combination().isPresent() || !(update.indices().get(dimension) instanceof Expr.Coordinate(Rank rank)) || !update.ranks().contains(rank)) {
      return false;
    }
    List<Expr> others = new ArrayList<>(update.indices());
    others.remove(dimension);
    update.where().ifPresent(others::add);
    return rank.size().equals(update.tensor().shape().get(dimension)) && others.stream().noneMatch(expr -> reads(expr, rank))
        && update.exprs().flatMap(Expr::nodes).noneMatch(node -> node instanceof Expr.Access access && access.tensor() == update.tensor());
  }

  private static boolean reads(Expr expr, Rank rank) {
    return expr.nodes().anyMatch(new Expr.Coordinate(rank)::equals);
  }

  /// The rank of the elements of a row, of an Einsum that takes each of its rows from a cache, or from another tensor.
  static Optional<Rank> chosen(Einsum einsum, Map<Tensor, Integer> rows) {
    boolean isChoice = isChoice(einsum.value());
    return einsum.ranks().stream().filter(rank -> isChoice && conditions(einsum.value()).stream().noneMatch(condition -> reads(condition, rank)))
        .filter(rank -> leaves(einsum.value()).stream().allMatch(leaf -> dimension(leaf, rank).isPresent()))
        .filter(rank -> leaves(einsum.value()).stream().anyMatch(leaf -> dimension(leaf, rank).equals(Optional.ofNullable(rows.get(leaf.tensor()))))).findFirst();
  }

  private static boolean isChoice(Expr value) {
    return switch (value) {
      case Expr.Select(_, Expr whenTrue, Expr whenFalse) -> isChoice(whenTrue) && isChoice(whenFalse);
      case Expr.Access access -> access.outside().isEmpty();
      case Expr _ -> false;
    };
  }

  private static List<Expr> conditions(Expr value) {
    return value.nodes().filter(Expr.Select.class::isInstance).map(node -> ((Expr.Select) node).condition()).toList();
  }

  /// What a choice takes elements of.
  static List<Expr.Access> leaves(Expr value) {
    return switch (value) {
      case Expr.Select(_, Expr whenTrue, Expr whenFalse) -> {
        List<Expr.Access> leaves = new ArrayList<>(leaves(whenTrue));
        leaves.addAll(leaves(whenFalse));
        yield leaves;
      }
      case Expr.Access access -> List.of(access);
      case Expr _ -> List.of();
    };
  }

  /// The dimension of a tensor that `rank` goes through, and it alone.
  static Optional<Integer> dimension(Expr.Access access, Rank rank) {
    List<Integer> found = IntStream.range(0, access.indices().size()).filter(i -> reads(access.indices().get(i), rank)).boxed().toList();
    boolean isWhole = found.size() == 1 && access.indices().get(found.getFirst()).equals(new Expr.Coordinate(rank))
        && rank.size().equals(access.tensor().shape().get(found.getFirst()));
    return isWhole ? Optional.of(found.getFirst()) : Optional.empty();
  }
}
