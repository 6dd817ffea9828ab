package dev.einfall.backends;

/// A kernel that can be run. Safe for use by many threads, each with scratch memory of its own.
///
/// Memory is given by absolute addresses that stay valid during the call. Buffers should start at multiples of 64 bytes:
/// others give the same results, slower.
public interface CompiledKernel {

  /// The number of tasks: the iterations of the kernel's parallel loop, or 1 if it has none.
  int tasks();

  /// The bytes of scratch memory that a call needs.
  long scratchBytes();

  /// The number of parallel loops inside: more than 0 only where there is one task.
  int sections();

  /// Runs the tasks from `begin` (inclusive) to `end` (exclusive).
  ///
  /// @param addresses the addresses of the kernel's parameters, in order
  /// @param scratch the address of [#scratchBytes] bytes for this call alone, at a multiple of 64
  /// @param team shares the parallel loops inside
  /// @throws KernelFault when a `require` of the kernel does not hold; what was stored before stays
  void run(long[] addresses, long scratch, int begin, int end, Team team);

  /// Runs tasks on this thread alone.
  default void run(long[] addresses, long scratch, int begin, int end) {
    run(addresses, scratch, begin, end, new Alone(this, scratch));
  }

  /// Runs iterations of a parallel loop inside, for a [Team].
  ///
  /// @param section which of the loops
  /// @param arguments what the run of the kernel put there
  /// @param scratch memory like that of a run, for this call alone; the leader's own may be that of the run
  void section(int section, long[] arguments, long scratch, int begin, int end);

  /// Does a small part of the work, so that a just-in-time compiler meets this code before real work does: a few
  /// iterations of each loop. Stores some elements of what the kernel defines, which are then meaningless. A kernel that
  /// needs no such preparation does nothing.
  void rehearse(long[] addresses, long scratch, Team team);
}
