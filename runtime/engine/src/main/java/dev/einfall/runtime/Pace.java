package dev.einfall.runtime;

import dev.einfall.backends.KernelFault;
import dev.einfall.backends.jvm.Rehearsal;
import java.util.OptionalDouble;

/// How long a kernel takes.
interface Pace {

  /// The nanoseconds of its first `tasks` tasks; empty if the data of the rehearsal does not suit it.
  OptionalDouble nanos(Rehearsal rehearsal, int tasks);

  /// By the clock.
  static Pace measured() {
    return (rehearsal, tasks) -> {
      try {
        long before = System.nanoTime();
        rehearsal.kernel().run(rehearsal.addresses(), rehearsal.scratch(), 0, tasks);
        return OptionalDouble.of(System.nanoTime() - before);
      } catch (KernelFault _) {
        return OptionalDouble.empty();
      }
    };
  }
}
