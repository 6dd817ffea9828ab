package dev.einfall.passes.lower;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.SharedRanks;
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
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// Turns every Einsum, fusion group of Einsums, or recurrence into a kernel: one loop for each rank, in the order of the
/// ranks.
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
/// A recurrence is serial loops over its steps around the loops of its updates; its states are copies of their bases, or
/// take the buffer of a base that nothing else reads.
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

  /// The Einsum that gives `state` what it starts as.
  static Einsum start(Recurrence.State state, Span span) {
    List<Rank> ranks = state.tensor().shape().stream().map(size -> new Rank("i", size)).toList();
    List<Expr> indices = ranks.stream().<Expr>map(Expr.Coordinate::new).toList();
    return new Einsum(state.tensor(), ranks, switch (state.start()) {
      case Recurrence.Start.Copy(Tensor base) -> new Expr.Access(base, indices);
      case Recurrence.Start.Fill(Expr value) -> value;
    }, span);
  }

  private static final class Lowering {
    private final Cascade cascade;
    private final Set<Tensor> constant;
    private final Map<Tensor, List<Definition>> readers = new IdentityHashMap<>();
    private final Map<Tensor, Buffer> buffers = new IdentityHashMap<>();
    private final Map<Tensor, Tensor> shared = new IdentityHashMap<>();
    private final List<KernelPlan.Launch> setup = new ArrayList<>();
    private final List<KernelPlan.Launch> launches = new ArrayList<>();
    private final List<Schedule> setupSchedules = new ArrayList<>();
    private final List<Schedule> launchSchedules = new ArrayList<>();

    Lowering(Cascade cascade) {
      this.cascade = cascade;
      this.constant = Constants.of(cascade);
      cascade.definitions().forEach(definition -> definition.reads().forEach(tensor ->
          readers.computeIfAbsent(tensor, _ -> new ArrayList<>()).add(definition)));
    }

    Lowered lowered() {
      List<Buffer> constants = new ArrayList<>();
      shareBuffers();
      for (List<Definition> members : LaunchOrder.of(cascade)) {
        List<Tensor> tensors = members.stream().flatMap(member -> member.tensors().stream()).toList();
        boolean once = constant.containsAll(tensors);
        lower(members, once);
        if (once) {
          boolean isGrouped = group(members.getLast()).isPresent();
          tensors.stream().filter(tensor -> !isLocal(tensor, members, isGrouped)).map(this::buffer)
              .filter(buffer -> !constants.contains(buffer)).forEach(constants::add);
        }
      }
      KernelPlan plan = new KernelPlan(
          cascade.name(),
          cascade.inputs().stream().map(this::buffer).toList(),
          cascade.weights().stream().map(weight -> new KernelPlan.Weight(buffer(weight.tensor()), weight.key())).toList(),
          constants, setup, launches,
          cascade.outputs().stream()
              .map(output -> new KernelPlan.Output(output.name(), buffer(output.tensor()), start(output.tensor()))).toList(),
          arena(constants));
      List<Schedule> schedules = new ArrayList<>(setupSchedules);
      schedules.addAll(launchSchedules);
      return new Lowered(plan, schedules);
    }

    private List<Definition> members(Definition definition) {
      return group(definition).map(group -> cascade.definitions().stream()
          .filter(member -> group.members().contains(member.tensors().getFirst())).toList()).orElse(List.of(definition));
    }

    private Optional<Mapping.Group> group(Definition definition) {
      return cascade.mapping().group(definition.tensors().getFirst());
    }

    private void lower(List<Definition> members, boolean once) {
      Definition definition = members.getLast();
      Mapping.Group group = group(definition).orElseGet(() -> alone(definition));
      boolean isGrouped = group(definition).isPresent();
      members.forEach(member -> startOutside(member, isGrouped, once));
      SharedRanks shared = new SharedRanks(members, group.shared());
      members.forEach(member -> requireInside(member, shared, members, isGrouped));
      KernelBuilder builder = new KernelBuilder(members, shared, group.tile(), tensor -> isLocal(tensor, members, isGrouped),
          state -> isGrouped && !isInPlace(state), cascade.mapping());
      launch(builder.build(isGrouped || group.shared().isEmpty()), once);
    }

    /// What tiles compute for themselves alone is stored nowhere: elements might be missing, or written by two threads at a time.
    private void requireInside(Definition member, SharedRanks shared, List<Definition> members, boolean isGrouped) {
      member.tensors().stream().filter(tensor -> shared.isWindowed(tensor) && !isLocal(tensor, members, isGrouped)).forEach(tensor -> {
        throw new CompileException(Diagnostic.error(member.span(), "`" + tensor.name() + "` is needed outside of its group, which computes "
            + "it at other places than its own: take it out of `fuse`"));
      });
    }

    /// A recurrence that nothing is said of shares the first rank that it can with itself, so that threads have tasks.
    private static Mapping.Group alone(Definition definition) {
      List<String> shared = switch (definition) {
        case Einsum _ -> List.of();
        case Recurrence recurrence -> recurrence.updates().getFirst().ranks().stream().map(Rank::name)
            .filter(name -> new SharedRanks(List.of(recurrence), List.of(name)).problem().isEmpty())
            .limit(1).toList();
      };
      return new Mapping.Group(definition.tensors(), shared);
    }

    /// Launches the copies that states start as, of a recurrence whose kernel does not make them itself.
    private void startOutside(Definition definition, boolean isGrouped, boolean once) {
      if (definition instanceof Recurrence recurrence && !isGrouped) {
        recurrence.states().stream().filter(state -> !isInPlace(state)).map(state -> LowerEinsums.start(state, recurrence.span()))
            .forEach(copy -> launch(new KernelBuilder(List.of(copy), new SharedRanks(List.of(copy), List.of()), 1, _ -> false,
                _ -> false, Mapping.NONE).build(true), once));
      }
    }

    private boolean isInPlace(Recurrence.State state) {
      return state.base().filter(base -> buffer(state.tensor()) == buffer(base)).isPresent()
          || start(owner(state.tensor())).isPresent();
    }

    private void launch(KernelBuilder.Result result, boolean once) {
      List<Buffer> arguments = result.tensors().stream().map(this::buffer).toList();
      (once ? setup : launches).add(new KernelPlan.Launch(result.kernel(), arguments));
      (once ? setupSchedules : launchSchedules).add(result.schedule());
    }

    /// A state takes the buffer of its base where nothing else reads that.
    private void shareBuffers() {
      for (Definition definition : cascade.definitions()) {
        if (definition instanceof Recurrence recurrence) {
          boolean isGrouped = group(recurrence).isPresent();
          recurrence.states().stream().filter(state -> !isLocal(state.tensor(), members(recurrence), isGrouped))
              .forEach(state -> state.base().filter(base -> isGivenUp(base, recurrence))
                  .ifPresent(base -> shared.put(base, state.tensor())));
        }
      }
    }

    private boolean isGivenUp(Tensor base, Recurrence recurrence) {
      boolean computed = cascade.definitions().stream().anyMatch(definition -> definition.tensors().contains(base));
      boolean sameTime = constant.contains(base) == constant.contains(recurrence.tensors().getFirst());
      return computed && sameTime && isReadNowhereElse(base, recurrence);
    }

    /// The input that `output` starts as, if that is used for nothing else.
    private Optional<Buffer> start(Tensor output) {
      boolean isOutput = cascade.outputs().stream().anyMatch(result -> result.tensor() == output);
      return cascade.definitions().stream()
          .flatMap(definition -> definition instanceof Recurrence recurrence && isOutput
              ? recurrence.states().stream()
                  .filter(state -> earliest(output) == state.tensor())
                  .flatMap(state -> state.base().stream())
                  .filter(base -> cascade.inputs().contains(base) && isReadNowhereElse(base, recurrence)) : Stream.empty())
          .map(this::buffer).findFirst();
    }

    /// The first of the tensors that share the buffer of `tensor`.
    private Tensor earliest(Tensor tensor) {
      return shared.entrySet().stream().filter(entry -> entry.getValue() == tensor).map(entry -> earliest(entry.getKey()))
          .findFirst().orElse(tensor);
    }

    private boolean isReadNowhereElse(Tensor base, Recurrence recurrence) {
      boolean output = cascade.outputs().stream().anyMatch(result -> result.tensor() == base);
      long starts = recurrence.states().stream().filter(state -> state.base().filter(base::equals).isPresent()).count();
      boolean read = recurrence.exprs().anyMatch(expr -> reads(expr, base))
          || cascade.definitions().stream().anyMatch(other -> other != recurrence && other.reads().anyMatch(tensor -> tensor == base));
      return !output && starts == 1 && !read;
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

    /// Whether only members of its own group read `tensor`.
    private boolean isLocal(Tensor tensor, List<Definition> members, boolean isGrouped) {
      return isGrouped
          && cascade.outputs().stream().noneMatch(output -> output.tensor() == tensor)
          && readers.getOrDefault(tensor, List.of()).stream().allMatch(reader -> members.stream().anyMatch(member -> member == reader));
    }

    private static boolean reads(Expr value, Tensor tensor) {
      return value.nodes().anyMatch(node -> node instanceof Expr.Access access && access.tensor() == tensor);
    }

    /// The last of the tensors that share the buffer of `tensor`.
    private Tensor owner(Tensor tensor) {
      return shared.containsKey(tensor) ? owner(shared.get(tensor)) : tensor;
    }

    private Buffer buffer(Tensor tensor) {
      return buffers.computeIfAbsent(owner(tensor), _ -> new Buffer(
          tensor.name(), tensor.type(), tensor.shape().stream().map(Size::value).toList(), Buffer.Space.GLOBAL));
    }
  }
}
