package dev.einfall.runtime.launch;

import dev.einfall.backends.CompiledKernel;
import java.util.List;

/// A kernel, and the numbers of the buffers that it is launched with.
public record Launch(CompiledKernel code, List<Integer> arguments) {
  private static final int PARTS_PER_THREAD = 16;

  /// Runs the kernel, and returns when it has ended. Cuts its tasks into ranges: a task computes the same whoever runs it and in whichever range
  /// it is.
  ///
  /// @param addresses of the arguments
  /// @throws dev.einfall.backends.KernelFault when the data is at fault
  public void run(long[] addresses, RunMemory memory, WorkerPool workers) {
    if (code.sections() > 0) {
      workers.lead(code, addresses, memory.scratch());
      return;
    }
    int tasks = code.tasks();
    int parts = Math.min(parts(workers.threads()), tasks);
    workers.run(parts, (part, member) -> {
      int begin = (int) ((long) tasks * part / parts);
      int end = (int) ((long) tasks * (part + 1) / parts);
      code.run(addresses, memory.scratch(member), begin, end);
    });
  }

  /// Many ranges for each thread, so that one that is late, because it slept or the system took its core, holds up the
  /// others for a small part of its share only.
  private static int parts(int threads) {
    return threads == 1 ? 1 : PARTS_PER_THREAD * threads;
  }
}
