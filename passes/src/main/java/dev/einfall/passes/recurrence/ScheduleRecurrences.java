package dev.einfall.passes.recurrence;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.passes.Decisions;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Target;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Takes the steps of recurrences in the way that a map asks for, or, if none does and `numerics` allow it, in the way of which
/// [RecurrenceCosts] expects most.
///
/// ```
/// update S from S0, Y .. for t in 0..T {        update S from S0, Y .. for t1 in 0..T / 16 {
///   S[e, f] = A[t] * S[e, f] + B[t, e, f]         ..
///   Y[t, f] = sum[e](Q[t, e] * S[e, f])    =>     Y[t1 * 16 + t0, f] = ..
/// }                                               S[e, f] = S_decay[15] * S[e, f] + ..
/// map S { schedule chunked 16 }                 }
/// ```
///
/// The ways are those of [ChunkSteps], [ScanParts], [IterateSteps] and [SkewSteps]. Blocks and parts are considered for recurrences that are
/// linear in their states and sum over them; the others are taken on request only. A way that cannot be is declined with the reason.
public record ScheduleRecurrences(Target target, Numerics numerics, Decisions decisions) implements Pass.OnCascade {
  /// The blocks to consider. Smaller ones have little of a product in them; larger ones compare more pairs of steps than that saves.
  private static final List<Integer> BLOCKS = List.of(16, 32, 64);
  /// How many blocks there must be.
  private static final int FEWEST_BLOCKS = 4;
  /// By how much something else must be better than the steps one by one: what the costs do not see, such as masks and copies.
  private static final double MARGIN = 1.4;

  @Override
  public String name() {
    return "schedule-recurrences";
  }

  @Override
  public Numerics needs() {
    return numerics;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    Cascade current = cascade;
    for (Definition definition : cascade.definitions()) {
      if (definition instanceof Recurrence recurrence && !recurrence.steps().isEmpty() && Recurrences.steps(recurrence) > 0) {
        Optional<Mapping.Schedule> schedule = cascade.mapping().schedule(recurrence);
        current = schedule.isPresent() ? forced(recurrence, schedule.get(), current, remarks) : chosen(recurrence, current);
      }
    }
    return current;
  }

  private Cascade forced(Recurrence recurrence, Mapping.Schedule schedule, Cascade cascade, Consumer<Diagnostic> remarks) {
    StepRoles.Decline decline = reason -> remarks.accept(Diagnostic.remark(recurrence.span(),
        "the steps are not taken as `schedule " + schedule.way().text() + "` asks for: " + reason));
    Cascade free = cascade.withMapping(cascade.mapping().withSchedules(
        cascade.mapping().schedules().stream().filter(other -> other != schedule).toList()));
    return scheduled(recurrence, schedule.way(), schedule.number(), free, decline).orElse(free);
  }

  private Optional<Cascade> scheduled(
      Recurrence recurrence, Mapping.Way way, int number, Cascade cascade, StepRoles.Decline decline) {
    boolean reassociates = way == Mapping.Way.CHUNKED || way == Mapping.Way.SCAN;
    if (reassociates && !numerics.allows(Numerics.REASSOCIATE)) {
      decline.because("strict numerics keep the order of the source");
      return Optional.empty();
    }
    return switch (way) {
      case STEPS -> Optional.of(cascade);
      case CHUNKED -> LinearSteps.of(recurrence, decline).flatMap(linear -> new ChunkSteps(cascade, linear, number).chunked(decline));
      case SCAN -> LinearSteps.of(recurrence, decline).map(linear -> new ScanParts(cascade, linear, number).scanned());
      case JACOBI -> StepRoles.of(recurrence, decline).map(roles -> new IterateSteps(cascade, roles).iterated());
      case WAVEFRONT -> new SkewSteps(cascade, recurrence).skewed(decline);
    };
  }

  /// A way to take the steps, and what comes of it.
  private record Alternative(Mapping.Way way, int number, Cascade result) {
    @Override
    public String toString() {
      return way.text() + (way.takesNumber() ? " " + number : "");
    }
  }

  private Cascade chosen(Recurrence recurrence, Cascade cascade) {
    if (Recurrences.isMapped(recurrence, cascade.mapping()) || !numerics.allows(Numerics.REASSOCIATE)) {
      return cascade;
    }
    List<Alternative> alternatives = new ArrayList<>(List.of(new Alternative(Mapping.Way.STEPS, 0, cascade)));
    for (int block : BLOCKS) {
      if (isReadInSums(recurrence) && Recurrences.steps(recurrence) >= (long) FEWEST_BLOCKS * block) {
        consider(recurrence, Mapping.Way.CHUNKED, block, cascade, alternatives);
      }
    }
    if (isReadInSums(recurrence) && target.threads() > 1 && Recurrences.steps(recurrence) >= (long) FEWEST_BLOCKS * target.threads()) {
      consider(recurrence, Mapping.Way.SCAN, target.threads(), cascade, alternatives);
    }
    RecurrenceCosts costs = new RecurrenceCosts(target);
    return alternatives.size() == 1 ? cascade
        : decisions.choose(name() + " " + recurrence.tensors().getFirst().name(), alternatives, alternative ->
            alternative.way == Mapping.Way.STEPS ? costs.of(recurrence) : MARGIN * costs.ofNew(alternative.result, cascade)).result;
  }

  /// Whether the steps sum over a state for something else, so that a block has products to make of that.
  private static boolean isReadInSums(Recurrence recurrence) {
    return StepRoles.of(recurrence, _ -> { }).filter(roles -> recurrence.updates().stream()
        .filter(update -> !roles.carried().containsKey(update.tensor()))
        .anyMatch(update -> Exprs.reductions(update.value())
            .anyMatch(reduce -> Recurrences.accesses(reduce.body()).anyMatch(roles::isCarried)))).isPresent();
  }

  private void consider(Recurrence recurrence, Mapping.Way way, int number, Cascade cascade, List<Alternative> alternatives) {
    scheduled(recurrence, way, number, cascade, _ -> { }).ifPresent(result -> alternatives.add(new Alternative(way, number, result)));
  }
}
