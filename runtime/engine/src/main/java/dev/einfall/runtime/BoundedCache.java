package dev.einfall.runtime;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import java.util.function.Function;

/// Values that are computed once for each key, also when many threads ask at the same time. Beyond `capacity`, the value
/// that was not asked for the longest is evicted. A computation that fails is not kept: the next call tries again.
final class BoundedCache<K, V> {
  private final int capacity;
  private final Function<K, V> compute;
  private final Consumer<V> evict;
  private final LinkedHashMap<K, CompletableFuture<V>> values = new LinkedHashMap<>(16, 0.75f, true);

  /// `compute` makes the value of a key, `evict` is told the values that leave.
  BoundedCache(int capacity, Function<K, V> compute, Consumer<V> evict) {
    this.capacity = capacity;
    this.compute = compute;
    this.evict = evict;
  }

  V get(K key) {
    CompletableFuture<V> mine = new CompletableFuture<>();
    CompletableFuture<V> present;
    synchronized (values) {
      present = values.putIfAbsent(key, mine);
    }
    if (present != null) {
      return await(present);
    }
    compute(key, mine);
    evictOldest();
    return await(mine);
  }

  private void compute(K key, CompletableFuture<V> result) {
    try {
      result.complete(compute.apply(key));
    } catch (RuntimeException | Error e) {
      synchronized (values) {
        values.remove(key);
      }
      result.completeExceptionally(e);
    }
  }

  private static <V> V await(CompletableFuture<V> value) {
    try {
      return value.join();
    } catch (CompletionException e) {
      switch (e.getCause()) {
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        default -> throw e;
      }
    }
  }

  private void evictOldest() {
    List<CompletableFuture<V>> evicted = new ArrayList<>();
    synchronized (values) {
      while (values.size() > capacity) {
        evicted.add(values.pollFirstEntry().getValue());
      }
    }
    evicted.forEach(value -> value.thenAccept(evict));
  }

  int size() {
    synchronized (values) {
      return values.size();
    }
  }

  /// Evicts every value.
  void clear() {
    List<CompletableFuture<V>> evicted;
    synchronized (values) {
      evicted = List.copyOf(values.values());
      values.clear();
    }
    evicted.forEach(value -> value.thenAccept(evict));
  }
}
