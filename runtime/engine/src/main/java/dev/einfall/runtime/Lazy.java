package dev.einfall.runtime;

import java.util.Optional;
import java.util.function.Supplier;

/// A value that is computed when somebody asks for it first. Safe for use by many threads.
final class Lazy<T> implements Supplier<T> {
  private final Supplier<T> compute;
  private Optional<T> value = Optional.empty();

  Lazy(Supplier<T> compute) {
    this.compute = compute;
  }

  @Override
  public synchronized T get() {
    if (value.isEmpty()) {
      value = Optional.of(compute.get());
    }
    return value.get();
  }
}
