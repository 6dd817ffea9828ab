package dev.einfall.passes.plan;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Pass;
import dev.einfall.passes.loop.KernelPieces;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// Makes several kernels of one that consists of several loops, for a GPU: the blocks of a kernel cannot wait for each other, so that all of these
/// loops would be one block. Launches wait for those before them.
///
/// ```
/// kernel Y(X: f32[9999], Y: f32[9999]) {        kernel Z(X: f32[9999], Z: f32[9999]) {
///   alloc Z: f32[9999] in local {                 for i in 0..9999 { Z[i] = .. X[i] .. }
///     for i in 0..9999 { Z[i] = .. X[i] .. }    }
///     for i in 0..9999 { Y[i] = .. Z[..] .. }   kernel Y(Z: f32[9999], Y: f32[9999]) {
///   }                                      =>     for i in 0..9999 { Y[i] = .. Z[..] .. }
/// }                                             }
/// launch Y(X, Y)                                launch Z(X, Z)
///                                               launch Y(Z, Y)
/// ```
///
/// A local buffer that several of them use becomes one of the plan. What is checked before a loop is checked in each iteration of it. A nest of
/// independent loops has a kernel of its own where that is worth a launch; all that stands between two of them shares one. Loops whose steps
/// depend on each other, such as those of a recurrence, are not divided, whatever stands inside: a launch for each step takes longer than
/// most steps do, and one block keeps what its threads share at hand.
///
/// What runs once, before the first run, is left as it is.
///
/// @param work about so many operations are worth a launch
public record SplitKernels(int work) implements Pass.OnPlan {
  /// What a block does in the time of a launch.
  public static final int WORK = 1 << 16;

  public SplitKernels() {
    this(WORK);
  }

  @Override
  public String name() {
    return "split-kernels";
  }

  @Override
  public Machines machines() {
    return Machines.GPUS;
  }

  @Override
  public KernelPlan apply(KernelPlan plan, Consumer<Diagnostic> remarks) {
    Map<Kernel, List<Kernel>> done = new IdentityHashMap<>();
    List<KernelPlan.Launch> launches = new ArrayList<>();
    List<Buffer> added = new ArrayList<>();
    for (KernelPlan.Launch launch : plan.launches()) {
      List<Kernel> pieces = done.computeIfAbsent(launch.kernel(), kernel -> KernelPieces.of(kernel, work));
      launches.addAll(launched(launch, pieces, added));
    }
    return launches.equals(plan.launches()) ? plan : new KernelPlan(plan.name(), plan.inputs(), plan.weights(), plan.constants(), plan.setup(),
        launches, plan.outputs(), with(plan.arena(), added));
  }

  /// The launches of `pieces` in the place of `launch`, with new buffers for the parameters that its kernel does not have.
  private static List<KernelPlan.Launch> launched(KernelPlan.Launch launch, List<Kernel> pieces, List<Buffer> added) {
    if (pieces.size() == 1 && pieces.getFirst() == launch.kernel()) {
      return List.of(launch);
    }
    Map<Buffer, Buffer> arguments = new IdentityHashMap<>();
    for (int i = 0; i < launch.arguments().size(); i++) {
      arguments.put(launch.kernel().parameters().get(i), launch.arguments().get(i));
    }
    return pieces.stream().map(piece -> new KernelPlan.Launch(piece, piece.parameters().stream().map(parameter -> arguments.computeIfAbsent(parameter, _ -> {
      added.add(new Buffer(parameter.name(), parameter.type(), parameter.extents(), Buffer.Space.GLOBAL));
      return added.getLast();
    })).toList())).toList();
  }

  /// The arena with `added` at its end, until memory is planned.
  private static KernelPlan.Arena with(KernelPlan.Arena arena, List<Buffer> added) {
    List<KernelPlan.Placement> placements = new ArrayList<>(arena.placements());
    long bytes = arena.bytes();
    for (Buffer buffer : added) {
      placements.add(new KernelPlan.Placement(buffer, bytes));
      bytes += PlanMemory.aligned(buffer.bytes());
    }
    return new KernelPlan.Arena(placements, bytes);
  }
}
