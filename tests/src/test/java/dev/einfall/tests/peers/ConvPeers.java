package dev.einfall.tests.peers;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Convolutions in Einfall, beside oneDNN.
final class ConvPeers {
  /// What a new JVM is told to do.
  static final String FORK = "conv-fork";
  private static final String ONEDNN = "onednn";
  private static final String ROW = "%-34s %5s %10s %8s %6s %10s %9s %9s %9s%n";

  private ConvPeers() {}

  /// What was measured of one case.
  private record Line(ConvCase shape, Bout bout) {
    /// How much longer than oneDNN all layers like this one take together; negative if they take less.
    double lost() {
      return shape.count() * bout.millis().get(Bout.OURS) * (1 - bout.ratio());
    }
  }

  /// Prints a table for each number of threads.
  static void run(Request request) throws Exception {
    if (request.forced()) {
      force(request);
      return;
    }
    if (!OneDnn.isThere()) {
      System.out.println("oneDNN is not here: it is fetched on Linux with an x86-64 processor only.");
    }
    for (int threads : request.threads()) {
      double peak = Peak.gflops(threads);
      System.out.printf("%n%d thread%s, peak %.0f GFLOP/s. Times are medians in ms, `lost` those of all equal layers beyond oneDNN's; above 1, ratios "
          + "speak for einfall.%n", threads, threads == 1 ? "" : "s", peak);
      System.out.printf(ROW, "conv taps/stride size channels", "count", "einfall", "GFLOP/s", "peak", ONEDNN, "peer/ours", "lost", "error");
      Map<String, List<Line>> nets = new LinkedHashMap<>();
      for (ConvCase shape : ConvCases.all()) {
        if (request.wants(shape.name())) {
          Line line = new Line(shape, request.forks() == 0 ? measure(shape, threads, request) : Bout.inForks(FORK, shape.name(), threads, request));
          nets.computeIfAbsent(shape.net(), _ -> new ArrayList<>()).add(line);
          print(line, peak);
        }
      }
      nets.forEach(ConvPeers::summarize);
      summarize("all", nets.values().stream().flatMap(List::stream).toList());
    }
  }

  private static void force(Request request) throws Exception {
    for (int threads : request.threads()) {
      System.out.printf("%n%d thread%s%n", threads, threads == 1 ? "" : "s");
      ForcedChoices choices = new ForcedChoices(request.seconds(), request::asksAbout);
      for (ConvCase shape : ConvCases.all()) {
        if (request.wants(shape.name())) {
          ConvCase.Inputs inputs = shape.inputs();
          choices.measure(shape.name(), options -> shape.ours(inputs, options), request.options(threads));
        }
      }
      choices.summarize();
    }
  }

  /// Prints what one case takes in this JVM, to be read by the JVM that started it.
  static void fork(Request request) throws Exception {
    ConvCase shape = ConvCases.all().stream().filter(one -> request.wants(one.name())).findFirst().orElseThrow();
    System.out.print(measure(shape, request.threads().getFirst(), request).written());
  }

  private static Bout measure(ConvCase shape, int threads, Request request) throws Exception {
    ConvCase.Inputs inputs = shape.inputs();
    Map<String, Contestant> all = new LinkedHashMap<>();
    all.put(Bout.OURS, shape.ours(inputs, request.options(threads)));
    if (OneDnn.isThere()) {
      all.put(ONEDNN, new OneDnnConv(shape, inputs, threads));
    }
    return Bout.measure(all, request.seconds());
  }

  private static void print(Line line, double peak) {
    ConvCase shape = line.shape();
    Bout bout = line.bout();
    double gflops = shape.flops() / bout.millis().get(Bout.OURS) / 1e6;
    System.out.printf(ROW, shape.name(), shape.count(), bout.time(Bout.OURS), "%.1f".formatted(gflops), "%.0f%%".formatted(100 * gflops / peak),
        bout.time(ONEDNN), "%.2f".formatted(bout.ratio()), "%.2f".formatted(line.lost()), "%.1e".formatted(bout.error()));
  }

  private static void summarize(String net, List<Line> lines) {
    double logarithms = lines.stream().mapToDouble(line -> Math.log(line.bout().ratio())).average().orElse(Double.NaN);
    double ours = lines.stream().mapToDouble(line -> line.shape().count() * line.bout().millis().get(Bout.OURS)).sum();
    System.out.printf("%s: the geometric mean of %d ratios to oneDNN is %.2f, the least %.2f; all layers take %.1f ms, beside %.1f ms%n", net,
        lines.size(), Math.exp(logarithms), lines.stream().mapToDouble(line -> line.bout().ratio()).min().orElse(Double.NaN), ours,
        ours - lines.stream().mapToDouble(Line::lost).sum());
  }
}
