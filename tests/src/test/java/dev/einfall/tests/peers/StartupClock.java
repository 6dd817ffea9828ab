package dev.einfall.tests.peers;

import dev.einfall.tests.peers.Startup.Figure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// Starts an engine in this JVM for the first time, lets it run until its speed is steady, and then starts it again and again.
final class StartupClock {
  private static final long STEADY_NANOS = 12_000_000_000L;
  /// How many runs in a row have to be fast, in the median.
  private static final int WINDOW = 11;
  private static final int WARM_STARTS = 5;

  /// Compiles a model.
  interface Start {
    Started start() throws Exception;
  }

  /// A model that is ready to run.
  interface Started extends AutoCloseable {
    void run() throws Exception;

    @Override
    void close();
  }

  /// A start and its first run, in nanoseconds from its beginning.
  private record First(long ready, long result) {}

  private final Start start;

  StartupClock(Start start) {
    this.start = start;
  }

  Startup measure() throws Exception {
    Map<Figure, Double> figures = new EnumMap<>(Figure.class);
    startForTheFirstTime(figures);
    startAgain(figures);
    return new Startup(figures);
  }

  private void startForTheFirstTime(Map<Figure, Double> figures) throws Exception {
    long begin = System.nanoTime();
    try (Started started = start.start()) {
      figures.put(Figure.NEW_READY, (System.nanoTime() - begin) / 1e6);
      List<Long> ends = new ArrayList<>();
      do {
        started.run();
        ends.add(System.nanoTime() - begin);
        if (ends.size() == 1) {
          figures.put(Figure.NEW_FIRST, ends.getFirst() / 1e6);
          figures.put(Figure.PEAK, peakMegabytes());
        }
      } while (ends.getLast() < ends.getFirst() + STEADY_NANOS);
      steady(ends, figures);
    }
  }

  /// The steady speed is that of the last quarter of all runs. It is reached with the first run from which on a few have no worse a median
  /// than nine tenths of that.
  ///
  /// @param ends when each run ended
  private static void steady(List<Long> ends, Map<Figure, Double> figures) {
    long[] runs = new long[ends.size() - 1];
    Arrays.setAll(runs, i -> ends.get(i + 1) - ends.get(i));
    long steady = median(runs, runs.length - runs.length / 4, runs.length);
    int fast = 0;
    while (fast < runs.length - WINDOW && 0.9 * median(runs, fast, fast + WINDOW) > steady) {
      fast++;
    }
    figures.put(Figure.STEADY_RUN, steady / 1e3);
    figures.put(Figure.NEW_STEADY, ends.get(fast) / 1e6);
  }

  private static long median(long[] times, int begin, int end) {
    long[] sorted = Arrays.copyOfRange(times, begin, end);
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  private void startAgain(Map<Figure, Double> figures) throws Exception {
    List<First> firsts = new ArrayList<>();
    for (int i = 0; i < WARM_STARTS; i++) {
      long begin = System.nanoTime();
      try (Started started = start.start()) {
        long ready = System.nanoTime() - begin;
        started.run();
        firsts.add(new First(ready, System.nanoTime() - begin));
      }
    }
    figures.put(Figure.WARM_READY, median(firsts.stream().mapToLong(First::ready).toArray(), 0, WARM_STARTS) / 1e6);
    figures.put(Figure.WARM_FIRST, median(firsts.stream().mapToLong(First::result).toArray(), 0, WARM_STARTS) / 1e6);
  }

  /// The largest resident set of this process so far, where the system tells.
  private static double peakMegabytes() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return Double.NaN;
    }
    return Files.readAllLines(status).stream().filter(line -> line.startsWith("VmHWM:"))
        .mapToDouble(line -> Double.parseDouble(line.replaceAll("[^0-9]", "")) / 1024).findFirst().orElse(Double.NaN);
  }
}
