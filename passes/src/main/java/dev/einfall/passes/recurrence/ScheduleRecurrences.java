package dev.einfall.passes.recurrence;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Takes the steps of recurrences in the way that a map asks for.
public record ScheduleRecurrences(Numerics numerics) implements Pass.OnCascade {

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
      Optional<Mapping.Schedule> schedule = definition instanceof Recurrence recurrence
          ? cascade.mapping().schedule(recurrence) : Optional.empty();
      if (schedule.isPresent()) {
        current = scheduled((Recurrence) definition, schedule.get(), current, remarks);
      }
    }
    return current;
  }

  private Cascade scheduled(Recurrence recurrence, Mapping.Schedule schedule, Cascade cascade, Consumer<Diagnostic> remarks) {
    StepRoles.Decline decline = reason -> remarks.accept(Diagnostic.remark(recurrence.span(),
        "the steps are not taken as `schedule " + schedule.way().text() + "` asks for: " + reason));
    Cascade free = cascade.withMapping(cascade.mapping().withSchedules(
        cascade.mapping().schedules().stream().filter(other -> other != schedule).toList()));
    if (Recurrences.steps(recurrence) == 0) {
      return free;
    }
    boolean reassociates = schedule.way() == Mapping.Way.CHUNKED || schedule.way() == Mapping.Way.SCAN;
    if (reassociates && !numerics.allows(Numerics.REASSOCIATE)) {
      decline.because("strict numerics keep the order of the source");
      return free;
    }
    return switch (schedule.way()) {
      case CHUNKED -> LinearSteps.of(recurrence, decline)
          .flatMap(linear -> new ChunkSteps(free, linear, schedule.number()).chunked(decline)).orElse(free);
      case SCAN -> LinearSteps.of(recurrence, decline)
          .map(linear -> new ScanParts(free, linear, schedule.number()).scanned()).orElse(free);
      case JACOBI -> StepRoles.of(recurrence, decline).map(roles -> new IterateSteps(free, roles).iterated()).orElse(free);
      case WAVEFRONT -> new SkewSteps(free, recurrence).skewed(decline).orElse(free);
      case STEPS -> free;
    };
  }
}
