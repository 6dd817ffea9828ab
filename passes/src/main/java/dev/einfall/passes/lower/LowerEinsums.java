package dev.einfall.passes.lower;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Pass;
import dev.einfall.passes.cascade.Constants;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/// Turns every Einsum, or fusion group of Einsums, into a kernel: one loop for each rank, in the order of the ranks.
///
/// ```
/// Y[m] = max(sum[k](A[m, k]), 0.0)     =>     kernel Y(A: f32[4, 9], Y: f32[4]) {
///                                               for m in 0..4 {
///                                                 alloc sum: f32[] in local {
///                                                   sum[] = 0.0
///                                                   for k in 0..9 {
///                                                     sum[] = sum[] + A[m, k]
///                                                   }
///                                                   Y[m] = max(sum[], 0.0)
///                                                 }
///                                               }
///                                             }
/// ```
///
/// Every size must be bound. Kernels that depend on weights alone are launched in the setup. Indices that may leave the
/// bounds are clamped: where the source has `or`, its value replaces the element; where an index depends on data, a
/// `require` before the element ends the run.
public record LowerEinsums() implements Pass.Lowering {

  @Override
  public String name() {
    return "lower-einsums";
  }

  @Override
  public KernelPlan apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    return lower(cascade).plan();
  }

  /// The plan, and what the cascade's mapping says of each of its kernels.
  public Lowered lower(Cascade cascade) {
    return new Lowering(cascade).lowered();
  }

  private static final class Lowering {
    private final Cascade cascade;
    private final Set<Tensor> constant;
    private final Map<Tensor, Buffer> buffers = new IdentityHashMap<>();
    private final List<KernelPlan.Launch> setup = new ArrayList<>();
    private final List<KernelPlan.Launch> launches = new ArrayList<>();
    private final List<Schedule> setupSchedules = new ArrayList<>();
    private final List<Schedule> launchSchedules = new ArrayList<>();

    Lowering(Cascade cascade) {
      this.cascade = cascade;
      this.constant = Constants.of(cascade);
    }

    Lowered lowered() {
      List<Buffer> constants = new ArrayList<>();
      for (List<Einsum> members : kernels()) {
        boolean once = members.stream().allMatch(member -> constant.contains(member.tensor()));
        KernelBuilder builder = new KernelBuilder(members, shared(members), this::isLocal, cascade.mapping());
        KernelBuilder.Result result = builder.build();
        List<Buffer> arguments = result.tensors().stream().map(this::buffer).toList();
        (once ? setup : launches).add(new KernelPlan.Launch(result.kernel(), arguments));
        (once ? setupSchedules : launchSchedules).add(result.schedule());
        if (once) {
          constants.add(buffer(members.getFirst().tensor()));
        }
      }
      KernelPlan plan = new KernelPlan(
          cascade.name(),
          cascade.inputs().stream().map(this::buffer).toList(),
          cascade.weights().stream().map(weight -> new KernelPlan.Weight(buffer(weight.tensor()), weight.key())).toList(),
          constants, setup, launches,
          cascade.outputs().stream().map(output -> new KernelPlan.Output(output.name(), buffer(output.tensor()))).toList(),
          arena(constants));
      List<Schedule> schedules = new ArrayList<>(setupSchedules);
      schedules.addAll(launchSchedules);
      return new Lowered(plan, schedules);
    }

    /// Every intermediate buffer in a place of its own.
    private KernelPlan.Arena arena(List<Buffer> constants) {
      Set<Buffer> elsewhere = new LinkedHashSet<>(constants);
      cascade.inputs().forEach(tensor -> elsewhere.add(buffer(tensor)));
      cascade.weights().forEach(weight -> elsewhere.add(buffer(weight.tensor())));
      cascade.outputs().forEach(output -> elsewhere.add(buffer(output.tensor())));
      List<KernelPlan.Placement> placements = new ArrayList<>();
      long bytes = 0;
      for (KernelPlan.Launch launch : launches) {
        for (Buffer buffer : launch.arguments()) {
          if (elsewhere.add(buffer)) {
            placements.add(new KernelPlan.Placement(buffer, bytes));
            bytes += Math.ceilDiv(buffer.bytes(), 64L) * 64;
          }
        }
      }
      return new KernelPlan.Arena(placements, bytes);
    }

    /// The Einsums in launch order, those of one group together at the place of its last member.
    private List<List<Einsum>> kernels() {
      List<List<Einsum>> kernels = new ArrayList<>();
      for (Einsum einsum : cascade.einsums()) {
        List<Tensor> members = cascade.mapping().group(einsum.tensor()).map(Mapping.Group::members).orElse(List.of(einsum.tensor()));
        if (members.getLast() == einsum.tensor()) {
          kernels.add(cascade.einsums().stream().filter(member -> members.contains(member.tensor())).toList());
        }
      }
      return kernels;
    }

    private int shared(List<Einsum> members) {
      return cascade.mapping().group(members.getFirst().tensor()).map(Mapping.Group::shared).orElse(0);
    }

    /// Whether only Einsums of its own group read `tensor`.
    private boolean isLocal(Tensor tensor) {
      List<Tensor> members = cascade.mapping().group(tensor).map(Mapping.Group::members).orElse(List.of());
      return !members.isEmpty()
          && cascade.outputs().stream().noneMatch(output -> output.tensor() == tensor)
          && cascade.einsums().stream()
              .filter(einsum -> !members.contains(einsum.tensor()))
              .noneMatch(einsum -> reads(einsum.value(), tensor));
    }

    private static boolean reads(dev.einfall.ir.cascade.Expr value, Tensor tensor) {
      return value.nodes().anyMatch(node -> node instanceof dev.einfall.ir.cascade.Expr.Access access && access.tensor() == tensor);
    }

    private Buffer buffer(Tensor tensor) {
      return buffers.computeIfAbsent(tensor, _ -> new Buffer(
          tensor.name(), tensor.type(), tensor.shape().stream().map(Size::value).toList(), Buffer.Space.GLOBAL));
    }
  }
}
