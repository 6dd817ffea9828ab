package dev.einfall.runtime;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.runtime.launch.LargePages;
import dev.einfall.runtime.launch.Usage;
import dev.einfall.runtime.tuning.TextDigest;
import java.lang.foreign.Arena;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongFunction;
import java.util.stream.Collectors;

/// The memory of the constants of a program's plans, such as packed weights. Constants that come from the same weights by
/// the same kernels are stored once, also when several plans (for other shapes of the inputs) have them.
final class ConstantPool {

  /// Where constants lie.
  ///
  /// @param free frees it
  record Place(long address, Runnable free) {

    /// Memory of this process.
    static Place ofHost(long bytes) {
      Arena arena = Arena.ofShared();
      return new Place(LargePages.allocate(arena, bytes).address(), arena::close);
    }
  }

  /// The memory of a constant. Freed when the last plan that holds it lets go.
  static final class Constant {
    private final long address;
    private final Usage usage;

    private Constant(Place place) {
      this.address = place.address;
      this.usage = new Usage(place.free);
    }

    long address() {
      return address;
    }

    void release() {
      usage.release();
    }
  }

  /// The constants of a plan, and the launches of its setup that must run to fill those that are new.
  ///
  /// @param steps what is only on the way to others
  record Held<C extends PlacedCall>(Map<Buffer, Constant> constants, Map<Buffer, Constant> steps, List<C> toRun) {

    /// The address of each, valid until [#releaseSteps] for those that are only on the way to others.
    Map<Buffer, Long> addresses() {
      Map<Buffer, Long> addresses = new IdentityHashMap<>();
      constants.forEach((buffer, constant) -> addresses.put(buffer, constant.address()));
      steps.forEach((buffer, constant) -> addresses.put(buffer, constant.address()));
      return addresses;
    }

    /// To be called once, when the launches have run.
    void releaseSteps() {
      steps.values().forEach(Constant::release);
      steps.clear();
    }

    void release() {
      constants.values().forEach(Constant::release);
      releaseSteps();
    }
  }

  private final LongFunction<Place> memory;
  private final Map<String, Constant> constants = new LinkedHashMap<>();

  /// @param memory gives memory of so many bytes
  ConstantPool(LongFunction<Place> memory) {
    this.memory = memory;
  }

  /// Holds memory for each constant of `plan` that its `launches` read, and for what its `setup` needs to fill those that are new. The caller
  /// runs [Held#toRun] before it asks for the constants of another plan, and releases what it holds.
  <C extends PlacedCall> Held<C> hold(KernelPlan plan, List<C> setup, List<C> launches) {
    constants.values().removeIf(constant -> constant.usage.isReleased());
    Map<Buffer, String> origins = origins(plan, setup);
    Set<Buffer> all = Collections.newSetFromMap(new IdentityHashMap<>());
    all.addAll(plan.constants());
    Map<Buffer, Constant> held = new IdentityHashMap<>();
    for (Buffer buffer : plan.constants()) {
      Constant present = constants.get(origins.get(buffer));
      if (present != null && present.usage.acquire()) {
        held.put(buffer, present);
      }
    }
    Set<Buffer> needed = Collections.newSetFromMap(new IdentityHashMap<>());
    launches.forEach(call -> needed.addAll(call.arguments()));
    needed.retainAll(all);
    List<C> toRun = toRun(setup, held, needed, all);
    Map<Buffer, Constant> lasting = new IdentityHashMap<>();
    Map<Buffer, Constant> steps = new IdentityHashMap<>();
    for (Buffer buffer : plan.constants()) {
      if (needed.contains(buffer)) {
        lasting.put(buffer, held.containsKey(buffer) ? held.get(buffer) : create(origins.get(buffer), buffer));
      } else if (toRun.stream().anyMatch(call -> call.arguments().contains(buffer))) {
        steps.put(buffer, held.containsKey(buffer) ? held.get(buffer) : create(origins.get(buffer), buffer));
      } else {
        drop(held, buffer);
      }
    }
    return new Held<>(lasting, steps, toRun);
  }

  private Constant create(String origin, Buffer buffer) {
    Constant constant = new Constant(memory.apply(buffer.bytes()));
    constants.put(origin, constant);
    return constant;
  }

  /// The launches that write a constant that is needed and not held, and those that write what these read. What else such a launch writes must
  /// be new as well.
  private static <C extends PlacedCall> List<C> toRun(List<C> setup, Map<Buffer, Constant> held, Set<Buffer> needed, Set<Buffer> constants) {
    Set<C> toRun = Collections.newSetFromMap(new IdentityHashMap<>());
    Set<Buffer> missing = Collections.newSetFromMap(new IdentityHashMap<>());
    needed.stream().filter(buffer -> !held.containsKey(buffer)).forEach(missing::add);
    int before;
    do {
      before = toRun.size();
      for (C call : setup) {
        Set<Buffer> written = call.writtenArguments();
        if (written.stream().anyMatch(missing::contains) && toRun.add(call)) {
          written.forEach(buffer -> drop(held, buffer));
          missing.addAll(written);
          call.arguments().stream().filter(buffer -> constants.contains(buffer) && !held.containsKey(buffer)).forEach(missing::add);
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
  private static Map<Buffer, String> origins(KernelPlan plan, List<? extends PlacedCall> setup) {
    Map<Buffer, String> origins = new IdentityHashMap<>();
    plan.weights().forEach(weight -> origins.put(weight.buffer(), "weight " + weight.key()));
    plan.constants().forEach(buffer -> origins.put(buffer, "empty " + buffer.bytes()));
    for (PlacedCall call : setup) {
      List<Buffer> arguments = call.arguments();
      String origin = call.digest() + arguments.stream().map(origins::get).collect(Collectors.joining("\n"));
      for (Buffer buffer : call.writtenArguments()) {
        origins.put(buffer, TextDigest.of(origin + "\n" + arguments.indexOf(buffer)));
      }
    }
    return origins;
  }
}
