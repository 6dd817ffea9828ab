package dev.einfall.backends;

/// Threads that share the parallel loops inside of one run of a kernel, one loop after the other. The thread that runs the kernel
/// leads: it does everything else alone, and takes part in the loops.
public interface Team {

  /// Where the leader puts at least `count` arguments for the next loop. It belongs to the team.
  long[] arguments(int count);

  /// Runs the iterations from `begin` (inclusive) to `end` (exclusive) of a loop by [CompiledKernel#section], and returns when
  /// all have ended. What the leader stored before is seen by all, and what they store by the leader after.
  ///
  /// @throws RuntimeException what an iteration threw
  void share(int section, int begin, int end);
}
