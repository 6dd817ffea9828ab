package dev.einfall.backends.cuda;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.KernelPlan;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Where the buffers of a plan lie in the one allocation on the device: weights first, as they lie in their file, then constants, the arena,
/// what blocks share beyond their own memory, and inputs and outputs for callers who have them in host memory.
///
/// @param offsets in bytes from the start, by the buffer
/// @param weightBytes of the file of weights
/// @param inputsAt where inputs and outputs of the host begin: nothing after it is needed by callers who have theirs on the device
/// @param bytes all together
record DeviceLayout(Map<Buffer, Long> offsets, long weightBytes, long scratchAt, long inputsAt, long bytes) {
  /// What the transfers and the caches of a GPU like; every pointer of `cudaMalloc` has it.
  static final int ALIGNMENT = 256;

  static DeviceLayout of(KernelPlan plan, long scratchBytes) {
    Map<Buffer, Long> offsets = new LinkedHashMap<>();
    long weights = place(plan.weights().stream().map(KernelPlan.Weight::buffer).toList(), 0, offsets);
    long arena = place(plan.constants(), weights, offsets);
    for (KernelPlan.Placement placement : plan.arena().placements()) {
      offsets.put(placement.buffer(), arena + placement.offset());
    }
    long scratch = aligned(arena + plan.arena().bytes());
    long inputs = aligned(scratch + scratchBytes);
    long outputs = place(plan.inputs(), inputs, offsets);
    long end = place(plan.outputs().stream().map(KernelPlan.Output::buffer).toList(), outputs, offsets);
    return new DeviceLayout(offsets, weights, scratch, inputs, end);
  }

  private static long place(List<Buffer> buffers, long start, Map<Buffer, Long> offsets) {
    long at = start;
    for (Buffer buffer : buffers) {
      offsets.put(buffer, at);
      at = aligned(at + buffer.bytes());
    }
    return at;
  }

  private static long aligned(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
