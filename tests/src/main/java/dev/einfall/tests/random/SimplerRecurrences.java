package dev.einfall.tests.random;

import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Recurrences that are smaller than a given one: without an update, a state, a step, the condition, or with smaller
/// expressions.
record SimplerRecurrences(Recurrence old) {

  static Stream<Recurrence> of(Recurrence recurrence) {
    SimplerRecurrences simpler = new SimplerRecurrences(recurrence);
    return Stream.of(simpler.fewerUpdates(), simpler.fewerStates(), simpler.withoutCondition(), simpler.fewerSteps(),
        simpler.simplerUpdates(), simpler.simplerConditions()).flatMap(some -> some);
  }

  /// Whether the text can say it: a combination is over a rank that says where to write, and without one all ranks do.
  static boolean isText(Recurrence recurrence) {
    return recurrence.updates().stream().allMatch(update -> update.combination().isPresent()
        ? lands(update.ranks(), update.indices())
        : update.ranks().stream().allMatch(rank -> update.indices().stream().anyMatch(index -> reads(index, rank))));
  }

  /// Whether one of the ranks stands in an index, and not alone.
  static boolean lands(List<Rank> ranks, List<Expr> indices) {
    return ranks.stream().anyMatch(rank -> !indices.contains(new Expr.Coordinate(rank))
        && indices.stream().anyMatch(index -> reads(index, rank)));
  }

  private static boolean reads(Expr expr, Rank rank) {
    return expr.nodes().anyMatch(node -> node instanceof Expr.Coordinate(Rank other) && other == rank);
  }

  private Stream<Recurrence> fewerUpdates() {
    return old.updates().size() == 1 ? Stream.empty() : old.updates().stream().map(update ->
        with(old.updates().stream().filter(other -> other != update).toList()));
  }

  private Recurrence with(List<Recurrence.Update> updates) {
    return new Recurrence(old.steps(), old.states(), updates, old.condition(), old.span());
  }

  /// Without the states that no update writes and nothing reads; the verifier sees to that.
  private Stream<Recurrence> fewerStates() {
    return old.states().size() == 1 ? Stream.empty() : old.states().stream().map(state -> new Recurrence(old.steps(),
        old.states().stream().filter(other -> other != state).toList(), old.updates(), old.condition(), old.span()));
  }

  private Stream<Recurrence> withoutCondition() {
    return old.condition().stream().map(_ ->
        new Recurrence(old.steps(), old.states(), old.updates(), Optional.empty(), old.span()));
  }

  /// One step for each step rank.
  private Stream<Recurrence> fewerSteps() {
    return old.steps().stream().filter(_ -> old.condition().isEmpty()).map(step -> {
      Recurrence first = old.mapExprs(expr -> atFirst(expr, step));
      List<Rank> rest = old.steps().stream().filter(other -> other != step).toList();
      return new Recurrence(rest, old.states(), first.updates(), Optional.empty(), old.span());
    });
  }

  private static Expr atFirst(Expr expr, Rank rank) {
    return expr instanceof Expr.Coordinate(Rank other) && other == rank ? Expr.index(0)
        : expr.mapChildren(child -> atFirst(child, rank));
  }

  private Stream<Recurrence> simplerUpdates() {
    return old.updates().stream().flatMap(update -> simpler(update).map(simpler ->
        with(old.updates().stream().map(other -> other == update ? simpler : other).toList())));
  }

  private Stream<Recurrence.Update> simpler(Recurrence.Update update) {
    Set<Rank> scope = new LinkedHashSet<>(old.steps());
    scope.addAll(update.ranks());
    Stream<Recurrence.Update> plain = update.combination().isEmpty() ? Stream.empty()
        : Stream.of(with(update, update.indices(), update.value(), Optional.empty()));
    Stream<Recurrence.Update> fewerRanks = update.ranks().stream().map(rank -> new Recurrence.Update(update.tensor(),
        update.ranks().stream().filter(other -> other != rank).toList(),
        update.indices().stream().map(index -> atFirst(index, rank)).toList(), update.combination(),
        atFirst(update.value(), rank), update.where().map(where -> atFirst(where, rank)), update.span()));
    Stream<Recurrence.Update> values = SimplerExprs.of(update.value(), scope)
        .map(value -> with(update, update.indices(), value, update.combination()));
    return Stream.of(plain, fewerRanks, values, simplerIndices(update, scope)).flatMap(some -> some);
  }

  private static Stream<Recurrence.Update> simplerIndices(Recurrence.Update update, Set<Rank> scope) {
    return java.util.stream.IntStream.range(0, update.indices().size()).boxed().flatMap(i ->
        SimplerExprs.of(update.indices().get(i), scope).map(index -> {
          List<Expr> indices = new ArrayList<>(update.indices());
          indices.set(i, index);
          return with(update, indices, update.value(), update.combination());
        }));
  }

  private static Recurrence.Update with(Recurrence.Update old, List<Expr> indices, Expr value,
      Optional<dev.einfall.ir.cascade.Combination> combination) {
    return new Recurrence.Update(old.tensor(), old.ranks(), indices, combination, value, old.where(), old.span());
  }

  private Stream<Recurrence> simplerConditions() {
    return old.condition().stream().flatMap(condition -> SimplerExprs.of(condition, new LinkedHashSet<>(old.steps()))
        .map(simpler -> new Recurrence(old.steps(), old.states(), old.updates(), Optional.of(simpler), old.span())));
  }
}
