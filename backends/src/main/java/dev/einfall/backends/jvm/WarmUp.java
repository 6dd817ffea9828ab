package dev.einfall.backends.jvm;

import dev.einfall.backends.KernelFault;
import dev.einfall.backends.jvm.JvmBackend.Rehearsal;
import dev.einfall.ir.Diagnostic;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.management.JMException;

/// Rehearses kernels in turn until HotSpot's optimizing compiler has compiled them all, so that their compilations
/// overlap. For use by one thread.
public final class WarmUp {
  private static final long SLICE_NANOS = 2_000_000;
  private static final long POLL_NANOS = 15_000_000;
  /// How long a kernel itself may run until it is given up: of a processor's time, of which the JIT gets its share where others want it, too.
  private static final long PATIENCE_NANOS = 3_000_000_000L;
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final int MEASURED_CALLS = 8;
  private static final String GENERATED = KernelClass.PACKAGE.replace('/', '.');
  /// Tier 4, in use.
  private static final String OPTIMIZED = " 4 0 ";
  /// What a call may allocate without being suspected of making objects of vectors.
  private static final long TOLERATED_BYTES = 64;

  /// Why a kernel is not fast.
  public enum Outcome {
    /// While others were, until there was no time left.
    LATE(" was not compiled by the JIT during warm-up: it may run slowly at first, or for good"),
    /// However long it ran.
    NEVER_COMPILED(" was not compiled by the JIT during warm-up: it may run slowly at first, or for good"),
    ALLOCATES(" allocates memory while it runs: the JIT keeps vectors in objects, which is very slow");

    private final String text;

    Outcome(String text) {
      this.text = text;
    }

    /// What to say of such a kernel, after its name.
    public String text() {
      return text;
    }
  }

  /// A kernel that is not compiled yet.
  private static final class Waiting {
    private final Rehearsal rehearsal;
    private long nanos;

    private Waiting(Rehearsal rehearsal) {
      this.rehearsal = rehearsal;
    }
  }

  private final int maxMillis;
  private final List<Waiting> waiting = new ArrayList<>();
  private final List<Rehearsal> compiled = new ArrayList<>();
  private final List<Rehearsal> givenUp = new ArrayList<>();
  private long poll = System.nanoTime() + POLL_NANOS;
  private long end;

  /// @param maxMillis how long it takes at most for what was added last; 0 to rehearse nothing
  WarmUp(int maxMillis) {
    this.maxMillis = maxMillis;
  }

  /// Whether nothing is to be rehearsed.
  public boolean isPointless() {
    return maxMillis == 0;
  }

  public void add(Rehearsal rehearsal) {
    if (generated(rehearsal).methods().values().stream().anyMatch(size -> size >= KernelClass.NEVER_COMPILED_BYTES)) {
      // There is nothing to wait for.
      givenUp.add(rehearsal);
      return;
    }
    waiting.add(new Waiting(rehearsal));
    end = System.nanoTime() + maxMillis * 1_000_000L;
  }

  /// Whether there is nothing to rehearse, or no time left.
  public boolean isDone() {
    return waiting.isEmpty() || System.nanoTime() - end >= 0;
  }

  /// Rehearses each kernel for a moment.
  public void round() {
    waiting.forEach(one -> {
      long before = THREADS.getCurrentThreadCpuTime();
      rehearse(one.rehearsal, SLICE_NANOS);
      one.nanos += THREADS.getCurrentThreadCpuTime() - before;
    });
    if (System.nanoTime() > poll) {
      long asked = System.nanoTime();
      Set<String> methods = compiledMethods();
      waiting.stream().map(one -> one.rehearsal).filter(one -> isCompiled(generated(one), methods)).forEach(compiled::add);
      waiting.removeIf(one -> isCompiled(generated(one.rehearsal), methods));
      long answered = System.nanoTime();
      poll = answered + Math.max(POLL_NANOS, 4 * (answered - asked));
    }
    waiting.stream().filter(one -> one.nanos >= PATIENCE_NANOS).map(one -> one.rehearsal).forEach(givenUp::add);
    waiting.removeIf(one -> one.nanos >= PATIENCE_NANOS);
  }

  /// The kernels that are not fast, when all is done, and why.
  public Map<Rehearsal, Outcome> slow() {
    Map<Rehearsal, Outcome> slow = new LinkedHashMap<>();
    waiting.forEach(one -> slow.put(one.rehearsal, Outcome.LATE));
    givenUp.forEach(one -> slow.put(one, Outcome.NEVER_COMPILED));
    compiled.stream().filter(WarmUp::allocates).forEach(one -> slow.put(one, Outcome.ALLOCATES));
    return slow;
  }

  /// What there is to say of them.
  List<Diagnostic> remarks() {
    List<Diagnostic> remarks = new ArrayList<>();
    slow().forEach((rehearsal, outcome) -> {
      Generated kernel = generated(rehearsal);
      remarks.add(Diagnostic.remark(kernel.span(), "kernel " + kernel + outcome.text()));
    });
    return remarks;
  }

  /// Rehearses one kernel for a while.
  public void rehearse(Rehearsal rehearsal, long nanos) {
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
