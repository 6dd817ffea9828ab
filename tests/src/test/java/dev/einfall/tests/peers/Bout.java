package dev.einfall.tests.peers;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// Contestants for one case, by name: first all compute once, and what they compute is compared; then they are measured.
///
/// @param millis the medians of those that were measured
/// @param rough the times of those that were too slow at first to be measured any further
/// @param error the largest difference of our result from that of the first peer
record Bout(Map<String, Double> millis, Map<String, Double> rough, double error) {
  /// What runs our program.
  static final String OURS = "einfall";
  /// What runs it without what is to be shown.
  static final String PLAIN = "plain";
  /// A peer that takes this many times as long as the best one is not measured any further.
  private static final double TOO_SLOW = 2;
  /// Times below this many milliseconds are shown with more digits.
  private static final double SHORT = 1;
  /// First looks at times above this many milliseconds are shown without digits of them.
  private static final double LONG = 10;
  private static final long FIRST_LOOK_NANOS = 100_000_000;
  /// Peers that differ by more compute something else.
  private static final double LARGEST_DIFFERENCE = 1e-2;

  /// Measures `contestants` and closes them. Engines that watch a program before they optimize it have two runs to do so.
  static Bout measure(Map<String, Contestant> contestants, double seconds) throws Exception {
    return measure(contestants, seconds, LARGEST_DIFFERENCE);
  }

  /// The same for peers that may differ by so much.
  static Bout measure(Map<String, Contestant> contestants, double seconds, double largestDifference) throws Exception {
    try {
      Map<String, float[]> results = new LinkedHashMap<>();
      Map<String, Double> once = new LinkedHashMap<>();
      for (Map.Entry<String, Contestant> contestant : contestants.entrySet()) {
        results.put(contestant.getKey(), contestant.getValue().result());
        contestant.getValue().run();
        once.put(contestant.getKey(), quickest(contestant.getValue()));
      }
      double error = compare(results, largestDifference);
      double limit = once.entrySet().stream().filter(entry -> peer(entry.getKey()))
          .mapToDouble(Map.Entry::getValue).min().orElse(0) * TOO_SLOW;
      Map<String, Contest.Action> fast = new LinkedHashMap<>();
      Map<String, Double> rough = new LinkedHashMap<>();
      contestants.forEach((name, contestant) -> {
        if (peer(name) && once.get(name) > limit) {
          rough.put(name, once.get(name));
        } else {
          fast.put(name, contestant::run);
        }
      });
      Contest times = Contest.measure(fast, seconds);
      Map<String, Double> millis = new LinkedHashMap<>();
      fast.keySet().forEach(name -> millis.put(name, times.millis(name)));
      return new Bout(millis, rough, error);
    } finally {
      contestants.values().forEach(Contestant::close);
    }
  }

  /// The milliseconds of the quickest of a few runs, or of one that is long.
  private static double quickest(Contestant contestant) throws Exception {
    double quickest = Double.POSITIVE_INFINITY;
    long end = System.nanoTime() + FIRST_LOOK_NANOS;
    do {
      long before = System.nanoTime();
      contestant.run();
      quickest = Math.min(quickest, (System.nanoTime() - before) / 1e6);
    } while (System.nanoTime() < end);
    return quickest;
  }

  static boolean peer(String name) {
    return !name.startsWith(OURS) && !name.startsWith(PLAIN);
  }

  /// The largest difference between our result and that of the first peer.
  private static double compare(Map<String, float[]> results, double largestDifference) {
    float[] expected = results.entrySet().stream().filter(entry -> peer(entry.getKey())).findFirst()
        .map(Map.Entry::getValue).orElse(results.get(PLAIN));
    double error = 0;
    for (Map.Entry<String, float[]> result : results.entrySet()) {
      double difference = expected == null ? 0 : difference(result.getValue(), expected);
      if (!(difference <= largestDifference)) {
        throw new IllegalStateException(result.getKey() + " differs by " + difference);
      }
      error = peer(result.getKey()) ? error : Math.max(error, difference);
    }
    return error;
  }

