package dev.einfall.tests.peers;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// What is bound by memory in Einfall, ONNX Runtime and PyTorch, beside what the memory gives.
final class ElementwisePeers {
  private static final List<String> PEERS = List.of("ort", "torch");

  private ElementwisePeers() {}

  /// Prints a table for each number of threads.
  static void run(Request request) throws Exception {
    Optional<String> missing = TorchContestant.missing();
    missing.ifPresent(why -> System.out.println("PyTorch does not run here: " + why));
    for (int threads : request.threads()) {
      StreamBandwidth stream = StreamBandwidth.measure(threads);
      System.out.printf("%n%d thread%s. Times are medians in ms, ~ at a first look; above 1, ratios speak for einfall.%n", threads,
          threads == 1 ? "" : "s");
      System.out.printf("Memory gives %.1f GB/s to a copy, %.1f to a triad.%n", stream.copy(), stream.triad());
      Map<String, Double> calls = calls(request, threads, missing.isEmpty());
      System.out.println("A call for 16 numbers takes " + String.join(", ", calls.entrySet().stream()
          .map(call -> "%.1f us in %s".formatted(1000 * call.getValue(), call.getKey())).toList()) + "; net ratios are without.");
      measure(request, threads, missing.isEmpty(), stream, calls);
    }
  }

  /// What a call takes, once all that it runs through is compiled.
  private static Map<String, Double> calls(Request request, int threads, boolean hasTorch) throws Exception {
    Bout.measure(ElementwiseCases.call().contestants(request.options(threads), threads, hasTorch), request.seconds());
    return Bout.measure(ElementwiseCases.call().contestants(request.options(threads), threads, hasTorch), request.seconds()).millis();
  }

  private static void measure(Request request, int threads, boolean hasTorch, StreamBandwidth stream, Map<String, Double> calls)
      throws Exception {
    System.out.printf("%-24s %10s %8s %9s %10s %10s %10s %7s %9s%n", "elementwise", "einfall", "GB/s", "of stream", "ort", "torch",
        "peer/ours", "net", "error");
    List<Double> ratios = new ArrayList<>();
    List<ElementwiseCase> cases = Stream.of(ElementwiseCase.IN_CACHE, ElementwiseCase.IN_MEMORY).flatMap(ElementwiseCases::all)
        .filter(one -> request.wants(one.name())).toList();
    for (ElementwiseCase one : cases) {
      Bout bout = Bout.measure(one.contestants(request.options(threads), threads, hasTorch), request.seconds());
      ratios.add(bout.ratio());
      print(one, bout, stream, calls);
    }
    System.out.printf("the least ratio to the best peer is %.2f, the geometric mean %.2f%n",
        ratios.stream().mapToDouble(Double::doubleValue).min().orElse(Double.NaN),
        Math.exp(ratios.stream().mapToDouble(Math::log).average().orElse(Double.NaN)));
  }

  private static void print(ElementwiseCase one, Bout bout, StreamBandwidth stream, Map<String, Double> calls) {
    double rate = one.bytes() / bout.millis().get(Bout.OURS) / 1e6;
    String share = one.isInMemory() ? "%.0f%%".formatted(100 * rate / stream.best()) : "-";
    List<String> peers = PEERS.stream().map(peer -> time(bout, peer)).toList();
    System.out.printf("%-24s %10s %8.1f %9s %10s %10s %10.2f %7.2f %9.1e%n", one.name(), time(bout, Bout.OURS), rate, share,
        peers.get(0), peers.get(1), bout.ratio(), net(bout, calls), bout.error());
  }

  /// Microseconds matter here.
  private static String time(Bout bout, String name) {
    return bout.millis().containsKey(name) ? "%.4f".formatted(bout.millis().get(name))
        : bout.rough().containsKey(name) ? "~%.4f".formatted(bout.rough().get(name)) : "-";
  }

  /// The ratio to the best peer where calls cost nothing.
  private static double net(Bout bout, Map<String, Double> calls) {
    double ours = bout.millis().get(Bout.OURS) - calls.get(Bout.OURS);
    return bout.millis().entrySet().stream().filter(entry -> Bout.peer(entry.getKey()))
        .mapToDouble(entry -> entry.getValue() - calls.getOrDefault(entry.getKey(), 0.0)).min().orElse(Double.NaN) / ours;
  }
}
