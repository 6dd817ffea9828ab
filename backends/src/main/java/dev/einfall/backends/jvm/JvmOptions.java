package dev.einfall.backends.jvm;

/// How kernels become bytecode.
///
/// @param vectors whether code may use the Vector API; without it, vector values are computed lane by lane
/// @param maxWarmUpMillis how long [JvmBackend#warmUp] may take; 0 leaves kernels to compile while they work
public record JvmOptions(boolean vectors, int maxWarmUpMillis) {

  /// Vectors if the running JVM has the module `jdk.incubator.vector`, and up to 20 seconds of warm-up.
  public static JvmOptions ofThisJvm() {
    return new JvmOptions(ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(), 20_000);
  }

  public JvmOptions withVectors(boolean newVectors) {
    return new JvmOptions(newVectors, maxWarmUpMillis);
  }

  public JvmOptions withMaxWarmUpMillis(int newMaxWarmUpMillis) {
    return new JvmOptions(vectors, newMaxWarmUpMillis);
  }
}