  private static double difference(float[] actual, float[] expected) {
    if (actual.length != expected.length) {
      throw new IllegalStateException(actual.length + " numbers, not " + expected.length);
    }
    double largest = 0;
    for (int i = 0; i < actual.length; i++) {
      largest = Math.max(largest, Math.abs((double) actual[i] - expected[i]));
    }
    return largest;
  }

  /// The medians of several new JVMs: what a JIT compiler makes of the same code may differ from one to the next.
  ///
  /// @param fork the benchmark that prints one case there
  static Bout inForks(String fork, String name, int threads, Request request) throws Exception {
    String[] arguments = Stream.concat(Stream.of(fork, "threads=" + threads, "seconds=" + request.seconds(), "backend=" + request.backend(), "compute=" + request.compute()),
        Stream.of(name.split(" "))).toArray(String[]::new);
    List<Bout> bouts = new ArrayList<>();
    for (int count = 0; count < request.forks(); count++) {
      bouts.add(read(NewJvm.output(arguments)));
    }
    return median(bouts);
  }

  /// The medians of equal bouts. Who was too slow in one of them is too slow.
  static Bout median(List<Bout> bouts) {
    Map<String, Double> millis = new LinkedHashMap<>();
    Map<String, Double> rough = new LinkedHashMap<>();
    for (String name : bouts.getFirst().names()) {
      boolean measured = bouts.stream().allMatch(bout -> bout.millis.containsKey(name));
      List<Double> times = bouts.stream().map(bout -> bout.millis.getOrDefault(name, bout.rough.get(name))).sorted().toList();
      (measured ? millis : rough).put(name, times.get(times.size() / 2));
    }
    return new Bout(millis, rough, bouts.stream().mapToDouble(Bout::error).max().orElseThrow());
  }

  private List<String> names() {
    return Stream.of(millis, rough).flatMap(times -> times.keySet().stream()).toList();
  }

  /// Lines for [#read].
  String written() {
    StringBuilder lines = new StringBuilder("error\t\t" + error + "\n");
    millis.forEach((name, time) -> lines.append("millis\t" + name + "\t" + time + "\n"));
    rough.forEach((name, time) -> lines.append("rough\t" + name + "\t" + time + "\n"));
    return lines.toString();
  }

  /// What was [#written], among other lines.
  static Bout read(String lines) {
    Map<String, Map<String, Double>> parts = new LinkedHashMap<>();
    lines.lines().map(line -> line.split("\t")).filter(words -> words.length == 3)
        .forEach(words -> parts.computeIfAbsent(words[0], _ -> new LinkedHashMap<>()).put(words[1], Double.valueOf(words[2])));
    if (!parts.containsKey("millis")) {
      throw new IllegalStateException("another JVM measured nothing, but said: " + lines);
    }
    return new Bout(parts.get("millis"), parts.getOrDefault("rough", Map.of()), parts.get("error").get(""));
  }

  /// The time of the fastest peer over ours: above 1, we are faster.
  double ratio() {
    return millis.entrySet().stream().filter(entry -> peer(entry.getKey())).mapToDouble(Map.Entry::getValue).min()
        .orElse(Double.NaN) / millis.get(OURS);
  }

  /// The time of our plain form over ours.
  double gain() {
    return millis.getOrDefault(PLAIN, Double.NaN) / millis.get(OURS);
  }

  /// The time of `name` for a table: of a first look, where it was not measured further, and a dash, where it did not take part.
  String time(String name) {
    return millis.containsKey(name) ? (millis.get(name) < SHORT ? "%.4f" : "%.2f").formatted(millis.get(name))
        : rough.containsKey(name) ? (rough.get(name) < LONG ? "~%.2f" : "~%.0f").formatted(rough.get(name)) : "-";
  }
}
