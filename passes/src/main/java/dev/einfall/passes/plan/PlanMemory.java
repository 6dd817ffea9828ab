package dev.einfall.passes.plan;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/// Places the intermediate buffers of a run in one arena: buffers that live at the same time lie apart, others share
/// memory. Larger buffers are placed first, each at the lowest offset that is free for as long as it lives.
///
/// ```
/// launch a(X, T)            buffer T: f32[1024] at 0
/// launch b(T, U)      =>    buffer U: f32[1024] at 4096
/// launch c(U, V)            buffer V: f32[1024] at 0
/// launch d(V, Y)            arena 8192
/// ```
public record PlanMemory() implements Pass.OnPlan {
  /// A cache line, and the widest vector.
  private static final long ALIGNMENT = 64;

  @Override
  public String name() {
    return "plan-memory";
  }

  @Override
  public KernelPlan apply(KernelPlan plan, Consumer<Diagnostic> remarks) {
    List<Life> lives = new ArrayList<>(lives(plan).values());
    lives.sort(Comparator.comparingLong((Life life) -> life.buffer.bytes()).reversed());
    Map<Buffer, Long> offsets = new IdentityHashMap<>();
    List<Life> placed = new ArrayList<>();
    long bytes = 0;
    for (Life life : lives) {
      long offset = lowestFree(life, placed, offsets);
      offsets.put(life.buffer, offset);
      placed.add(life);
      bytes = Math.max(bytes, offset + aligned(life.buffer.bytes()));
    }
    List<KernelPlan.Placement> placements = lives(plan).keySet().stream()
        .map(buffer -> new KernelPlan.Placement(buffer, offsets.get(buffer))).toList();
    return new KernelPlan(plan.name(), plan.inputs(), plan.weights(), plan.constants(), plan.setup(), plan.launches(),
        plan.outputs(), new KernelPlan.Arena(placements, bytes));
  }

  /// A buffer, and the first and last launch that use it.
  private record Life(Buffer buffer, int first, int last) {
    boolean overlaps(Life other) {
      return first <= other.last && other.first <= last;
    }
  }

  /// The lives of the buffers that are nothing else than intermediate, in order of their first use.
  private static Map<Buffer, Life> lives(KernelPlan plan) {
    Set<Buffer> outside = Collections.newSetFromMap(new IdentityHashMap<>());
    outside.addAll(plan.inputs());
    outside.addAll(plan.constants());
    plan.weights().forEach(weight -> outside.add(weight.buffer()));
    plan.outputs().forEach(output -> outside.add(output.buffer()));
    Map<Buffer, Life> lives = new LinkedHashMap<>();
    for (int i = 0; i < plan.launches().size(); i++) {
      for (Buffer buffer : plan.launches().get(i).arguments()) {
        if (!outside.contains(buffer)) {
          int first = lives.containsKey(buffer) ? lives.get(buffer).first : i;
          lives.put(buffer, new Life(buffer, first, i));
        }
      }
    }
    return lives;
  }

  private static long lowestFree(Life life, List<Life> placed, Map<Buffer, Long> offsets) {
    List<Life> neighbours = placed.stream().filter(life::overlaps)
        .sorted(Comparator.comparingLong(other -> offsets.get(other.buffer))).toList();
    long offset = 0;
    for (Life other : neighbours) {
      long start = offsets.get(other.buffer);
      if (offset + aligned(life.buffer.bytes()) <= start) {
        return offset;
      }
      offset = Math.max(offset, start + aligned(other.buffer.bytes()));
    }
    return offset;
  }

  /// The room that `bytes` take.
  static long aligned(long bytes) {
    return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
  }
}
