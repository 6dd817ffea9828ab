package dev.einfall.backends.jvm;

import jdk.incubator.vector.FloatVector;

/// How wide the vectors of this machine are.
public final class VectorWidth {
  private VectorWidth() {}

  /// The width in bytes that the JVM prefers. Only for a JVM that has the module `jdk.incubator.vector`.
  public static int preferredBytes() {
    return FloatVector.SPECIES_PREFERRED.vectorByteSize();
  }
}
