package dev.einfall.passes;

/// The machine that a program is compiled for, as far as the passes care.
///
/// @param vectorBytes the width of a vector register; 4 or less means that there are no vectors
/// @param registers the number of vector registers
/// @param threads the number of threads that share the tasks of a kernel
/// @param l1Bytes the size of a core's first-level data cache
/// @param l2Bytes the size of a core's second-level cache
/// @param l3Bytes the size of the third-level cache that cores share
public record Target(int vectorBytes, int registers, int threads, long l1Bytes, long l2Bytes, long l3Bytes) {

  /// A target with the cache sizes of a current x86-64 server core, and as many registers as its vectors suggest.
  public static Target of(int vectorBytes, int threads) {
    return new Target(vectorBytes, vectorBytes >= 64 ? 32 : 16, threads, 32 << 10, 1 << 20, 32 << 20);
  }

  /// How many elements of `bytes` bytes a vector holds; 1 if there are no vectors.
  public int lanes(int bytes) {
    return Math.max(1, vectorBytes / bytes);
  }
}
