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

  /// Runs the tasks from `begin` (inclusive) to `end` (exclusive).
  ///
  /// @param addresses the addresses of the kernel's parameters, in order
  /// @param scratch the address of [#scratchBytes] bytes for this call alone, at a multiple of 64
  /// @throws KernelFault when a `require` of the kernel does not hold; what was stored before stays
  void run(long[] addresses, long scratch, int begin, int end);

  /// Does a small part of the work, so that a just-in-time compiler meets this code before real work does: a few
  /// iterations of each loop. Stores some elements of what the kernel defines, which are then meaningless. A kernel that
  /// needs no such preparation does nothing.
  void rehearse(long[] addresses, long scratch);
}
