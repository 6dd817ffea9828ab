package dev.einfall.runtime;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.runtime.tuning.TextDigest;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/// The memory of the constants of a program's plans, such as packed weights. Constants that come from the same weights by
/// the same kernels are stored once, also when several plans (for other shapes of the inputs) have them.
final class ConstantPool {

  /// The memory of a constant. Freed when the last plan that holds it lets go.
  static final class Constant {
    private final MemorySegment data;
    private final Usage usage;

    private Constant(long bytes) {
      Arena arena = Arena.ofShared();
      this.data = LargePages.allocate(arena, bytes);
      this.usage = new Usage(arena::close);
    }

    long address() {
      return data.address();
    }

    void release() {
      usage.release();
    }
  }

  /// The constants of a plan, and the launches of its setup that must run to fill those that are new.
  record Held(Map<Buffer, Constant> constants, List<Call> toRun) {
    void release() {
      constants.values().forEach(Constant::release);
    }
  }

  private final Map<String, Constant> constants = new LinkedHashMap<>();

  /// Holds memory for each constant of `plan`, whose setup is `setup`. The caller runs [Held#toRun] before it asks for
  /// the constants of another plan, and releases what it holds.
  Held hold(KernelPlan plan, List<Call> setup) {
    constants.values().removeIf(constant -> constant.usage.isReleased());
    Map<Buffer, String> origins = origins(plan, setup);
    Map<Buffer, Constant> held = new IdentityHashMap<>();
    for (Buffer buffer : plan.constants()) {
      Constant present = constants.get(origins.get(buffer));
      if (present != null && present.usage.acquire()) {
        held.put(buffer, present);
      }
    }
    List<Call> toRun = toRun(setup, held);
    for (Buffer buffer : plan.constants()) {
      held.computeIfAbsent(buffer, _ -> create(origins.get(buffer), buffer));
    }
    return new Held(held, toRun);
  }

  private Constant create(String origin, Buffer buffer) {
    Constant constant = new Constant(buffer.bytes());
    constants.put(origin, constant);
    return constant;
  }

  /// The launches that write a constant that is not held. What else such a launch writes must be new as well.
  private static List<Call> toRun(List<Call> setup, Map<Buffer, Constant> held) {
    Set<Call> toRun = Collections.newSetFromMap(new IdentityHashMap<>());
    int before;
    do {
      before = toRun.size();
      for (Call call : setup) {
        Set<Buffer> written = call.writtenArguments();
        if (!held.keySet().containsAll(written) && toRun.add(call)) {
          written.forEach(buffer -> drop(held, buffer));
        }
      }
    } while (toRun.size() > before);
    return setup.stream().filter(toRun::contains).toList();
  }

  private static void drop(Map<Buffer, Constant> held, Buffer buffer) {
    Constant constant = held.remove(buffer);
    if (constant != null) {
      constant.release();
    }
  }

  /// What each constant comes from: a digest of the kernels that write it and of what these read.
  private static Map<Buffer, String> origins(KernelPlan plan, List<Call> setup) {
    Map<Buffer, String> origins = new IdentityHashMap<>();
    plan.weights().forEach(weight -> origins.put(weight.buffer(), "weight " + weight.key()));
    plan.constants().forEach(buffer -> origins.put(buffer, "empty " + buffer.bytes()));
    for (Call call : setup) {
      List<Buffer> arguments = call.arguments();
      String origin = call.digest() + arguments.stream().map(origins::get).collect(Collectors.joining("\n"));
      for (Buffer buffer : call.writtenArguments()) {
        origins.put(buffer, TextDigest.of(origin + "\n" + arguments.indexOf(buffer)));
      }
    }
    return origins;
  }
}
