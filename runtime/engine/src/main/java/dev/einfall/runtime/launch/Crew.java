package dev.einfall.runtime.launch;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.backends.Team;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.IntConsumer;

/// The threads of a pool during one run of a kernel, whose parallel loops they share. Each member has the same share of every loop, so
/// that what it reads again stays in its own cache. The leader takes the share of a member that has not begun when its own is done, so
/// that nobody waits for a thread that sleeps.
///
/// A share is begun, by who moves its number from the end of the loop before to the beginning of this one, and ended by the next
/// number: loop `n` is begun at `2 * n - 1` and ended at `2 * n`.
final class Crew implements Team, WorkerPool.Work {
  /// Numbers stand so far from each other that no two are in one cache line.
  private static final int STRIDE = 16;
  private static final int SPINS = 2_000;

  private final CompiledKernel kernel;
  private final long[] scratch;
  private final IntConsumer wake;
  private final AtomicLongArray shares;
  private long[] arguments = {};
  private int section;
  private int begin;
  private int end;
  private volatile long loop;
  private volatile boolean done;
  private volatile Throwable failure;

  /// @param scratch the scratch memory of each member, that of the leader first
  /// @param wake tells a member that there is a loop
  Crew(CompiledKernel kernel, long[] scratch, IntConsumer wake) {
    this.kernel = kernel;
    this.scratch = scratch;
    this.wake = wake;
    this.shares = new AtomicLongArray((scratch.length + 1) * STRIDE);
  }

  @Override
  public long[] arguments(int count) {
    if (arguments.length < count) {
      arguments = new long[count];
    }
    return arguments;
  }

  @Override
  public void share(int newSection, int newBegin, int newEnd) {
    section = newSection;
    begin = newBegin;
    end = newEnd;
    long current = loop + 1;
    loop = current;
    for (int member = 1; member < scratch.length; member++) {
      wake.accept(member);
    }
    for (int member = 0; member < scratch.length; member++) {
      take(member, current);
    }
    for (int member = 1; member < scratch.length; member++) {
      await(member, current);
    }
    rethrow();
  }

  /// Does the share of `member`, unless somebody else has begun it.
  private void take(int member, long current) {
    int place = (member + 1) * STRIDE;
    if (!shares.compareAndSet(place, 2 * current - 2, 2 * current - 1)) {
      return;
    }
    try {
      int count = end - begin;
      int first = begin + (int) ((long) count * member / scratch.length);
      int last = begin + (int) ((long) count * (member + 1) / scratch.length);
      if (first < last) {
        kernel.section(section, arguments, scratch[member], first, last);
      }
    } catch (RuntimeException | Error e) {
      failure = e;
    } finally {
      shares.setRelease(place, 2 * current);
    }
  }

  private void await(int member, long current) {
    for (int spins = 0; shares.getAcquire((member + 1) * STRIDE) < 2 * current; spins++) {
      if (spins < SPINS) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
  }

  private void rethrow() {
    switch (failure) {
      case null -> { }
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case Throwable e -> throw new AssertionError(e);
    }
  }

  /// Ends the run: members leave.
  void dismiss() {
    done = true;
  }

  /// Takes part in loops until there was none for a while.
  @Override
  public void work(int member) {
    long seen = shares.getAcquire((member + 1) * STRIDE) / 2;
    for (int idle = 0; !done && idle < SPINS; idle++) {
      long current = loop;
      if (current > seen) {
        take(member, current);
        seen = current;
        idle = 0;
      } else {
        Thread.onSpinWait();
      }
    }
  }

  @Override
  public boolean hasWork(int member) {
    return !done && loop > (shares.getAcquire((member + 1) * STRIDE) + 1) / 2;
  }
}
