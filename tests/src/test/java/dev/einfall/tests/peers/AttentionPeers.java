package dev.einfall.tests.peers;

import static dev.einfall.tests.peers.AttentionCase.DEPTH;

import dev.einfall.runtime.Options;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Naive attention in Einfall, and in Einfall without reduced passes, beside the fused operators of ONNX Runtime and PyTorch.
final class AttentionPeers {
  private static final List<String> PEERS = List.of("ort Attention", "ort MultiHead", "ort GroupQuery", "torch");
  /// Scores, their exponentials, and room for those of a peer.
  private static final int STORED_SCORES = 4;

  private AttentionPeers() {}

  /// Prints a table for each number of threads.
  static void run(Request request) throws Exception {
    if (request.forced()) {
      force(request);
      return;
    }
    Optional<String> missing = TorchContestant.missing();
    missing.ifPresent(why -> System.out.println("PyTorch does not run here: " + why));
    for (int threads : request.threads()) {
      double peak = Peak.gflops(threads);
      System.out.printf("%n%d thread%s, peak %.0f GFLOP/s. Times are medians in ms, ~ at a first look; above 1, ratios speak for einfall.%n",
          threads, threads == 1 ? "" : "s", peak);
      System.out.printf("%-22s %10s %8s %6s %10s %14s %14s %14s %10s %10s %10s %9s%n", "attention", "einfall", "GFLOP/s", "peak",
          "plain", "ort Attention", "ort MultiHead", "ort GroupQuery", "torch", "peer/ours", "plain/ours", "error");
      List<Bout> bouts = new ArrayList<>();
      for (AttentionCase shape : AttentionCase.all()) {
        if (request.wants(shape.name())) {
          Bout bout = Bout.measure(contestants(shape, request.options(threads), missing.isEmpty()), request.seconds());
          bouts.add(bout);
          print(shape, bout, peak);
        }
      }
      System.out.printf("the least ratio to the best peer is %.2f%n",
          bouts.stream().mapToDouble(Bout::ratio).min().orElse(Double.NaN));
    }
  }

  private static void force(Request request) throws Exception {
    for (int threads : request.threads()) {
      System.out.printf("%n%d thread%s%n", threads, threads == 1 ? "" : "s");
      ForcedChoices choices = new ForcedChoices(request.seconds(), request::asksAbout);
      for (AttentionCase shape : AttentionCase.all()) {
        if (request.wants(shape.name())) {
          AttentionCase.Inputs inputs = shape.inputs();
          choices.measure(shape.name(), options -> new EinfallContestant(shape.program(), shape.tensors(inputs), options),
              request.options(threads));
        }
      }
      choices.summarize();
    }
  }

  private static Map<String, Contestant> contestants(AttentionCase shape, Options options, boolean torch) throws Exception {
    AttentionCase.Inputs inputs = shape.inputs();
    int threads = options.threads();
    Map<String, Contestant> all = new LinkedHashMap<>();
    all.put(Bout.OURS, new EinfallContestant(shape.program(), shape.tensors(inputs), options));
    all.putAll(OnnxAttention.all(shape, inputs, threads));
    if (torch) {
      all.put("torch", torch(shape, inputs, threads));
    }
    if (STORED_SCORES * shape.scoreBytes() < freeBytes()) {
      all.put(Bout.PLAIN, new EinfallContestant(shape.program(), shape.tensors(inputs), Plain.options(options)));
    } else {
      System.out.println("no memory for the scores of " + shape.name() + ", so no plain form");
    }
    return all;
  }

  /// Queries of one position that share keys are given as if they were positions of one head: the same numbers in the same
  /// places, and the keys need not be copied for each head.
  private static Contestant torch(AttentionCase shape, AttentionCase.Inputs in, int threads) throws Exception {
    int heads = shape.decode() ? shape.groups() : shape.heads();
    return new TorchContestant("torch.scaled_dot_product_attention(q, k, v, None, 0., %s)"
        .formatted(shape.causal() ? "True" : "False"), threads, "q", "k", "v")
        .with(in.q(), 1, heads, (long) shape.queries() * shape.heads() / heads, DEPTH)
        .with(in.k(), 1, shape.groups(), shape.keys(), DEPTH)
        .with(in.v(), 1, shape.groups(), shape.keys(), DEPTH);
  }

  /// The memory that this machine has left, where it tells.
  private static long freeBytes() throws IOException {
    Path memory = Path.of("/proc/meminfo");
    return !Files.exists(memory) ? Long.MAX_VALUE : Files.readAllLines(memory).stream()
        .filter(line -> line.startsWith("MemAvailable")).mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024)
        .findFirst().orElse(Long.MAX_VALUE);
  }

  private static void print(AttentionCase shape, Bout bout, double peak) {
    double gflops = shape.flops() / bout.millis().get(Bout.OURS) / 1e6;
    List<String> peers = PEERS.stream().map(bout::time).toList();
    System.out.printf("%-22s %10s %8.1f %5.0f%% %10s %14s %14s %14s %10s %10.2f %10.2f %9.1e%n", shape.name(),
        bout.time(Bout.OURS), gflops, 100 * gflops / peak, bout.time(Bout.PLAIN), peers.get(0), peers.get(1), peers.get(2),
        peers.get(3), bout.ratio(), bout.gain(), bout.error());
  }
}
