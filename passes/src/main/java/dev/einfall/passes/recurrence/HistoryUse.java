package dev.einfall.passes.recurrence;

import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.IndexBounds;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Affine;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// How much of a state others than its own recurrence need.
enum HistoryUse {
  /// At most what the last steps wrote.
  NONE,
  /// Slices that steps wrote.
  STEPS,
  /// Any slice, or the tensor as it is.
  ALL;

  static HistoryUse of(StepState state, Recurrence recurrence, Cascade cascade) {
    List<Expr.Access> accesses = accesses(state.tensor(), recurrence, cascade)
        .filter(access -> !isLast(access, state, Recurrences.steps(recurrence))).toList();
    boolean isTensor = Recurrences.isOutput(state.tensor(), cascade) || isBase(state.tensor(), cascade);
    boolean hasAllSteps = state.tensor().shape().get(state.dimension()).equals(Size.of(Recurrences.steps(recurrence)));
    if (accesses.isEmpty() && !isTensor) {
      return NONE;
    }
    // A condition that ends the steps repeats what stands before the first.
    boolean steps = recurrence.condition().isEmpty() && (hasAllSteps || !isTensor
        && accesses.stream().allMatch(access -> isWritten(access, state, Recurrences.steps(recurrence))));
    return steps ? STEPS : ALL;
  }

  /// What other definitions read of `tensor`.
  static Stream<Expr.Access> accesses(Tensor tensor, Recurrence recurrence, Cascade cascade) {
    return cascade.definitions().stream().filter(definition -> definition != recurrence)
        .flatMap(Definition::exprs).flatMap(Recurrences::accesses).filter(access -> access.tensor() == tensor);
  }

  private static boolean isBase(Tensor tensor, Cascade cascade) {
    return cascade.definitions().stream().anyMatch(definition -> definition instanceof Recurrence recurrence
        && recurrence.states().stream().anyMatch(state -> state.base().filter(base -> base == tensor).isPresent()));
  }

  /// Whether `access` reads a slice that is still there after the last of `steps` steps.
  static boolean isLast(Expr.Access access, StepState state, long steps) {
    long kept = Math.max(1, state.longestLag());
    return constant(access, state.dimension())
        .map(index -> state.written().sign() * (state.slice(steps - 1) - index))
        .filter(age -> age >= 0 && age < kept).isPresent();
  }

  private static boolean isWritten(Expr.Access access, StepState state, long steps) {
    Size low = Size.of(Math.min(state.slice(0), state.slice(steps - 1)));
    Size high = Size.of(Math.max(state.slice(0), state.slice(steps - 1)));
    return IndexBounds.interval(access.indices().get(state.dimension()))
        .filter(values -> IndexBounds.isNotNegative(values.low().minus(low)) && IndexBounds.isNotNegative(high.minus(values.high())))
        .isPresent();
  }

  /// Index number `dimension` of `access`, if it is a number.
  static Optional<Long> constant(Expr.Access access, int dimension) {
    return Affine.of(access.indices().get(dimension))
        .filter(affine -> affine.coefficients().isEmpty()).map(Affine::constant);
  }
}
