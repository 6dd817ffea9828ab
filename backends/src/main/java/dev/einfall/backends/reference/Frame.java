package dev.einfall.backends.reference;

/// The values of the variables of a running program, by slot. A variable of several lanes takes that many slots.
record Frame(long[] integers, double[] numbers) {
  static Frame ofSlots(int count) {
    return new Frame(new long[count], new double[count]);
  }
}
