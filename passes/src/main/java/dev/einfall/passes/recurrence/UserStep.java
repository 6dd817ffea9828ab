package dev.einfall.passes.recurrence;

import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// How an Einsum goes along with the steps of a recurrence.
///
/// @param rank its rank that is the steps
/// @param index the coordinate of that at a step
/// @param position the place among the updates at which all that it reads is there
record UserStep(Rank rank, Expr index, int position) {

  /// The place of `user` in `recurrence`; none if it must stay outside.
  static Optional<UserStep> of(Einsum user, Recurrence recurrence, Cascade cascade) {
    if (cascade.mapping().speaksOf(user.tensor()) || !readsNothingAfter(user, recurrence, cascade)) {
      return Optional.empty();
    }
    return user.ranks().stream()
        .filter(rank -> rank.size().equals(Size.of(Recurrences.steps(recurrence))) && !isProductOfMatrices(user.value(), rank, otherRanks(user, recurrence)))
        .flatMap(rank -> of(user, rank, recurrence).stream()).findFirst();
  }

  private static Optional<UserStep> of(Einsum user, Rank rank, Recurrence recurrence) {
    int position = 0;
    int sign = 0;
    for (Expr.Access access : Recurrences.accesses(user.value()).toList()) {
      if (!recurrence.tensors().contains(access.tensor())) {
        continue;
      }
      Optional<StepState> state = recurrence.states().stream()
          .filter(candidate -> candidate.tensor() == access.tensor()).findFirst().flatMap(found -> StepState.of(found, recurrence));
      Optional<StepPlace> place = StepPlace.of(access.indices(), rank).filter(found -> found.sign() == 1);
      if (state.isEmpty() || place.isEmpty() || place.get().dimension() != state.get().dimension()
          || sign != 0 && state.get().written().sign() != sign) {
        return Optional.empty();
      }
      sign = state.get().written().sign();
      long lag = inSteps(place.get(), sign, Recurrences.steps(recurrence)).lag(state.get().written());
      if (lag < 0 || lag > 1) {
        return Optional.empty();
      }
      position = Math.max(position, lag == 0 ? state.get().writer() + 1 : 0);
    }
    Rank step = recurrence.steps().getFirst();
    return sign == 0 ? Optional.empty()
        : Optional.of(new UserStep(rank, StepPlace.index(step, sign, sign > 0 ? 0 : Recurrences.steps(recurrence) - 1), position));
  }

  /// A place by the coordinate of the user's rank as a place by the step.
  private static StepPlace inSteps(StepPlace place, int sign, long steps) {
    return sign > 0 ? place : new StepPlace(place.dimension(), sign, place.offset() + steps - 1);
  }

  /// Whether all that `user` reads is there before the recurrence or a state of it.
  private static boolean readsNothingAfter(Einsum user, Recurrence recurrence, Cascade cascade) {
    Set<Tensor> after = Exprs.identitySet();
    after.addAll(recurrence.tensors());
    for (Definition definition : cascade.definitions()) {
      if (definition != recurrence && definition != user && definition.reads().anyMatch(after::contains)) {
        after.addAll(definition.tensors());
      }
    }
    return user.reads().allMatch(read -> !after.contains(read) || recurrence.tensors().contains(read));
  }

  /// The ranks of `user` that are no rank of a state it reads.
  private static List<Rank> otherRanks(Einsum user, Recurrence recurrence) {
    Set<Rank> ofStates = Exprs.identitySet();
    Recurrences.accesses(user.value()).filter(access -> recurrence.tensors().contains(access.tensor()))
        .forEach(access -> ofStates.addAll(Exprs.freeRanks(access)));
    return user.ranks().stream().filter(rank -> !ofStates.contains(rank)).toList();
  }

  /// Whether `expr` reduces products in which one operand is the same for every coordinate of `step` and has a rank of the
  /// result, one of `outer`, that the state has not: for all steps together that is a product of matrices.
  private static boolean isProductOfMatrices(Expr expr, Rank step, List<Rank> outer) {
    boolean here = !expr.bound().isEmpty() && Recurrences.accesses(expr).anyMatch(access -> {
      Set<Rank> ranks = Exprs.freeRanks(access);
      return !ranks.contains(step) && expr.bound().stream().anyMatch(ranks::contains) && outer.stream().anyMatch(ranks::contains);
    });
    return here || expr.children().anyMatch(child -> isProductOfMatrices(child, step, outer));
  }
}
