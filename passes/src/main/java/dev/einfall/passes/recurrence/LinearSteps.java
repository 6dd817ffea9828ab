package dev.einfall.passes.recurrence;

import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A recurrence each of whose carried states is of floats and, element by element, linear in itself: `H[d] = decay * H[d] + input`, where decay
/// and input may depend on the step, on any element's place and on any data but the carried states.
record LinearSteps(StepRoles roles, Map<Tensor, Step> states) {

  /// What a step makes of a state: `decay * state + input`, over `ranks`.
  ///
  /// @param ranks the ranks of the update, in its order
  /// @param dimensions the same ranks, in the order of the dimensions
  record Step(Tensor state, List<Rank> ranks, List<Rank> dimensions, Expr decay, Expr input) {

    /// The ranks that the decay differs in.
    List<Rank> decayRanks() {
      Set<Rank> free = Exprs.freeRanks(decay);
      return ranks.stream().filter(free::contains).toList();
    }

    boolean decays() {
      return !Terms.isOne(decay);
    }

    /// What stands at each rank in `access`.
    Map<Rank, Expr> places(Expr.Access access) {
      Map<Rank, Expr> places = new IdentityHashMap<>();
      for (int i = 0; i < access.indices().size(); i++) {
        places.put(dimensions.get(i), access.indices().get(i));
      }
      return places;
    }

    /// The input of the element `access`.
    Expr input(Expr.Access access) {
      return Exprs.substitute(input, places(access));
    }
  }

  /// The steps of `recurrence` as linear ones, if they are.
  static Optional<LinearSteps> of(Recurrence recurrence, StepRoles.Decline decline) {
    Optional<StepRoles> found = StepRoles.of(recurrence, decline);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    StepRoles roles = found.get();
    if (roles.carried().isEmpty()) {
      decline.because("no step needs what another made");
      return Optional.empty();
    }
    Map<Tensor, Step> states = new LinkedHashMap<>();
    for (Tensor tensor : roles.carried().keySet()) {
      if (!tensor.type().isFloat()) {
        decline.because("`" + tensor.name() + "` has no floats, of which parts of steps are products and sums");
        return Optional.empty();
      }
      Optional<Step> step = step(tensor, roles);
      if (step.isEmpty()) {
        decline.because("`" + tensor.name() + "` after a step is not a multiple of the same element before it, plus something that"
            + " does not depend on the states");
        return Optional.empty();
      }
      states.put(tensor, step.get());
    }
    return Optional.of(new LinearSteps(roles, states));
  }

  private static Optional<Step> step(Tensor tensor, StepRoles roles) {
    Recurrence.Update writer = roles.writer(tensor);
    Expr value = inlined(writer.value(), roles);
    Expr.Access own = new Expr.Access(tensor, writer.indices());
    return LinearForm.of(value, access -> roles.isCarried(access) || roles.dependent().contains(access.tensor()))
        .filter(form -> form.terms().stream().allMatch(term -> term.access().equals(own)))
        .map(form -> new Step(tensor, writer.ranks(), dimensions(writer), form.coefficient(own), form.rest()));
  }

  private static List<Rank> dimensions(Recurrence.Update writer) {
    return writer.indices().stream().map(index -> ((Expr.Coordinate) index).rank()).toList();
  }

  /// `expr` with the temporaries that depend on states written out, but for reductions.
  private static Expr inlined(Expr expr, StepRoles roles) {
    return Exprs.rewrite(expr, node -> {
      if (!(node instanceof Expr.Access access) || !roles.dependent().contains(access.tensor()) || access.outside().isPresent()) {
        return node;
      }
      Recurrence.Update update = roles.writer(access.tensor());
      if (Exprs.hasReduction(update.value())) {
        return node;
      }
      Map<Rank, Expr> values = new IdentityHashMap<>();
      for (int i = 0; i < update.ranks().size(); i++) {
        values.put(((Expr.Coordinate) update.indices().get(i)).rank(), access.indices().get(i));
      }
      return inlined(Exprs.substitute(update.value(), values), roles);
    });
  }
}
