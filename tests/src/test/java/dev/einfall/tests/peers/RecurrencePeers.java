package dev.einfall.tests.peers;

import dev.einfall.runtime.Options;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// Recurrences of the standard library in Einfall, and there step by step, beside the operators of ONNX Runtime.
final class RecurrencePeers {
  private RecurrencePeers() {}

  /// Prints a table for each number of threads.
  static void run(Request request) throws Exception {
    if (request.forced()) {
      force(request);
      return;
    }
    for (int threads : request.threads()) {
      double peak = Peak.gflops(threads);
      System.out.printf("%n%d thread%s, peak %.0f GFLOP/s. Times are medians in ms; above 1, ratios speak for einfall.%n",
          threads, threads == 1 ? "" : "s", peak);
      System.out.printf("%-12s %10s %8s %6s %10s %10s %10s %10s %9s%n", "recurrence", "einfall", "GFLOP/s", "peak", "steps", "ort",
          "peer/ours", "steps/ours", "error");
      List<Bout> bouts = new ArrayList<>();
      for (Supplier<RecurrenceCase> supplier : RecurrenceCase.all().toList()) {
        RecurrenceCase one = supplier.get();
        if (request.wants(one.name())) {
          Bout bout = Bout.measure(contestants(one, request.options(threads).withWeights(one.weights())), request.seconds());
          bouts.add(bout);
          print(one, bout, peak);
        }
      }
      System.out.printf("the least ratio to the best peer is %.2f%n",
          bouts.stream().mapToDouble(Bout::ratio).filter(ratio -> !Double.isNaN(ratio)).min().orElse(Double.NaN));
    }
  }

  private static void force(Request request) throws Exception {
    for (int threads : request.threads()) {
      System.out.printf("%n%d thread%s%n", threads, threads == 1 ? "" : "s");
      ForcedChoices choices = new ForcedChoices(request.seconds(), request::asksAbout);
      for (Supplier<RecurrenceCase> supplier : RecurrenceCase.all().toList()) {
        RecurrenceCase one = supplier.get();
        if (request.wants(one.name())) {
          choices.measure(one.name(), options -> new EinfallContestant(one.program(), one.inputs().get(), options),
              request.options(threads).withWeights(one.weights()));
        }
      }
      choices.summarize();
    }
  }

  private static Map<String, Contestant> contestants(RecurrenceCase one, Options options) throws Exception {
    int threads = options.threads();
    Map<String, Contestant> all = new LinkedHashMap<>();
    all.put(Bout.OURS, new EinfallContestant(one.program(), one.inputs().get(), options));
    all.putAll(one.peers().make(threads));
    all.put(Bout.PLAIN, new EinfallContestant(one.program(), one.inputs().get(), Plain.options(options)));
    return all;
  }

  private static void print(RecurrenceCase one, Bout bout, double peak) {
    double gflops = one.flops() / bout.millis().get(Bout.OURS) / 1e6;
    String peer = bout.millis().keySet().stream().filter(Bout::peer).findFirst().map(bout::time).orElse("-");
    System.out.printf("%-12s %10s %8.1f %5.0f%% %10s %10s %10.2f %10.2f %9.1e%n", one.name(), bout.time(Bout.OURS), gflops,
        100 * gflops / peak, bout.time(Bout.PLAIN), peer, bout.ratio(), bout.gain(), bout.error());
  }
}
