package dev.einfall.tests.peers;

/// The threads of oneDNN and MKL, which share one library for them: those of two would look for work on the same cores.
final class OpenMp {
  private static final String FILE = "libgomp.so.1";

  private OpenMp() {}

  /// The call after which this many threads work for the one that calls.
  static NativeLibrary.Call threads(int threads) {
    return NativeLibrary.load(OneDnn.PROJECT, FILE).call("omp_set_num_threads", threads);
  }
}
