package dev.einfall.passes.recurrence;

import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What the tensors of a recurrence over one rank are to its steps. A step reads what is *carried* to it by the step before, makes
/// *temporaries* that only it reads, and writes *results* that no step reads.
///
/// @param carried the carried states, and the positions of the updates that write them, in the order of these
/// @param temporaries the same for temporaries
/// @param dependent the temporaries that depend on a carried state
record StepRoles(Recurrence recurrence, Map<Tensor, Integer> carried, Map<Tensor, Integer> temporaries, Set<Tensor> dependent) {

  /// Hears why something cannot be.
  interface Decline {
    void because(String reason);
  }

  /// The roles; none if a tensor has another one, or an update is no plain one.
  static Optional<StepRoles> of(Recurrence recurrence, Decline decline) {
    Optional<String> other = problem(recurrence);
    if (other.isPresent()) {
      decline.because(other.get());
      return Optional.empty();
    }
    StepRoles roles = new StepRoles(recurrence, new LinkedHashMap<>(), new LinkedHashMap<>(), Exprs.identitySet());
    for (int i = 0; i < recurrence.updates().size(); i++) {
      Tensor tensor = recurrence.updates().get(i).tensor();
      List<Integer> readers = roles.readers(tensor);
      if (!readers.isEmpty()) {
        if (!isWhole(recurrence.updates().get(i)) || roles.carried.containsKey(tensor) || roles.temporaries.containsKey(tensor)) {
          decline.because("a step reads `" + tensor.name() + "` and does not write all of it by one statement");
          return Optional.empty();
        }
        (readers.getFirst() <= i ? roles.carried : roles.temporaries).put(tensor, i);
      }
      if (readers.contains(i) && !roles.readsItselfInPlace(i)) {
        decline.because("a step reads elements of `" + tensor.name() + "` while it writes others");
        return Optional.empty();
      }
    }
    for (Recurrence.State state : recurrence.states()) {
      boolean isRead = !roles.readers(state.tensor()).isEmpty();
      if (isRead && !roles.carried.containsKey(state.tensor()) && !roles.temporaries.containsKey(state.tensor())) {
        decline.because("`" + state.tensor().name() + "` is not written by the steps");
        return Optional.empty();
      }
    }
    roles.temporaries.forEach((tensor, writer) -> {
      if (Recurrences.accesses(recurrence.updates().get(writer).value())
          .anyMatch(access -> roles.carried.containsKey(access.tensor()) || roles.dependent.contains(access.tensor()))) {
        roles.dependent.add(tensor);
      }
    });
    return Optional.of(roles);
  }

  private static Optional<String> problem(Recurrence recurrence) {
    if (recurrence.steps().size() != 1) {
      return Optional.of("the steps are over " + recurrence.steps().size() + " indices");
    }
    if (recurrence.condition().isPresent()) {
      return Optional.of("a condition may end the steps");
    }
    boolean plain = recurrence.updates().stream().allMatch(update -> update.combination().isEmpty() && update.where().isEmpty());
    return plain ? Optional.empty() : Optional.of("a statement combines with what is there, or leaves elements out");
  }

  private List<Integer> readers(Tensor tensor) {
    List<Integer> readers = new ArrayList<>();
    for (int i = 0; i < recurrence.updates().size(); i++) {
      if (recurrence.updates().get(i).exprs().anyMatch(expr -> Exprs.reads(expr, tensor))) {
        readers.add(i);
      }
    }
    return readers;
  }

  private static boolean isWhole(Recurrence.Update update) {
    boolean whole = update.ranks().size() == update.indices().size()
        && update.indices().stream().distinct().count() == update.indices().size();
    for (int i = 0; whole && i < update.indices().size(); i++) {
      whole = update.indices().get(i) instanceof Expr.Coordinate(Rank rank)
          && update.ranks().contains(rank) && rank.size().equals(update.tensor().shape().get(i));
    }
    return whole;
  }

  private boolean readsItselfInPlace(int position) {
    Recurrence.Update update = recurrence.updates().get(position);
    return update.exprs().flatMap(Recurrences::accesses).filter(access -> access.tensor() == update.tensor())
        .allMatch(access -> access.indices().equals(update.indices()));
  }

  Rank step() {
    return recurrence.steps().getFirst();
  }

  boolean isCarried(Expr.Access access) {
    return carried.containsKey(access.tensor());
  }

  /// Whether `access` at update `position` reads what the step has written already, and not what was carried to it.
  boolean isAfter(Expr.Access access, int position) {
    return position > carried.get(access.tensor());
  }

  Recurrence.Update writer(Tensor tensor) {
    return recurrence.updates().get(carried.containsKey(tensor) ? carried.get(tensor) : temporaries.get(tensor));
  }

  Recurrence.State state(Tensor tensor) {
    return recurrence.states().stream().filter(state -> state.tensor() == tensor).findFirst().orElseThrow();
  }

  /// The states that the steps only write.
  List<Recurrence.State> results() {
    return recurrence.states().stream()
        .filter(state -> !carried.containsKey(state.tensor()) && !temporaries.containsKey(state.tensor())).toList();
  }
}
