package dev.einfall.tests.peers;

import dev.einfall.runtime.Options;
import dev.einfall.runtime.Tensor;
import dev.einfall.tests.MadeWeights;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Products of rows that a program rounds to few bits with weights of few bits, beside the same program without the pass that counts bits, and `f32` of what both stand for.
final class BitPeers {
  private static final List<LowBitFormat> FORMATS = List.of(LowBitFormat.BINARY, LowBitFormat.TERNARY, LowBitFormat.INT2);
  private static final Set<String> PASS = Set.of("multiply-bits");
  /// How far sums of products may be apart of which one has the sums of codes from 0 up, less what these are too large; it grows with the root of their number.
  private static final double ROUNDED = 1e-3;
  private static final String ROW = "%-34s %9s %9s %12s %9s %9s%n";

  private BitPeers() {}

  /// Prints a table of products with an `n` x `k` matrix.
  static void print(int n, int k, int[] counts, int threads, Request request) throws Exception {
    System.out.printf(ROW, "lowbit rows x weights, n x k, m", Bout.OURS, Bout.PLAIN, "plain/ours", "f32", "f32/ours");
    for (LowBitFormat rows : FORMATS) {
      for (LowBitFormat weights : FORMATS) {
        for (int m : counts) {
          String name = "%s x %s %dx%d m%d".formatted(rows.word(), weights.word(), n, k, m);
          if (request.wants(name)) {
            measure(name, rows, weights, m, n, k, threads, request);
          }
        }
      }
    }
  }

  private static void measure(String name, LowBitFormat rows, LowBitFormat weights, int m, int n, int k, int threads, Request request) throws Exception {
    try (Tensor given = Tensor.of(new Randoms(n).between(-1, 1, n * k), n, k); LowBitFormat.Encoded encoded = weights.encode(given, n, k);
        Tensor x = Tensor.of(new Randoms(m).between(-1, 1, m * k), m, k)) {
      Options options = request.options(threads);
      Map<String, Contestant> all = new LinkedHashMap<>();
      all.put(Bout.OURS, rows.oursOfRows(weights, encoded, copy(x, m, k), n, k, options));
      all.put(Bout.PLAIN, rows.oursOfRows(weights, encoded, copy(x, m, k), n, k, options.without(PASS)));
      all.put(LowBitPeers.FLOATS, floats(encoded, Tensor.of(rows.rounded(x, m, k), m, k), n, k, options));
      Bout bout = Bout.measure(all, request.seconds(), ROUNDED * Math.sqrt(k));
      double ours = bout.millis().get(Bout.OURS);
      System.out.printf(ROW, name, bout.time(Bout.OURS), bout.time(Bout.PLAIN), "%.2f".formatted(bout.gain()), bout.time(LowBitPeers.FLOATS),
          "%.2f".formatted(bout.millis().get(LowBitPeers.FLOATS) / ours));
    }
  }

  private static Tensor copy(Tensor tensor, int m, int k) {
    return Tensor.of(tensor.floats(), m, k);
  }

  private static Contestant floats(LowBitFormat.Encoded weights, Tensor x, int n, int k, Options options) {
    return new EinfallContestant(LowBitCase.floats(n, k), Map.of("X", x), options.withWeights(new MadeWeights().with("W", weights.decoded())));
  }
}
