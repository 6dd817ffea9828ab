package dev.einfall.runtime.plans;

import java.util.List;
import java.util.Set;

/// A kernel as it is kept: its code, and what must be known of it without its loops.
///
/// @param digest equal for equal kernels
/// @param parameterBytes the sizes of its parameters
/// @param written the parameters that it stores to, by their places
/// @param least what a task of it takes at least
/// @param isSlow whether it was known to take many times as long when it was kept, for want of something better
public record StoredKernel(String digest, StoredCode code, List<Long> parameterBytes, Set<Integer> written, Least least, boolean isSlow) {

  /// The fewest cycles of a task, by [dev.einfall.passes.analysis.LeastCycles].
  ///
  /// @param computes whether its operations are most of them
  public record Least(double cycles, boolean computes) {}
}
