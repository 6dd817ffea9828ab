package dev.einfall.runtime;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.backends.jvm.JvmBackend;
import dev.einfall.backends.jvm.Rehearsal;
import dev.einfall.backends.jvm.Shape;
import dev.einfall.backends.jvm.WarmUp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.passes.Speeds;
import dev.einfall.passes.analysis.LeastCycles;
import dev.einfall.runtime.plans.StoredKernel.Least;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/// Compares what each kernel takes, when it is warm, with the least that a core takes by its operations and accesses. One that the
/// just-in-time compiler has made badly - not at all, with vectors in objects, or many times slower than that - is made again in another
/// shape, and the better one is kept.
///
/// @param speeds of a core
/// @param pace how long kernels take
/// @param patience how many milliseconds another shape may take to become fast
record SelfCheck(JvmBackend backend, Speeds speeds, Pace pace, int patience) {
  static final int USUAL_PATIENCE = 3_000;

  private static final double NANOS_PER_CYCLE = 1 / 3.0;
  /// Good code that computes takes up to six times as long as the least, on a processor that is busy with other compilations. Where
  /// vectors are objects, it is a hundred times and more.
  private static final double FAR = 10;
  /// The same for code that moves more than it computes: it may find nothing in the first-level cache.
  private static final double FAR_MOVING = 60;
  /// What a sample may take at least, if the code is good.
  private static final double SAMPLE_NANOS = 50_000;
  /// One task that takes longer is not tried: it may be a hundred times that.
  private static final double LONGEST_NANOS = 500_000;
  /// What takes less need not be better.
  private static final double SHORT_NANOS = 10_000;
  private static final int TRIES = 5;
  private static final long PAUSE_NANOS = 20_000_000;
  /// What is taken for code that is interpreted, without trying how slow that is.
  private static final double INTERPRETED = 1_000;
  /// Another shape must be so much faster to be kept.
  private static final double GAIN = 1.2;

  /// A kernel, its code, and memory to try it on.
  ///
  /// @param kernel empty where only its code is known: then there is no other shape to try
  record Rehearsed(Optional<Kernel> kernel, String digest, Least least, Rehearsal rehearsal) {
    CompiledKernel code() {
      return rehearsal.kernel();
    }

    private Span span() {
      return kernel.map(Kernel::span).orElse(Span.NONE);
    }
  }

  /// What a task of `kernel` takes at least.
  Least least(Kernel kernel) {
    return new Least(LeastCycles.ofTask(kernel, speeds), LeastCycles.computes(kernel, speeds));
  }

  /// What was found out about a kernel: that another shape is better.
  ///
  /// @param gain how many times as fast it is
  record Learned(Rehearsed better, Shape shape, double gain) {}

  /// How long all tasks of a kernel take.
  ///
  /// @param times how many times as long as the least, or as what is too short to be worth an effort
  /// @param cycles of a core: other loops for the same have another least
  private record Taken(double times, double cycles) {

    /// So many times as long as the least.
    static Taken of(double times, Rehearsed one) {
      return new Taken(times, times * one.least.cycles() * one.code().tasks());
    }
  }

  /// A kernel that is slow.
  ///
  /// @param isWorthMore whether there is a reason to try something else: not where the just-in-time compiler is late with everything
  private record Slow(Rehearsed one, String reason, Taken taken, boolean isWorthMore) {}

  /// What came of it.
  ///
  /// @param remarks about what was slow
  /// @param slow the kernels that are slow in every shape, and the cycles that they take, about
  /// @param slowDigests their digests, and those of slow ones of which only the code is known
  record Findings(List<Learned> learned, List<Diagnostic> remarks, Map<Kernel, Double> slow, Set<String> slowDigests) {

    private void add(Slow one) {
      slowDigests.add(one.one.digest);
      one.one.kernel.ifPresent(kernel -> slow.put(kernel, one.taken.cycles));
    }
  }

