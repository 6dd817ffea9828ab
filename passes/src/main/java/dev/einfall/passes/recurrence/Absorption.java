package dev.einfall.passes.recurrence;

import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Moves users of the states of one recurrence into it.
final class Absorption {
  /// The first state, by which the recurrence is found again when it has changed.
  private final Tensor key;
  private Cascade cascade;

  Absorption(Cascade cascade, Tensor key) {
    this.cascade = cascade;
    this.key = key;
  }

  /// The cascade with all that can be moved; the same object if that is nothing.
  Cascade absorbed() {
    boolean changes = true;
    while (changes) {
      Cascade before = cascade;
      for (Recurrence.State state : recurrence().states()) {
        absorbUsers(state.tensor());
      }
      changes = cascade != before;
    }
    return cascade;
  }

  private Recurrence recurrence() {
    return (Recurrence) cascade.definitions().stream()
        .filter(definition -> definition.tensors().contains(key)).findFirst().orElseThrow();
  }

  /// Moves the users of `tensor`, if no other would be left.
  private void absorbUsers(Tensor tensor) {
    Recurrence recurrence = recurrence();
    Optional<StepState> state = recurrence.states().stream().filter(candidate -> candidate.tensor() == tensor).findFirst()
        .flatMap(found -> StepState.of(found, recurrence));
    if (state.isEmpty() || Recurrences.isOutput(tensor, cascade)) {
      return;
    }
    List<Definition> users = cascade.definitions().stream()
        .filter(definition -> definition != recurrence && readsSteps(definition, state.get(), recurrence)).toList();
    boolean allMove = users.stream().allMatch(user ->
        user instanceof Einsum einsum && UserStep.of(einsum, recurrence, cascade).isPresent());
    if (allMove) {
      users.forEach(user -> absorb((Einsum) user));
    }
  }

  /// Whether `definition` reads more of a state than its last slices.
  private static boolean readsSteps(Definition definition, StepState state, Recurrence recurrence) {
    boolean startsAsIt = definition instanceof Recurrence other
        && other.states().stream().anyMatch(candidate -> candidate.base().filter(base -> base == state.tensor()).isPresent());
    return startsAsIt || definition.exprs().flatMap(Recurrences::accesses)
        .anyMatch(access -> access.tensor() == state.tensor() && !HistoryUse.isLast(access, state, Recurrences.steps(recurrence)));
  }

  private void absorb(Einsum user) {
    Recurrence old = recurrence();
    UserStep place = UserStep.of(user, old, cascade).orElseThrow();
    Map<Rank, Expr> step = new IdentityHashMap<>();
    step.put(place.rank(), place.index());
    List<Rank> ranks = user.ranks().stream().filter(rank -> rank != place.rank()).toList();
    List<Expr> indices = user.ranks().stream().<Expr>map(rank ->
        rank == place.rank() ? place.index() : new Expr.Coordinate(rank)).toList();
    Recurrence.Update update = Recurrences.update(user.tensor(), ranks, indices,
        Exprs.substitute(user.value(), step), user.span());
    List<Recurrence.State> states = new ArrayList<>(old.states());
    states.add(Recurrences.zeros(user.tensor()));
    Recurrence longer = new Recurrence(old.steps(), states,
        Recurrences.with(update, place.position(), old.updates()), old.condition(), old.span());
    cascade = cascade.withDefinitions(moved(user, old, longer));
  }

  /// The definitions without `user`, with what it reads and the recurrence does not compute before the recurrence.
  private List<Definition> moved(Einsum user, Recurrence old, Recurrence longer) {
    int first = cascade.definitions().indexOf(old);
    int last = cascade.definitions().indexOf(user);
    List<Definition> between = cascade.definitions().subList(first + 1, last);
    Set<Definition> needed = Exprs.identitySet();
    Set<Tensor> read = Exprs.identitySet();
    user.reads().forEach(read::add);
    for (Definition definition : between.reversed()) {
      if (definition.tensors().stream().anyMatch(read::contains)) {
        needed.add(definition);
        definition.reads().forEach(read::add);
      }
    }
    List<Definition> result = new ArrayList<>(cascade.definitions().subList(0, first));
    between.stream().filter(needed::contains).forEach(result::add);
    result.add(longer);
    between.stream().filter(definition -> !needed.contains(definition)).forEach(result::add);
    result.addAll(cascade.definitions().subList(last + 1, cascade.definitions().size()));
    return result;
  }
}
