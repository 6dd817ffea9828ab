package dev.einfall.passes.recurrence;

import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// A state of a recurrence over one rank whose slices along one dimension are the steps: each step writes one slice, all of
/// it and by one update, and reads those that the last few steps wrote.
///
/// @param writer the position of the update that writes it
/// @param written where that stands
/// @param reads what the steps read of it
record StepState(Recurrence.State state, int writer, StepPlace written, List<Read> reads) {
  /// The most slices before the one being written that are kept.
  static final int MOST_LAG = 4;

  /// An access by update number `update` (-1: by the condition), which reads what the step `lag` steps before wrote.
  record Read(int update, Expr.Access access, long lag) {}

  /// `state` of `recurrence` as such a state, if it is one.
  static Optional<StepState> of(Recurrence.State state, Recurrence recurrence) {
    if (recurrence.steps().size() != 1) {
      return Optional.empty();
    }
    Rank step = recurrence.steps().getFirst();
    List<Integer> writers = writers(state.tensor(), recurrence);
    if (writers.size() != 1) {
      return Optional.empty();
    }
    Recurrence.Update update = recurrence.updates().get(writers.getFirst());
    Optional<StepPlace> written = StepPlace.of(update.indices(), step);
    if (written.isEmpty() || !writesAll(update, written.get().dimension())) {
      return Optional.empty();
    }
    return reads(state.tensor(), recurrence, writers.getFirst(), written.get())
        .map(reads -> new StepState(state, writers.getFirst(), written.get(), reads));
  }

  private static List<Integer> writers(Tensor tensor, Recurrence recurrence) {
    List<Integer> writers = new ArrayList<>();
    for (int i = 0; i < recurrence.updates().size(); i++) {
      if (recurrence.updates().get(i).tensor() == tensor) {
        writers.add(i);
      }
    }
    return writers;
  }

  /// Whether `update` replaces every element of a slice along `dimension`.
  private static boolean writesAll(Recurrence.Update update, int dimension) {
    List<Expr> others = new ArrayList<>(update.indices());
    others.remove(dimension);
    boolean whole = update.combination().isEmpty() && update.where().isEmpty()
        && others.size() == update.ranks().size() && others.stream().distinct().count() == others.size();
    for (int i = 0; whole && i < update.indices().size(); i++) {
      whole = i == dimension || update.indices().get(i) instanceof Expr.Coordinate(Rank rank)
          && update.ranks().contains(rank) && rank.size().equals(update.tensor().shape().get(i));
    }
    return whole;
  }

  private static Optional<List<Read>> reads(Tensor tensor, Recurrence recurrence, int writer, StepPlace written) {
    Rank step = recurrence.steps().getFirst();
    List<Read> reads = new ArrayList<>();
    for (int i = -1; i < recurrence.updates().size(); i++) {
      Stream<Expr> exprs = i < 0 ? recurrence.condition().stream() : recurrence.updates().get(i).exprs();
      for (Expr.Access access : exprs.flatMap(Recurrences::accesses).filter(read -> read.tensor() == tensor).toList()) {
        Optional<StepPlace> place = StepPlace.of(access.indices(), step)
            .filter(read -> read.dimension() == written.dimension() && read.sign() == written.sign());
        long lag = place.map(read -> read.lag(written)).orElse(-1L);
        if (lag < (i > writer ? 0 : 1) || lag > MOST_LAG) {
          return Optional.empty();
        }
        reads.add(new Read(i, access, lag));
      }
    }
    return Optional.of(reads);
  }

  Tensor tensor() {
    return state.tensor();
  }

  int dimension() {
    return written.dimension();
  }

  /// The most steps that lie between the writing and the reading of a slice.
  int longestLag() {
    return (int) reads.stream().mapToLong(Read::lag).max().orElse(0);
  }

  /// The index of the slice that step `step` writes.
  long slice(long step) {
    return written.sign() * step + written.offset();
  }
}
