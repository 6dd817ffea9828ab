package dev.einfall.tests.peers;

import java.util.SplittableRandom;

/// Inputs at random, the same ones each time.
final class Randoms {
  private final SplittableRandom random;

  Randoms(long seed) {
    this.random = new SplittableRandom(seed);
  }

  /// `count` numbers from `low` to `high`.
  float[] between(double low, double high, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextDouble(low, high);
    }
    return values;
  }
}
