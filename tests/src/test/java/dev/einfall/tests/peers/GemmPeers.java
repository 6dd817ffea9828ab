package dev.einfall.tests.peers;

import dev.einfall.passes.Compute;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Products of matrices in Einfall, beside oneDNN and MKL.
final class GemmPeers {
  /// What a new JVM is told to do.
  static final String FORK = "gemm-fork";
  private static final String ONEDNN = "onednn";
  private static final String MKL = "mkl";
  private static final String MKL_PACKED = "mkl packed";
  /// How far a sum of one product with rounded factors, and one with others, may be apart; it grows with the root of their number.
  private static final double ROUNDED = 1e-2;
  private static final String ROW = "%-28s %10s %8s %6s %10s %10s %10s %10s %9s%n";

  private GemmPeers() {}

  /// Prints a table for each number of threads.
  static void run(Request request) throws Exception {
    if (request.forced()) {
      force(request);
      return;
    }
    if (!MklGemm.isThere()) {
      System.out.println("oneDNN and MKL are not here: they are fetched on Linux with an x86-64 processor only.");
    }
    for (int threads : request.threads()) {
      double peak = Peak.gflops(threads);
      System.out.printf("%n%d thread%s, peak %.0f GFLOP/s. Times are medians in ms, ~ at a first look; above 1, ratios speak for einfall.%n",
          threads, threads == 1 ? "" : "s", peak);
      System.out.printf(ROW, "gemm m x n x k", "einfall", "GFLOP/s", "peak", ONEDNN, MKL, MKL_PACKED, "peer/ours", "error");
      Map<String, List<Double>> ratios = new LinkedHashMap<>();
      for (GemmCase shape : GemmCase.all()) {
        if (request.wants(shape.name())) {
          Bout bout = request.forks() == 0 ? measure(shape, threads, request) : Bout.inForks(FORK, shape.name(), threads, request);
          ratios.computeIfAbsent(shape.kind(), _ -> new ArrayList<>()).add(bout.ratio());
          print(shape, bout, peak);
        }
      }
      ratios.forEach(GemmPeers::summarize);
    }
  }

  private static void force(Request request) throws Exception {
    for (int threads : request.threads()) {
      System.out.printf("%n%d thread%s%n", threads, threads == 1 ? "" : "s");
      ForcedChoices choices = new ForcedChoices(request.seconds(), request::asksAbout);
      for (GemmCase shape : GemmCase.all()) {
        if (request.wants(shape.name())) {
          GemmCase.Inputs inputs = shape.inputs();
          choices.measure(shape.name(), options -> shape.ours(inputs, options), request.options(threads));
        }
      }
      choices.summarize();
    }
  }

  /// Prints what one case takes in this JVM, to be read by the JVM that started it.
  static void fork(Request request) throws Exception {
    GemmCase shape = GemmCase.all().stream().filter(one -> request.wants(one.name())).findFirst().orElseThrow();
    System.out.print(measure(shape, request.threads().getFirst(), request).written());
  }

  private static Bout measure(GemmCase shape, int threads, Request request) throws Exception {
    GemmCase.Inputs inputs = shape.inputs();
    Map<String, Contestant> all = new LinkedHashMap<>();
    all.put(Bout.OURS, shape.ours(inputs, request.options(threads)));
    if (MklGemm.isThere()) {
      all.put(ONEDNN, OneDnnGemm.of(shape, inputs, request.compute(), threads));
    }
    if (MklGemm.isThere() && request.compute() == Compute.F32) {
      all.put(MKL, new MklGemm(shape, inputs, false, threads));
      if (shape.constant()) {
        all.put(MKL_PACKED, new MklGemm(shape, inputs, true, threads));
      }
    }
    return request.compute() == Compute.F32 ? Bout.measure(all, request.seconds())
        : Bout.measure(all, request.seconds(), ROUNDED * Math.sqrt(shape.k()));
  }

  private static void print(GemmCase shape, Bout bout, double peak) {
    double gflops = shape.flops() / bout.millis().get(Bout.OURS) / 1e6;
    System.out.printf(ROW, shape.name(), bout.time(Bout.OURS), "%.1f".formatted(gflops), "%.0f%%".formatted(100 * gflops / peak),
        bout.time(ONEDNN), bout.time(MKL), bout.time(MKL_PACKED), "%.2f".formatted(bout.ratio()), "%.1e".formatted(bout.error()));
  }

  private static void summarize(String kind, List<Double> ratios) {
    double logarithms = ratios.stream().mapToDouble(Math::log).average().orElse(Double.NaN);
    System.out.printf("%s: the geometric mean of %d ratios to the best peer is %.2f, the least %.2f%n", kind, ratios.size(),
        Math.exp(logarithms), ratios.stream().mapToDouble(Double::doubleValue).min().orElse(Double.NaN));
  }
}
