package dev.einfall.runtime;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.runtime.device.Device;
import dev.einfall.runtime.device.DeviceMemory;
import dev.einfall.runtime.launch.Usage;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The weights of a program in the memory of a device: each is copied there when a plan needs it that finds it nowhere, and freed when no plan has it any
/// more.
final class DeviceWeights {
  /// A weight that several plans may have.
  private static final class Resident {
    private final DeviceMemory memory;
    private final Usage usage;

    Resident(DeviceMemory memory) {
      this.memory = memory;
      this.usage = new Usage(memory::close);
    }
  }

  /// The weights that a plan has.
  static final class Held {
    private final Map<Buffer, Long> addresses = new IdentityHashMap<>();
    private final List<Resident> residents = new ArrayList<>();

    Map<Buffer, Long> addresses() {
      return addresses;
    }

    void release() {
      residents.forEach(resident -> resident.usage.release());
      residents.clear();
    }
  }

  private final Device device;
  private final Map<String, Resident> all = new LinkedHashMap<>();

  DeviceWeights(Device device) {
    this.device = device;
  }

  /// Holds those of `weights` that `calls` read. The caller releases them.
  Held hold(List<KernelPlan.Weight> weights, List<? extends PlacedCall> calls, Weights stored) {
    all.values().removeIf(resident -> resident.usage.isReleased());
    Map<Buffer, Boolean> read = new IdentityHashMap<>();
    calls.forEach(call -> call.arguments().forEach(buffer -> read.put(buffer, true)));
    Held held = new Held();
    try {
      for (KernelPlan.Weight weight : weights) {
        if (read.containsKey(weight.buffer())) {
          Resident resident = resident(weight.key(), stored);
          held.residents.add(resident);
          held.addresses.put(weight.buffer(), resident.memory.address());
        }
      }
      return held;
    } catch (RuntimeException | Error e) {
      held.release();
      throw e;
    }
  }

  private Resident resident(String key, Weights stored) {
    Resident present = all.get(key);
    if (present != null && present.usage.acquire()) {
      return present;
    }
    MemorySegment data = stored.get(key).data();
    String what = "weight '" + key + "'";
    Resident made = new Resident(device.allocate(data.byteSize(), what));
    device.write(data, made.memory, what);
    all.put(key, made);
    return made;
  }
}
