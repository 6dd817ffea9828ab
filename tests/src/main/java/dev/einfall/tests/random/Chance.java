package dev.einfall.tests.random;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/// Choices that are the same for the same seed.
final class Chance {
  private final SplittableRandom random;

  Chance(long seed) {
    this.random = new SplittableRandom(seed);
  }

  /// 0 to `bound - 1`.
  int below(int bound) {
    return random.nextInt(bound);
  }

  boolean oneIn(int count) {
    return random.nextInt(count) == 0;
  }

  long number() {
    return random.nextLong();
  }

  <T> T any(List<T> choices) {
    return choices.get(random.nextInt(choices.size()));
  }

  @SafeVarargs
  final <T> T of(T... choices) {
    return choices[random.nextInt(choices.length)];
  }

  /// One of the choices, if there are any.
  <T> Optional<T> pick(List<T> choices) {
    return choices.isEmpty() ? Optional.empty() : Optional.of(any(choices));
  }

  <T> List<T> shuffled(List<T> items) {
    List<T> rest = new ArrayList<>(items);
    List<T> result = new ArrayList<>();
    while (!rest.isEmpty()) {
      result.add(rest.remove(random.nextInt(rest.size())));
    }
    return result;
  }
}
