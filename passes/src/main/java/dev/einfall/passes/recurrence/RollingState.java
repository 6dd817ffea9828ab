package dev.einfall.passes.recurrence;

import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.IndexBounds;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A state in place of which only the last slices are kept.
///
/// @param previous the tensors that hold the slices of the last steps, the latest first, when a step begins
/// @param current the tensor that a step writes: the first of `previous`, or one of its own
/// @param history the tensor that keeps all slices for others, if somebody needs them
/// @param firstKept the index of the first slice that `history` has
record RollingState(StepState of, List<Tensor> previous, Tensor current, Optional<Tensor> history, long firstKept) {

  /// The tensors for `state`; none if there is nothing to gain, or a slice before the first cannot be told.
  static Optional<RollingState> of(StepState state, Recurrence recurrence, Cascade cascade) {
    HistoryUse use = HistoryUse.of(state, recurrence, cascade);
    boolean isOnlyWritten = state.reads().isEmpty() && use != HistoryUse.NONE;
    boolean hasStarts = outsideStarts(state).isPresent();
    if (isOnlyWritten || !hasStarts) {
      return Optional.empty();
    }
    Tensor tensor = state.tensor();
    List<Tensor> previous = new ArrayList<>();
    for (int lag = 1; lag <= state.longestLag(); lag++) {
      previous.add(slice(tensor, lag == 1 ? tensor.name() : tensor.name() + "_" + lag, state.dimension()));
    }
    Tensor current = previous.isEmpty() ? slice(tensor, tensor.name(), state.dimension())
        : isInPlace(state, recurrence) ? previous.getFirst() : slice(tensor, tensor.name() + "_next", state.dimension());
    long steps = Recurrences.steps(recurrence);
    long first = use == HistoryUse.STEPS ? Math.min(state.slice(0), state.slice(steps - 1)) : 0;
    return Optional.of(new RollingState(state, previous, current, switch (use) {
      case NONE -> Optional.empty();
      case ALL -> Optional.of(tensor);
      case STEPS -> Optional.of(tensor.shape().get(state.dimension()).equals(Size.of(steps)) ? tensor
          : new Tensor(tensor.name() + "_steps", tensor.type(),
              Recurrences.replaced(Size.of(steps), state.dimension(), tensor.shape()), tensor.span()));
    }, first));
  }

  private static Tensor slice(Tensor tensor, String name, int dimension) {
    return new Tensor(name, tensor.type(), Recurrences.without(dimension, tensor.shape()), tensor.span());
  }

  /// Whether a step may write over the slice before: nobody needs an element of that after it is written.
  private static boolean isInPlace(StepState state, Recurrence recurrence) {
    List<Expr> written = Recurrences.without(state.dimension(), recurrence.updates().get(state.writer()).indices());
    return state.longestLag() == 1 && state.reads().stream().filter(read -> read.lag() == 1).allMatch(read ->
        read.update() < state.writer() || read.update() == state.writer()
            && Recurrences.without(state.dimension(), read.access().indices()).equals(written));
  }

  /// What is read instead of slices before the first one of the tensor, by lag: literals, and nothing where the tensor has the slice.
  /// None if that is no number, or differs.
  private static Optional<List<Optional<Expr>>> outsideStarts(StepState state) {
    List<Optional<Expr>> starts = new ArrayList<>();
    for (int lag = 1; lag <= state.longestLag(); lag++) {
      int least = lag;
      long slice = state.slice(-lag);
      boolean exists = slice >= 0 && slice < state.tensor().shape().get(state.dimension()).value();
      List<Expr> outside = state.reads().stream().filter(read -> read.lag() >= least)
          .flatMap(read -> read.access().outside().stream()).distinct().toList();
      if (!exists && (outside.size() > 1 || !outside.stream().allMatch(Recurrences::isLiteral))) {
        return Optional.empty();
      }
      starts.add(exists ? Optional.empty()
          : Optional.of(outside.isEmpty() ? Expr.literal(state.tensor().type(), 0) : outside.getFirst()));
    }
    return Optional.of(starts);
  }

  /// The start of the slices of the last steps, in the order of `previous`, where no slice of the tensor is one.
  List<Optional<Expr>> outsideStarts() {
    return outsideStarts(of).orElseThrow();
  }

  /// What stands for `access` at a step.
  Expr.Access within(Expr.Access access, StepPlace place) {
    int lag = (int) place.lag(of.written());
    return at(lag == 0 ? current : previous.get(lag - 1), access);
  }

  /// What stands for `access` after the last of `steps` steps, if it reads a slice that is still there.
  Optional<Expr.Access> after(Expr.Access access, long steps) {
    return HistoryUse.constant(access, of.dimension())
        .map(index -> of.written().sign() * (of.slice(steps - 1) - index))
        .filter(age -> age >= 0 && age < Math.max(1, previous.size()))
        .map(age -> at(previous.isEmpty() ? current : previous.get(age.intValue()), access));
  }

  private Expr.Access at(Tensor tensor, Expr.Access access) {
    Expr.Access other = new Expr.Access(tensor, Recurrences.without(of.dimension(), access.indices()), access.outside());
    return IndexBounds.isWithin(other) ? new Expr.Access(tensor, other.indices()) : other;
  }

  /// What stands for an `access` of another definition that may read any slice.
  Expr.Access inHistory(Expr.Access access) {
    Expr index = access.indices().get(of.dimension());
    Expr moved = firstKept == 0 ? index : Indices.plus(index, -firstKept);
    return new Expr.Access(history.orElseThrow(), Recurrences.replaced(moved, of.dimension(), access.indices()), access.outside());
  }
}
