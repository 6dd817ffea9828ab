package dev.einfall.passes;

import dev.einfall.passes.loop.FuseMultiplyAdds;
import java.util.Set;

/// What a program is compiled for. Whatever is compiled with other options is other code.
///
/// @param target the machine
/// @param numerics how far results may be from the order and the roundings of the source
/// @param without the names of passes to leave out: such as do nothing but make programs faster
/// @param decisions how passes choose among alternatives
/// @param compute what the factors of products are rounded to
public record PipelineOptions(Target target, Numerics numerics, Set<String> without, Decisions decisions, Compute compute) {
  public PipelineOptions {
    without = Set.copyOf(without);
    without.stream().filter(name -> !PassCatalog.names().contains(name)).sorted().findFirst().ifPresent(name -> {
      throw new IllegalArgumentException("unknown pass " + name + " to leave out; there are " + String.join(", ", PassCatalog.names()));
    });
  }

  /// The usual options for `target`.
  public static PipelineOptions of(Target target) {
    return new PipelineOptions(target, Numerics.REASSOCIATE, Set.of(), Decisions.byCost(), Compute.F32);
  }

  public PipelineOptions withNumerics(Numerics newNumerics) {
    return new PipelineOptions(target, newNumerics, without, decisions, compute);
  }

  public PipelineOptions without(Set<String> newPasses) {
    return new PipelineOptions(target, numerics, newPasses, decisions, compute);
  }

  public PipelineOptions withDecisions(Decisions newDecisions) {
    return new PipelineOptions(target, numerics, without, newDecisions, compute);
  }

  public PipelineOptions withCompute(Compute newCompute) {
    return new PipelineOptions(target, numerics, without, decisions, newCompute);
  }

  /// Whether `pass` may run.
  boolean allows(Pass pass) {
    boolean isPossible = target.fusesMultiplyAdds() || !(pass instanceof FuseMultiplyAdds);
    return isPossible && pass.machines().include(target) && numerics.allows(pass.needs()) && !without.contains(pass.name());
  }
}
