package dev.einfall.runtime.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

class WorkerPoolTest {

  @Test
  void runsEachPartOnce() {
    try (WorkerPool pool = new WorkerPool(4)) {
      for (int round = 0; round < 2_000; round++) {
        AtomicIntegerArray counts = new AtomicIntegerArray(7);
        pool.run(round % 8, (part, _) -> counts.incrementAndGet(part));
        for (int i = 0; i < 7; i++) {
          assertEquals(i < round % 8 ? 1 : 0, counts.get(i));
        }
      }
    }
  }

  @Test
  void wakesWorkersThatSleep() throws InterruptedException {
    try (WorkerPool pool = new WorkerPool(2)) {
      for (int round = 0; round < 5; round++) {
        AtomicInteger meeting = new AtomicInteger();
        pool.run(2, (_, _) -> {
          meeting.incrementAndGet();
          while (meeting.get() < 2) {
            Thread.onSpinWait();
          }
        });
        Thread.sleep(20);
      }
    }
  }

  @Test
  void throwsWhatTheFirstFailingPartThrew() {
    try (WorkerPool pool = new WorkerPool(3)) {
      for (int round = 0; round < 100; round++) {
        AtomicInteger ended = new AtomicInteger();
        var e = assertThrows(IllegalArgumentException.class, () -> pool.run(3, (part, _) -> {
          ended.incrementAndGet();
          if (part > 0) {
            throw new IllegalArgumentException("part " + part);
          }
        }));
        assertEquals("part 1", e.getMessage());
        assertEquals(3, ended.get());
      }
    }
  }

  @Test
  void runsCallersAtTheSameTime() throws InterruptedException {
    try (WorkerPool pool = new WorkerPool(2)) {
      AtomicInteger total = new AtomicInteger();
      List<Thread> callers = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        callers.add(Thread.ofPlatform().start(() -> {
          for (int round = 0; round < 500; round++) {
            pool.run(2, (_, _) -> total.incrementAndGet());
          }
        }));
      }
      for (Thread caller : callers) {
        caller.join();
      }
      assertEquals(8 * 500 * 2, total.get());
    }
  }

  @Test
  void runsARegionWithinARegion() {
    try (WorkerPool pool = new WorkerPool(2)) {
      AtomicInteger total = new AtomicInteger();
      pool.run(2, (_, _) -> pool.run(2, (_, _) -> total.incrementAndGet()));
      assertEquals(4, total.get());
    }
  }

  @Test
  void endsItsThreadsWhenClosed() throws InterruptedException {
    WorkerPool pool = new WorkerPool(2);
    List<Thread> workers = new ArrayList<>();
    AtomicInteger meeting = new AtomicInteger();
    pool.run(2, (_, _) -> {
      synchronized (workers) {
        workers.add(Thread.currentThread());
      }
      meeting.incrementAndGet();
      while (meeting.get() < 2) {
        Thread.onSpinWait();
      }
    });
    pool.close();
    workers.remove(Thread.currentThread());
    assertEquals(1, workers.size());
    workers.getFirst().join(5_000);
    assertTrue(!workers.getFirst().isAlive());
  }
}
