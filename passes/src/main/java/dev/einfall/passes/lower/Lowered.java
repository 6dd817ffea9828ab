package dev.einfall.passes.lower;

import dev.einfall.ir.loop.KernelPlan;
import java.util.List;

/// A plan of naive kernels, and the schedule of each launch: first those of the setup, then those of every run.
public record Lowered(KernelPlan plan, List<Schedule> schedules) {
  public Lowered {
    schedules = List.copyOf(schedules);
  }
}
