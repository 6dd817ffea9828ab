package dev.einfall.passes.recurrence;

import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The states of one recurrence of which only the last slices are kept, and a cascade with these in place of them.
final class RollingStates {
  private final Cascade cascade;
  private final Recurrence recurrence;
  private final Rank step;
  private final long steps;
  private final Map<Tensor, RollingState> rolling = new IdentityHashMap<>();

  RollingStates(Cascade cascade, Recurrence recurrence) {
    this.cascade = cascade;
    this.recurrence = recurrence;
    this.step = recurrence.steps().getFirst();
    this.steps = Recurrences.steps(recurrence);
    for (Recurrence.State state : recurrence.states()) {
      StepState.of(state, recurrence).flatMap(steps -> RollingState.of(steps, recurrence, cascade))
          .ifPresent(found -> rolling.put(state.tensor(), found));
    }
  }

  /// The cascade; the same object if no state is such a one.
  Cascade rolled() {
    if (rolling.isEmpty()) {
      return cascade;
    }
    List<Definition> starts = new ArrayList<>();
    List<Recurrence.State> states = states(starts);
    Recurrence rolled = new Recurrence(
        recurrence.steps(), states, updates(), recurrence.condition().map(this::withinStep), recurrence.span());
    List<Definition> definitions = new ArrayList<>();
    for (Definition definition : cascade.definitions()) {
      if (definition == recurrence) {
        definitions.addAll(starts);
        definitions.add(rolled);
      } else {
        definitions.add(definition.mapExprs(this::outside));
      }
    }
    return cascade.withMapping(mapping(rolled)).withDefinitions(definitions);
  }

  /// The mapping with the schedule of the recurrence for the one in place of it.
  private Mapping mapping(Recurrence rolled) {
    return cascade.mapping().withSchedules(cascade.mapping().schedules().stream()
        .map(schedule -> recurrence.tensors().contains(schedule.tensor())
            ? new Mapping.Schedule(rolled.tensors().getFirst(), schedule.way(), schedule.number()) : schedule).toList());
  }

  /// The states in order; what has to be computed for their starts goes to `starts`.
  private List<Recurrence.State> states(List<Definition> starts) {
    List<Recurrence.State> states = new ArrayList<>();
    for (Recurrence.State state : recurrence.states()) {
      RollingState found = rolling.get(state.tensor());
      if (found == null) {
        states.add(state);
        continue;
      }
      List<Optional<Expr>> outside = found.outsideStarts();
      for (int lag = 1; lag <= found.previous().size(); lag++) {
        Tensor tensor = found.previous().get(lag - 1);
        StartSlice.Result start = outside.get(lag - 1)
            .map(value -> new StartSlice.Result(new Recurrence.Start.Fill(value), Optional.empty()))
            .orElse(new StartSlice(cascade).of(state.start(), found.of().dimension(), found.of().slice(-lag), tensor,
                ranks(tensor, recurrence.updates().get(found.of().writer()))));
        start.einsum().ifPresent(starts::add);
        states.add(new Recurrence.State(tensor, start.start()));
      }
      if (!found.previous().contains(found.current())) {
        states.add(Recurrences.zeros(found.current()));
      }
      // Where every slice is written, none shows the start.
      found.history().ifPresent(history -> states.add(
          HistoryUse.of(found.of(), recurrence, cascade) == HistoryUse.ALL ? state : Recurrences.zeros(history)));
    }
    return states;
  }

  private List<Recurrence.Update> updates() {
    List<Recurrence.Update> updates = new ArrayList<>();
    for (Recurrence.Update update : recurrence.updates()) {
      RollingState found = rolling.get(update.tensor());
      Recurrence.Update inside = update.mapExprs(this::withinStep);
      if (found == null) {
        updates.add(inside);
        continue;
      }
      updates.add(Recurrences.update(found.current(), inside.ranks(),
          Recurrences.without(found.of().dimension(), inside.indices()), inside.value(), inside.span()));
      found.history().ifPresent(history -> updates.add(kept(found, history, update)));
    }
    for (Recurrence.State state : recurrence.states()) {
      Optional.ofNullable(rolling.get(state.tensor())).ifPresent(found -> updates.addAll(shifts(found)));
    }
    return updates;
  }

  /// The update that writes the slice of this step to `history`.
  private Recurrence.Update kept(RollingState found, Tensor history, Recurrence.Update writer) {
    List<Rank> ranks = ranks(found.current(), writer);
    StepPlace written = found.of().written();
    Expr slice = StepPlace.index(step, written.sign(), written.offset() - found.firstKept());
    return Recurrences.update(history, ranks, Recurrences.with(slice, written.dimension(), Exprs.coordinates(ranks)),
        new Expr.Access(found.current(), Exprs.coordinates(ranks)), writer.span());
  }

  /// The updates that make the slice of this step that of the last.
  private List<Recurrence.Update> shifts(RollingState found) {
    List<Recurrence.Update> shifts = new ArrayList<>();
    for (int i = found.previous().size() - 1; i >= 0; i--) {
      Tensor source = i == 0 ? found.current() : found.previous().get(i - 1);
      if (found.previous().get(i) != source) {
        List<Rank> ranks = ranks(source, recurrence.updates().get(found.of().writer()));
        shifts.add(Recurrences.update(found.previous().get(i), ranks, Exprs.coordinates(ranks),
            new Expr.Access(source, Exprs.coordinates(ranks)), recurrence.span()));
      }
    }
    return shifts;
  }

  /// New ranks for the dimensions of `slice`, with the names that `writer` gives them.
  private List<Rank> ranks(Tensor slice, Recurrence.Update writer) {
    List<Expr> names = Recurrences.without(rolling.get(writer.tensor()).of().dimension(), writer.indices());
    List<Rank> ranks = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      ranks.add(new Rank(((Expr.Coordinate) names.get(i)).rank().name(), slice.shape().get(i)));
    }
    return ranks;
  }

  private Expr withinStep(Expr expr) {
    return Exprs.rewrite(expr, node -> node instanceof Expr.Access access && rolling.containsKey(access.tensor())
        ? rolling.get(access.tensor()).within(access, StepPlace.of(access.indices(), step).orElseThrow()) : node);
  }

  private Expr outside(Expr expr) {
    return Exprs.rewrite(expr, node -> {
      if (!(node instanceof Expr.Access access) || !rolling.containsKey(access.tensor())) {
        return node;
      }
      RollingState found = rolling.get(access.tensor());
      return found.after(access, steps).orElseGet(() -> found.inHistory(access));
    });
  }
}
