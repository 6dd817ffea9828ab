package dev.einfall.runtime.launch;

import dev.einfall.backends.CompiledKernel;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/// Threads that share the parts of one region of work at a time. The caller is one of them, so a pool of `threads` starts
/// one thread fewer, when the first region needs it. Which part computes what does not depend on who runs it.
public final class WorkerPool implements AutoCloseable {
  /// How often a thread looks for work before it sleeps: some 50 microseconds, so that the regions of one run find it awake.
  private static final int SPINS = 2_000;

  private final Worker[] workers;
  private final AtomicBoolean busy = new AtomicBoolean();
  private volatile Work work;
  private volatile boolean closed;

  /// @param threads at least 1
  public WorkerPool(int threads) {
    this.workers = new Worker[threads - 1];
  }

  public int threads() {
    return workers.length + 1;
  }

  /// What the threads do together.
  interface Work {

    /// Whether there is something to do for `member` now. Members are numbered from 1.
    boolean hasWork(int member);

    /// Does what there is for `member`, and returns some time after there is no more.
    void work(int member);
  }

  /// One of the parts of a region.
  public interface Part {

    /// Does part `part`, in the thread of `member`: the caller is member 0.
    void run(int part, int member);
  }

  /// Runs `part` for 0 to `parts` (exclusive) and returns when all are done. If another caller uses the pool, this
  /// thread runs all of them alone.
  ///
  /// @throws RuntimeException what the first part that failed threw, after all parts ended
  public void run(int parts, Part part) {
    if (parts <= 1 || workers.length == 0 || !busy.compareAndSet(false, true)) {
      for (int i = 0; i < parts; i++) {
        part.run(i, 0);
      }
      return;
    }
    try {
      share(new Region(parts, part));
    } finally {
      busy.set(false);
    }
  }

  private void share(Region shared) {
    start();
    work = shared;
    for (int i = 0; i < Math.min(workers.length, shared.parts - 1); i++) {
      workers[i].wake();
    }
    shared.work(0);
    shared.await();
    work = null;
    shared.rethrow();
  }

  /// Runs a kernel with parallel loops inside, which all threads share. If another caller uses the pool, this thread runs it alone.
  ///
  /// @param scratch the scratch memory of each thread, this one first
  public void lead(CompiledKernel kernel, long[] addresses, long[] scratch) {
    if (workers.length == 0 || !busy.compareAndSet(false, true)) {
      kernel.run(addresses, scratch[0], 0, kernel.tasks());
      return;
    }
    try {
      start();
      Crew crew = new Crew(kernel, scratch, member -> workers[member - 1].wake());
      work = crew;
      try {
        kernel.run(addresses, scratch[0], 0, kernel.tasks(), crew);
      } finally {
        crew.dismiss();
        work = null;
      }
    } finally {
      busy.set(false);
    }
  }

  private void start() {
    for (int i = 0; i < workers.length; i++) {
      if (workers[i] == null) {
        workers[i] = new Worker(i + 1);
        workers[i].thread.setDaemon(true);
        workers[i].thread.start();
      }
    }
  }

  /// Ends the threads. No region may be running or begin.
  @Override
  public void close() {
    closed = true;
    for (Worker worker : workers) {
      if (worker != null) {
        LockSupport.unpark(worker.thread);
      }
    }
  }

  /// One piece of work in parts that are claimed in order.
  private static final class Region implements Work {
    private final int parts;
    private final Part body;
    private final AtomicInteger claimed = new AtomicInteger();
    private final AtomicInteger finished = new AtomicInteger();
    private final Throwable[] failures;

    Region(int parts, Part body) {
      this.parts = parts;
      this.body = body;
      this.failures = new Throwable[parts];
    }

    @Override
    public boolean hasWork(int member) {
      return claimed.get() < parts;
    }

    @Override
    public void work(int member) {
      for (int part = claimed.getAndIncrement(); part < parts; part = claimed.getAndIncrement()) {
        try {
          body.run(part, member);
        } catch (RuntimeException | Error e) {
          failures[part] = e;
        } finally {
          finished.incrementAndGet();
        }
      }
    }

    void await() {
      for (int spins = 0; finished.get() < parts; spins++) {
        if (spins < SPINS) {
          Thread.onSpinWait();
        } else {
          Thread.yield();
        }
      }
    }

    void rethrow() {
      for (Throwable failure : failures) {
        switch (failure) {
          case null -> {}
          case RuntimeException e -> throw e;
          case Error e -> throw e;
          default -> throw new AssertionError(failure);
        }
      }
    }
  }

  private final class Worker {
    private final Thread thread = new Thread(this::loop, "einfall-worker");
    private final int member;
    private volatile boolean sleeping;

    Worker(int member) {
      this.member = member;
    }

    private void wake() {
      if (sleeping) {
        LockSupport.unpark(thread);
      }
    }

    private void loop() {
      int idle = 0;
      while (!closed) {
        Work current = work;
        if (current != null && current.hasWork(member)) {
          current.work(member);
          idle = 0;
        } else if (idle++ < SPINS) {
          Thread.onSpinWait();
        } else {
          sleep();
          idle = 0;
        }
      }
    }

    /// Sleeps until woken; work that was published before `sleeping` was seen is found by the second look.
    private void sleep() {
      sleeping = true;
      Work current = work;
      if (!closed && (current == null || !current.hasWork(member))) {
        LockSupport.park(this);
      }
      sleeping = false;
    }
  }
}
