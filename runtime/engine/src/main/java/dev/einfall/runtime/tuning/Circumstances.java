package dev.einfall.runtime.tuning;

import dev.einfall.passes.Compute;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;

/// What the code of a program, and the time it takes, depend on besides the program.
public record Circumstances(PipelineOptions options, Host host) {

  /// A line for each, for people.
  public List<String> lines() {
    Target target = options.target();
    return List.of(
        "target vectors of " + target.vectorBytes() + " bytes, " + target.registers() + " registers, " + target.threads()
            + " threads, caches of " + target.l1Bytes() + ", " + target.l2Bytes() + " and " + target.l3Bytes() + " bytes"
            + (target.dots().isEmpty() ? "" : ", dots " + target.dots()) + (target.tiles().isEmpty() ? "" : ", tiles " + target.tiles())
            + (target.warpgroupTiles().isEmpty() ? "" : ", tiles of groups of warps " + target.warpgroupTiles()),
        "numerics " + options.numerics() + (options.compute() == Compute.F32 ? "" : ", compute " + options.compute()),
        "without " + new TreeSet<>(options.without()),
        "forced " + new TreeMap<>(options.decisions().forced()),
        "jdk " + host.jdk(),
        "processor " + host.processor());
  }
}
