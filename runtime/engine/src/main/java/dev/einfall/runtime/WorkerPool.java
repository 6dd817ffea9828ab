package dev.einfall.runtime;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/// Threads that share the parts of one region of work at a time. The caller is one of them, so a pool of `threads` starts
/// one thread fewer, when the first region needs it. Which part computes what does not depend on who runs it.
final class WorkerPool implements AutoCloseable {
  /// How often a thread looks for work before it sleeps: some 50 microseconds, so that the regions of one run find it awake.
  private static final int SPINS = 2_000;

  private final Worker[] workers;
  private final AtomicBoolean busy = new AtomicBoolean();
  private volatile Region region;
  private volatile boolean closed;

  WorkerPool(int threads) {
    this.workers = new Worker[threads - 1];
  }

  int threads() {
    return workers.length + 1;
  }

  /// Runs `part` for 0 to `parts` (exclusive) and returns when all are done. If another caller uses the pool, this
  /// thread runs all of them alone.
  ///
  /// @throws RuntimeException what the first part that failed threw, after all parts ended
  void run(int parts, IntConsumer part) {
    if (parts <= 1 || workers.length == 0 || !busy.compareAndSet(false, true)) {
      for (int i = 0; i < parts; i++) {
        part.accept(i);
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
    region = shared;
    for (int i = 0; i < Math.min(workers.length, shared.parts - 1); i++) {
      workers[i].wake();
    }
    shared.work();
    shared.await();
    region = null;
    shared.rethrow();
  }

  private void start() {
    for (int i = 0; i < workers.length; i++) {
      if (workers[i] == null) {
        workers[i] = new Worker();
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
  private static final class Region {
    private final int parts;
    private final IntConsumer body;
    private final AtomicInteger claimed = new AtomicInteger();
    private final AtomicInteger finished = new AtomicInteger();
    private final Throwable[] failures;

    Region(int parts, IntConsumer body) {
      this.parts = parts;
      this.body = body;
      this.failures = new Throwable[parts];
    }

    boolean isOpen() {
      return claimed.get() < parts;
    }

    void work() {
      for (int part = claimed.getAndIncrement(); part < parts; part = claimed.getAndIncrement()) {
        try {
          body.accept(part);
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
    private volatile boolean sleeping;

    private void wake() {
      if (sleeping) {
        LockSupport.unpark(thread);
      }
    }

    private void loop() {
      int idle = 0;
      while (!closed) {
        Region current = region;
        if (current != null && current.isOpen()) {
          current.work();
          idle = 0;
        } else if (idle++ < SPINS) {
          Thread.onSpinWait();
        } else {
          sleep();
          idle = 0;
        }
      }
    }

    /// Sleeps until woken; a region that was published before `sleeping` was seen is found by the second look.
    private void sleep() {
      sleeping = true;
      Region current = region;
      if (!closed && (current == null || !current.isOpen())) {
        LockSupport.park(this);
      }
      sleeping = false;
    }
  }
}
