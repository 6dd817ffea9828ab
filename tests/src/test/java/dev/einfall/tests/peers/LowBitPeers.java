package dev.einfall.tests.peers;

import dev.einfall.passes.Compute;
import dev.einfall.runtime.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;

/// Products with weights of few bits in Einfall, with branches ([BranchPeers]), and with rows of such ([BitPeers]), beside our own with the same weights as `f32`, ONNX Runtime and oneDNN.
final class LowBitPeers {
  static final String FLOATS = Bout.PLAIN + " f32";
  static final String ONEDNN = "onednn";
  private static final int[][] SIZES = {{4096, 4096}, {11008, 4096}};
  private static final int[] ROWS = {1, 16, 128};
  /// How far sums of products may be apart where factors were rounded to bytes; it grows with the root of their number.
  private static final double ROUNDED = 1e-2;
  /// The same where products with all that codes may be were rounded, whose largest is larger.
  private static final double ROUNDED_TABLES = 2e-2;
  /// More than any cache has.
  private static final long MEMORY_BYTES = 1L << 28;
  private static final String ROW = "%-26s %9s %7s %7s %7s %7s %7s %9s %9s %8s %9s %9s %9s %9s%n";

  private LowBitPeers() {}

  /// Prints a table for each number of threads.
  static void run(Request request) throws Exception {
    for (int threads : request.threads()) {
      System.out.printf("%n%d thread%s. Times are medians in ms, ~ at a first look; above 1, ratios speak for einfall.%n", threads,
          threads == 1 ? "" : "s");
      double memory = ReadBandwidth.measure(MEMORY_BYTES, threads);
      System.out.printf("GB/s are those of stored weights; `of read` is their share of what reading as many bytes again and again reaches, `of memory` that of the "
          + "%.1f GB/s by which memory is read.%n", memory);
      System.out.printf(ROW, "lowbit n x k, m", Bout.OURS, "GOP/s", "MB", "GB/s", "read", "of read", "of memory", "our f32", "f32/ours", OnnxLowBit.FLOATS,
          OnnxLowBit.BYTES, ONEDNN, "peer/ours");
      for (int[] size : SIZES) {
        for (LowBitFormat format : LowBitFormat.values()) {
          measure(format, size[0], size[1], threads, memory, request);
        }
      }
      BranchPeers.print(SIZES[0][0], SIZES[0][1], ROWS, threads, request);
      BitPeers.print(SIZES[0][0], SIZES[0][1], ROWS, threads, request);
    }
  }

  private static void measure(LowBitFormat format, int n, int k, int threads, double memory, Request request) throws Exception {
    Predicate<LowBitCase> wanted = one -> request.wants(one.name());
    List<LowBitCase> cases =
        Arrays.stream(ROWS).mapToObj(m -> new LowBitCase(format, m, n, k)).filter(wanted).toList();
    if (cases.isEmpty()) {
      return;
    }
    try (Tensor given = Tensor.of(new Randoms(n).between(-1, 1, n * k), n, k); LowBitFormat.Encoded weights = format.encode(given, n, k)) {
      double read = ReadBandwidth.measure(weights.bytes(), threads);
      for (LowBitCase one : cases) {
        print(one, weights.bytes(), read, memory, Bout.measure(one.contestants(weights, threads, request.options(threads)), request.seconds(),
            (request.compute() == Compute.I8 ? ROUNDED_TABLES : ROUNDED) * Math.sqrt(k)));
      }
    }
  }

  private static void print(LowBitCase one, long bytes, double read, double memory, Bout bout) {
    double ours = bout.millis().get(Bout.OURS);
    double rate = bytes / ours / 1e6;
    System.out.printf(ROW, one.name(), bout.time(Bout.OURS), "%.1f".formatted(one.operations() / ours / 1e6), "%.1f".formatted(bytes / 1e6),
        "%.1f".formatted(rate), "%.1f".formatted(read), "%.0f%%".formatted(100 * rate / read), "%.0f%%".formatted(100 * rate / memory), bout.time(FLOATS), "%.2f".formatted(bout.millis().get(FLOATS) / ours),
        bout.time(OnnxLowBit.FLOATS), bout.time(OnnxLowBit.BYTES), bout.time(ONEDNN), Double.isNaN(bout.ratio()) ? "-" : "%.2f".formatted(bout.ratio()));
  }
}
