package dev.einfall.passes.recurrence;

import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Target;
import dev.einfall.passes.cascade.Exprs;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// How long recurrences take, roughly, to choose how their steps are taken. A definition takes as many cycles as it has operations,
/// divided by what is done at a time:
///
/// - a sum of products works from registers, on two vectors a cycle; other arithmetic waits for what it loads and stores; an update whose
///   points depend on each other goes one by one;
/// - threads share the coordinates that the steps do not connect, and nothing else;
/// - each run of an update costs a little, and so does each kernel.
///
/// All numbers that it is made of stand here.
record RecurrenceCosts(Target target) {
  private static final double PRODUCT_OPERATIONS = 2;
  private static final double OTHER_OPERATIONS = 0.75;
  private static final double UPDATE_CYCLES = 20;
  private static final double KERNEL_CYCLES = 10_000;

  /// The cycles of the definitions of `after` that `before` does not have.
  double ofNew(Cascade after, Cascade before) {
    Set<Definition> old = Exprs.identitySet();
    old.addAll(before.definitions());
    return after.definitions().stream().filter(definition -> !old.contains(definition)).mapToDouble(this::of).sum();
  }

  double of(Definition definition) {
    return KERNEL_CYCLES + switch (definition) {
      case Einsum einsum -> points(einsum.tensor(), einsum.ranks(), einsum.value(), true) / target.threads();
      case Recurrence recurrence -> Recurrences.steps(recurrence) * recurrence.updates().stream().mapToDouble(update -> UPDATE_CYCLES
          + points(update.tensor(), update.ranks(), update.value(), update.isIndependent())).sum()
          / Math.min(target.threads(), independent(recurrence));
    };
  }

  private double points(Tensor tensor, List<Rank> ranks, Expr value, boolean isIndependent) {
    int lanes = isIndependent ? target.lanes(tensor.type().bytes()) : 1;
    double rate = !isIndependent ? 1 : Exprs.hasReduction(value) ? PRODUCT_OPERATIONS : OTHER_OPERATIONS;
    return Exprs.volume(ranks) * (1 + operations(value)) / (lanes * rate);
  }

  /// The operations of one evaluation, with those of a reduction as often as it goes.
  private static double operations(Expr expr) {
    double inside = expr instanceof Expr.Access ? 0 : expr.children().mapToDouble(RecurrenceCosts::operations).sum();
    double own = Exprs.operations(expr) - (expr instanceof Expr.Access ? 0 : expr.children().mapToLong(Exprs::operations).sum());
    return expr.bound().isEmpty() ? own + inside : Exprs.volume(expr.bound()) * (own + inside);
  }

  /// The number of coordinates that no step connects with another: those of dimensions in which a state is read where it is written.
  private static double independent(Recurrence recurrence) {
    Optional<StepRoles> roles = StepRoles.of(recurrence, _ -> { });
    if (roles.isEmpty() || roles.get().carried().isEmpty()) {
      return 1;
    }
    double fewest = Double.MAX_VALUE;
    for (Tensor state : roles.get().carried().keySet()) {
      double product = 1;
      for (int i = 0; i < state.shape().size(); i++) {
        product *= isIndependent(state, i, recurrence) ? state.shape().get(i).value() : 1;
      }
      fewest = Math.min(fewest, product);
    }
    return fewest;
  }

  private static boolean isIndependent(Tensor state, int dimension, Recurrence recurrence) {
    return recurrence.updates().stream().allMatch(update -> update.exprs().flatMap(Recurrences::accesses)
        .filter(access -> access.tensor() == state)
        .allMatch(access -> access.indices().get(dimension) instanceof Expr.Coordinate(Rank rank) && update.ranks().contains(rank)));
  }
}
