package dev.einfall.tests.peers;

/// Attention over caches of few bits, beside the same over caches of `f32` that hold what these stand for.
final class CachePeers {
  private static final String ROW = "%-28s %9s %9s %9s %10s%n";

  private CachePeers() {}

  /// Prints a table for each number of threads.
  static void run(Request request) throws Exception {
    for (int threads : request.threads()) {
      System.out.printf("%n%d thread%s. Times are medians in ms.%n", threads, threads == 1 ? "" : "s");
      System.out.printf(ROW, "cache format, h r n x d", Bout.OURS, "f32", "f32/ours", "error");
      for (CacheCase one : CacheCase.all()) {
        if (request.wants(one.name())) {
          Bout bout = Bout.measure(one.contestants(request.options(threads)), request.seconds());
          System.out.printf(ROW, one.name(), bout.time(Bout.OURS), bout.time(Bout.PLAIN), "%.2f".formatted(bout.gain()), "%.1e".formatted(bout.error()));
        }
      }
    }
  }
}
