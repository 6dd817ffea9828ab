package dev.einfall.backends.jvm;

import dev.einfall.backends.KernelFault;
import dev.einfall.backends.jvm.JvmBackend.Rehearsal;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.management.JMException;

/// Rehearses kernels in turn until HotSpot's optimizing compiler has compiled them all, so that their compilations
/// overlap.
final class WarmUp {
  private static final long SLICE_NANOS = 2_000_000;
  private static final long POLL_NANOS = 15_000_000;
  /// How long a kernel itself may run until it is given up.
  private static final long PATIENCE_NANOS = 3_000_000_000L;
  private static final int MEASURED_CALLS = 8;
  private static final String GENERATED = KernelClass.PACKAGE.replace('/', '.');
  /// Tier 4, in use.
  private static final String OPTIMIZED = " 4 0 ";
  /// What a call may allocate without being suspected of making objects of vectors.
  private static final long TOLERATED_BYTES = 64;

  /// Why a kernel is not fast.
  enum Outcome { NEVER_COMPILED, ALLOCATES }

  private final long end;

  WarmUp(int maxMillis) {
    this.end = System.nanoTime() + maxMillis * 1_000_000L;
  }

  /// Rehearses, and returns the kernels that are not fast.
  Map<Generated, Outcome> run(List<Rehearsal> rehearsals) {
    List<Rehearsal> waiting = new ArrayList<>(rehearsals);
    long poll = System.nanoTime() + POLL_NANOS;
    for (int round = 1; !waiting.isEmpty() && System.nanoTime() < end && round * SLICE_NANOS < PATIENCE_NANOS; round++) {
      waiting.forEach(rehearsal -> rehearse(rehearsal, SLICE_NANOS));
      if (System.nanoTime() > poll) {
        long asked = System.nanoTime();
        Set<String> compiled = compiledMethods();
        waiting.removeIf(rehearsal -> isCompiled(generated(rehearsal), compiled));
        long answered = System.nanoTime();
        poll = answered + Math.max(POLL_NANOS, 4 * (answered - asked));
      }
    }
    Map<Generated, Outcome> slow = new LinkedHashMap<>();
    waiting.forEach(rehearsal -> slow.put(generated(rehearsal), Outcome.NEVER_COMPILED));
    rehearsals.stream().filter(rehearsal -> !slow.containsKey(generated(rehearsal)) && allocates(rehearsal))
        .forEach(rehearsal -> slow.put(generated(rehearsal), Outcome.ALLOCATES));
    return slow;
  }

  private static void rehearse(Rehearsal rehearsal, long nanos) {
    long end = System.nanoTime() + nanos;
    do {
      rehearse(rehearsal);
    } while (System.nanoTime() < end);
  }

  /// @return whether the data of the rehearsal satisfied the kernel
  private static boolean rehearse(Rehearsal rehearsal) {
    try {
      rehearsal.kernel().rehearse(rehearsal.addresses(), rehearsal.scratch(), rehearsal.team());
      return true;
    } catch (KernelFault fault) {
      return false;
    }
  }

  private static Generated generated(Rehearsal rehearsal) {
    return (Generated) rehearsal.kernel();
  }

  private static boolean isCompiled(Generated kernel, Set<String> compiled) {
    String prefix = kernel.code().getClass().getName().replace('/', '+') + ".";
    return kernel.compiledMethods().stream().allMatch(method -> compiled.contains(prefix + method));
  }

  /// The generated methods that the optimizing compiler has compiled, as `package.Class.method`.
  private static Set<String> compiledMethods() {
    try {
      return compiledMethods(CompilerDirectives.command("compilerCodelist"));
    } catch (JMException e) {
      return Set.of();
    }
  }

  /// Those in `list`, whose lines are `number tier state package.Class.method(types)result ...`. There are thousands, few of them
  /// about generated methods: searching for these keeps HotSpot from compiling code that takes lines apart instead of kernels.
  private static Set<String> compiledMethods(String list) {
    Set<String> methods = new LinkedHashSet<>();
    for (int at = list.indexOf(GENERATED); at >= 0; at = list.indexOf(GENERATED, at + 1)) {
      int open = list.indexOf('(', at);
      if (open >= 0 && list.startsWith(OPTIMIZED, at - OPTIMIZED.length())) {
        methods.add(list.substring(at, open).replace('/', '+'));
      }
    }
    return methods;
  }

  private static boolean allocates(Rehearsal rehearsal) {
    if (!(ManagementFactory.getThreadMXBean() instanceof com.sun.management.ThreadMXBean threads)
        || !threads.isThreadAllocatedMemorySupported()) {
      return false;
    }
    long before = threads.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < MEASURED_CALLS; i++) {
      if (!rehearse(rehearsal)) {
        return false;
      }
    }
    return threads.getCurrentThreadAllocatedBytes() - before > MEASURED_CALLS * TOLERATED_BYTES;
  }
}
