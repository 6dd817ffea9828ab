package dev.einfall.runtime.launch;

import java.util.Map;

/// Where the buffers of a plan are that do not change from run to run, by their numbers.
///
/// @param fixed the addresses of those that all runs share, such as weights
/// @param placements where in the memory of a run each intermediate result lies
/// @param arenaBytes the size of that memory
public record Layout(Map<Integer, Long> fixed, Map<Integer, Long> placements, long arenaBytes) {
  public Layout {
    fixed = Map.copyOf(fixed);
    placements = Map.copyOf(placements);
  }
}
