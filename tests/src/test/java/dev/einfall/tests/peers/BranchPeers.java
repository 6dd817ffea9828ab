package dev.einfall.tests.peers;

import dev.einfall.ir.ElementType;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Tensor;
import dev.einfall.tests.MadeWeights;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// What it costs that a product with weights of few bits has a branch, as the quantizer writes it: two thin matrices of `f16` that make up for a part of
/// the error (SVDQuant), or columns that stay in `f16`, whose rows are taken out of the input (LLM.int8()). Times are those of the whole program over those of the product alone.
final class BranchPeers {
  private static final List<LowBitFormat> FORMATS = List.of(LowBitFormat.INT8_ROWS, LowBitFormat.INT4, LowBitFormat.TERNARY);
  private static final String ALONE = "alone";
  private static final String ROW = "%-34s %9s %9s %8s %9s %8s%n";

  /// A product with a branch of `width`: a rank, or columns.
  private enum Branch {
    LOW_RANK("rank", 32), OUTLIERS("columns", 32);

    private final String word;
    private final int width;

    Branch(String word, int width) {
      this.word = word;
      this.width = width;
    }

    String title() {
      return "+ " + width + " " + word;
    }

    /// What a program has beside its product, and the input of that.
    String text(int n, int k) {
      return switch (this) {
        case LOW_RANK -> """
              weight Down: f16[%1$d, %3$d] = "Down"
              weight Up: f16[%2$d, %1$d] = "Up"
              T[m, r] = sum[k](X[m, k] * f32(Down[r, k]))
              Y[m, n] = sum[k](X[m, k] * W[n, k]) + sum[r](T[m, r] * f32(Up[n, r]))
            """.formatted(width, n, k);
        case OUTLIERS -> """
              weight Inner: f32[%3$d] = "Inner"
              weight Places: i32[%1$d] = "Places"
              weight Outliers: f16[%2$d, %1$d] = "Outliers"
              T[m, o] = X[m, Places[o]]
              Z[m, k] = X[m, k] * Inner[k]
              Y[m, n] = sum[k](Z[m, k] * W[n, k]) + sum[o](T[m, o] * f32(Outliers[n, o]))
            """.formatted(width, n, k);
      };
    }

    void addTo(MadeWeights weights, int n, int k) {
      switch (this) {
        case LOW_RANK -> weights.with("Down", ElementType.F16, halves(1, width * k), width, k).with("Up", ElementType.F16, halves(2, n * width), n, width);
        case OUTLIERS -> {
          int[] places = new int[width];
          float[] inner = new float[k];
          Arrays.fill(inner, 1);
          for (int i = 0; i < width; i++) {
            places[i] = i * (k / width);
            inner[places[i]] = 0;
          }
          weights.with("Inner", inner, k).with("Places", ElementType.I32, MemorySegment.ofArray(places), width)
              .with("Outliers", ElementType.F16, halves(3, n * width), n, width);
        }
      }
    }

    private static MemorySegment halves(int seed, int count) {
      float[] values = new Randoms(seed).between(-1, 1, count);
      short[] halves = new short[count];
      for (int i = 0; i < count; i++) {
        halves[i] = Float.floatToFloat16(values[i]);
      }
      return MemorySegment.ofArray(halves);
    }
  }

  private BranchPeers() {}

  /// Prints a table of products with an `n` x `k` matrix.
  static void print(int n, int k, int[] counts, int threads, Request request) throws Exception {
    System.out.printf(ROW, "lowbit branches, n x k, m", ALONE, Branch.LOW_RANK.title(), "times", Branch.OUTLIERS.title(), "times");
    for (LowBitFormat format : FORMATS) {
      for (int m : counts) {
        String name = "%s branches %dx%d m%d".formatted(format.word(), n, k, m);
        if (request.wants(name)) {
          measure(name, format, m, n, k, request.options(threads), request.seconds());
        }
      }
    }
  }

  private static void measure(String name, LowBitFormat format, int m, int n, int k, Options options, double seconds) throws Exception {
    Map<String, Contestant> all = new LinkedHashMap<>();
    try (Tensor given = Tensor.of(new Randoms(n).between(-1, 1, n * k), n, k); LowBitFormat.Encoded weights = format.encode(given, n, k)) {
      all.put(ALONE, format.ours(weights, input(m, k), n, k, options));
      for (Branch branch : Branch.values()) {
        MadeWeights more = weights.weights();
        branch.addTo(more, n, k);
        all.put(branch.title(), new EinfallContestant(format.program(n, k, branch.text(n, k)), Map.of("X", input(m, k)), options.withWeights(more)));
      }
      Map<String, Contest.Action> actions = all.entrySet().stream()
          .collect(Collectors.toMap(Map.Entry::getKey, entry -> entry.getValue()::run, (one, _) -> one, LinkedHashMap::new));
      Contest times = Contest.measure(actions, seconds);
      double alone = times.millis(ALONE);
      double lowRank = times.millis(Branch.LOW_RANK.title());
      double outliers = times.millis(Branch.OUTLIERS.title());
      System.out.printf(ROW, name, "%.3f".formatted(alone), "%.3f".formatted(lowRank), "%.2f".formatted(lowRank / alone), "%.3f".formatted(outliers),
          "%.2f".formatted(outliers / alone));
    } finally {
      all.values().forEach(Contestant::close);
    }
  }

  private static Tensor input(int m, int k) {
    return Tensor.of(new Randoms(m).between(-1, 1, m * k), m, k);
  }
}
