package dev.einfall.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class BoundedCacheTest {

  @Test
  void evictsWhatWasNotUsedForTheLongest() {
    List<String> evicted = new ArrayList<>();
    BoundedCache<Integer, String> cache = new BoundedCache<>(2, key -> "value " + key, evicted::add);
    cache.get(1);
    cache.get(2);
    cache.get(1);
    cache.get(3);
    assertEquals(List.of("value 2"), evicted);
    cache.clear();
    assertEquals(List.of("value 2", "value 1", "value 3"), evicted);
    assertEquals(0, cache.size());
  }

  @Test
  void computesOnceForManyCallers() throws InterruptedException {
    AtomicInteger computed = new AtomicInteger();
    BoundedCache<Integer, Integer> cache = new BoundedCache<>(2, _ -> {
      try {
        Thread.sleep(50);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
      return computed.incrementAndGet();
    }, _ -> {});
    List<Thread> callers = new ArrayList<>();
    List<Integer> results = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      callers.add(Thread.ofPlatform().start(() -> {
        int result = cache.get(1);
        synchronized (results) {
          results.add(result);
        }
      }));
    }
    for (Thread caller : callers) {
      caller.join();
    }
    assertEquals(List.of(1, 1, 1, 1, 1, 1, 1, 1), results);
  }

  @Test
  void triesAgainAfterAFailure() {
    AtomicInteger tries = new AtomicInteger();
    BoundedCache<Integer, Integer> cache = new BoundedCache<>(2, _ -> {
      if (tries.incrementAndGet() == 1) {
        throw new IllegalArgumentException("no");
      }
      return tries.get();
    }, _ -> {});
    assertEquals("no", assertThrows(IllegalArgumentException.class, () -> cache.get(1)).getMessage());
    assertEquals(2, cache.get(1));
  }
}