  /// Checks all kernels whose warm-up is done.
  Findings check(List<Rehearsed> all, WarmUp warmUp) {
    Findings findings = new Findings(new ArrayList<>(), new ArrayList<>(), new LinkedHashMap<>(), new LinkedHashSet<>());
    for (Slow slow : slow(all, warmUp)) {
      Optional<CompiledKernel> other =
          slow.one.kernel.filter(_ -> slow.isWorthMore).flatMap(kernel -> backend.reshaped(kernel, Shape.SMALL, slow.one.code()));
      if (other.isEmpty()) {
        remark(slow, "", findings);
        if (slow.isWorthMore) {
          findings.add(slow);
        }
      } else {
        Rehearsed again = new Rehearsed(slow.one.kernel, slow.one.digest, slow.one.least,
            new Rehearsal(other.get(), slow.one.rehearsal.addresses(), slow.one.rehearsal.scratch()));
        judge(slow, again, findings);
      }
    }
    return findings;
  }

  private void judge(Slow slow, Rehearsed again, Findings findings) {
    WarmUp warmUp = warmed(again);
    double gain = slow.taken.times / (warmUp.slow().isEmpty() ? taken(again, warmUp).times : INTERPRETED);
    if (gain >= GAIN) {
      findings.learned.add(new Learned(again, Shape.SMALL, gain));
      remark(slow, String.format(Locale.ROOT, "; in %s it is %.1f times as fast, and stays so", Shape.SMALL.text(), gain), findings);
    } else {
      remark(slow, "; " + Shape.SMALL.text() + " do not help", findings);
      findings.add(slow);
    }
  }

  private WarmUp warmed(Rehearsed one) {
    WarmUp warmUp = backend.warmUp(patience);
    warmUp.add(one.rehearsal);
    while (!warmUp.isDone()) {
      warmUp.round();
    }
    return warmUp;
  }

  private List<Slow> slow(List<Rehearsed> all, WarmUp warmUp) {
    Map<Rehearsal, WarmUp.Outcome> known = warmUp.slow();
    List<Slow> slow = new ArrayList<>();
    for (Rehearsed one : all) {
      WarmUp.Outcome outcome = known.get(one.rehearsal);
      Taken taken = outcome == null || outcome == WarmUp.Outcome.ALLOCATES ? taken(one, warmUp) : Taken.of(INTERPRETED, one);
      if (outcome != null) {
        slow.add(new Slow(one, outcome.text(), taken, outcome != WarmUp.Outcome.LATE));
      } else if (taken.times > far(one.least)) {
        slow.add(new Slow(one, String.format(Locale.ROOT, " takes %.0f times as long as a core needs at least: the JIT has not made good code of it", taken.times),
            taken, true));
      }
    }
    return slow;
  }

  private static void remark(Slow slow, String more, Findings findings) {
    findings.remarks.add(Diagnostic.remark(slow.one.span(), "kernel " + slow.one.code() + slow.reason + more));
  }

  private static double far(Least least) {
    return least.computes() ? FAR : FAR_MOVING;
  }

  /// How long a kernel takes; the least if that cannot be known. The first try may be the first to touch the memory,
  /// and code that is new to what it meets may be compiled once more: it has several.
  private Taken taken(Rehearsed one, WarmUp warmUp) {
    double task = one.least.cycles() * NANOS_PER_CYCLE;
    if (task > LONGEST_NANOS || task <= 0) {
      return Taken.of(1, one);
    }
    int tasks = (int) Math.clamp(SAMPLE_NANOS / task, 1, one.code().tasks());
    double least = Math.max(task * tasks, SHORT_NANOS);
    double best = Double.POSITIVE_INFINITY;
    for (int i = 0; i < TRIES && best > far(one.least) * least; i++) {
      if (i > 1) {
        warmUp.rehearse(one.rehearsal, PAUSE_NANOS);
      }
      OptionalDouble nanos = pace.nanos(one.rehearsal, tasks);
      if (nanos.isEmpty()) {
        return Taken.of(1, one);
      }
      best = Math.min(best, nanos.getAsDouble());
    }
    return new Taken(best / least, best / NANOS_PER_CYCLE * one.code().tasks() / tasks);
  }
}
