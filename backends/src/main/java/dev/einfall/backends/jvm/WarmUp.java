package dev.einfall.backends.jvm;

import dev.einfall.backends.KernelFault;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/// Rehearses kernels until HotSpot's optimizing compiler has compiled them all. It compiles one method after another, and takes longer for
/// them than they have to run until it is asked; so the largest come first, and the next one as soon as it has something of one. For use by one thread.
public final class WarmUp {
  private static final long SLICE_NANOS = 3_000_000;
  /// How long one kernel is rehearsed until it is another's turn.
  private static final long TURN_NANOS = 60_000_000;
  /// With more to do, HotSpot begins to profile no method, and asks for more calls of each: that would be rehearsed in vain.
  private static final int MOST_PENDING = 5;
  private static final long PAUSE_NANOS = 1_000_000;
  private static final long POLL_NANOS = 15_000_000;
  /// How long of a processor's time a compiled kernel is given, at once and in all, to find its way out of code that something new to it has made
  /// useless, and of small methods that are interpreted until they are compiled on their own.
  private static final long SETTLING_NANOS = 20_000_000;
  private static final long LONGEST_SETTLING_NANOS = 200_000_000;
  /// How long a kernel itself may run until it is given up: of a processor's time, of which the JIT gets its share where others want it, too.
  private static final long PATIENCE_NANOS = 3_000_000_000L;
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final int MEASURED_CALLS = 8;
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
    private final Set<String> methods = new LinkedHashSet<>();
    /// The methods that the optimizing compiler was not asked for, as far as is known.
    private final Set<String> unasked;
    private final int bytes;
    private boolean isPending;
    private long nanos;
    private int turns;
    private long settling;

    private Waiting(Rehearsal rehearsal) {
      Generated kernel = generated(rehearsal);
      this.rehearsal = rehearsal;
      kernel.compiledMethods().forEach(method -> methods.add(Compilations.name(kernel, method)));
      this.unasked = new LinkedHashSet<>(methods);
      this.bytes = kernel.methods().values().stream().mapToInt(Integer::intValue).sum();
    }

    private void see(Set<String> pending) {
      unasked.removeAll(pending);
      isPending = methods.stream().anyMatch(pending::contains);
    }

    private boolean isCompiled(Set<String> compiled) {
      unasked.clear();
      methods.stream().filter(method -> !compiled.contains(method)).forEach(unasked::add);
      return unasked.isEmpty();
    }
  }

  private final int maxMillis;
  private final List<Waiting> waiting = new ArrayList<>();
  private final List<Rehearsal> compiled = new ArrayList<>();
  private final List<Rehearsal> givenUp = new ArrayList<>();
  private long poll = System.nanoTime() + POLL_NANOS;
  private long end;
  private Set<String> pending = Set.of();

  private WarmUp(int maxMillis) {
    this.maxMillis = maxMillis;
  }

  /// One for kernels that come one by one.
  ///
  /// @param maxMillis how long it takes at most for what was added last; 0 to rehearse nothing
  public static WarmUp of(int maxMillis) {
    return new WarmUp(CompilerDirectives.available() ? maxMillis : 0);
  }

  /// Whether nothing is to be rehearsed.
  public boolean isPointless() {
    return maxMillis == 0;
  }

  public void add(Rehearsal rehearsal) {
    if (generated(rehearsal).methods().values().stream().anyMatch(size -> size >= KernelCode.NEVER_COMPILED_BYTES)) {
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

  /// Rehearses for a moment a kernel that the optimizing compiler was not asked for yet.
  public void round() {
    Optional<Waiting> next = pending.size() > MOST_PENDING ? Optional.empty() : next();
    next.ifPresentOrElse(this::rehearse, () -> LockSupport.parkNanos(PAUSE_NANOS));
    pending = Compilations.pending();
    waiting.forEach(one -> one.see(pending));
    if (pending.isEmpty() && System.nanoTime() > poll) {
      poll();
    }
    waiting.stream().filter(one -> one.nanos >= PATIENCE_NANOS).map(one -> one.rehearsal).forEach(givenUp::add);
    waiting.removeIf(one -> one.nanos >= PATIENCE_NANOS);
  }

  /// Those of which the compiler has nothing come first, then the largest.
  private Optional<Waiting> next() {
    return waiting.stream().filter(one -> !one.unasked.isEmpty())
        .min(Comparator.comparing((Waiting one) -> one.isPending).thenComparing(one -> one.turns).thenComparing(one -> -one.bytes));
  }

  private void rehearse(Waiting one) {
    long before = THREADS.getCurrentThreadCpuTime();
    rehearse(one.rehearsal, SLICE_NANOS);
    one.nanos += THREADS.getCurrentThreadCpuTime() - before;
    one.turns = (int) (one.nanos / TURN_NANOS);
  }

  /// Finds out what is compiled.
  private void poll() {
    long asked = System.nanoTime();
    Set<String> methods = Compilations.compiled();
    long answered = System.nanoTime();
    List<Waiting> done = waiting.stream().filter(one -> one.isCompiled(methods) && isSettled(one)).toList();
    done.forEach(one -> compiled.add(one.rehearsal));
    waiting.removeAll(done);
    poll = answered + Math.max(POLL_NANOS, 4 * (answered - asked));
  }

  /// Whether the compiled code of a kernel runs, or never will.
  private static boolean isSettled(Waiting one) {
    long begin = THREADS.getCurrentThreadCpuTime();
    boolean allocates = true;
    long now = begin;
    while (allocates && now - begin < SETTLING_NANOS) {
      allocates = allocates(one.rehearsal);
      now = THREADS.getCurrentThreadCpuTime();
    }
    one.settling += now - begin;
    return !allocates || one.settling > LONGEST_SETTLING_NANOS;
  }

  /// The kernels that are not fast, when all is done, and why.
  public Map<Rehearsal, Outcome> slow() {
    Map<Rehearsal, Outcome> slow = new LinkedHashMap<>();
    waiting.forEach(one -> slow.put(one.rehearsal, Outcome.LATE));
    givenUp.forEach(one -> slow.put(one, Outcome.NEVER_COMPILED));
    compiled.stream().filter(WarmUp::allocates).forEach(one -> slow.put(one, Outcome.ALLOCATES));
    return slow;
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
