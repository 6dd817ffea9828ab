package dev.einfall.tests.peers;

import dev.einfall.ir.ElementType;
import dev.einfall.runtime.Tensor;
import dev.einfall.tests.MadeWeights;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// Products of matrices of bytes, `u8` by a constant `i8`, with exact sums that are given as `f32`: in Einfall, beside oneDNN and our own in `f32`.
final class BytePeers {
  private static final String ONEDNN = "onednn";
  private static final String FLOATS = Bout.PLAIN + " f32";
  private static final String ROW = "%-22s %10s %8s %10s %10s %10s %10s%n";
  private static final List<GemmCase> CASES = GemmCase.all().stream().filter(shape -> shape.constant() && !shape.odd()).toList();

  private BytePeers() {}

  static void run(Request request) throws Exception {
    for (int threads : request.threads()) {
      System.out.printf("%n%d thread%s. Times are medians in ms; above 1, ratios speak for einfall.%n", threads, threads == 1 ? "" : "s");
      System.out.printf(ROW, "bytes m x n x k", "einfall", "GOP/s", ONEDNN, "peer/ours", "our f32", "f32/ours");
      List<Double> ratios = new ArrayList<>();
      for (GemmCase shape : CASES) {
        if (request.wants(shape.name())) {
          Bout bout = measure(shape, threads, request);
          ratios.add(bout.ratio());
          print(shape, bout);
        }
      }
      if (!ratios.isEmpty()) {
        System.out.printf("the geometric mean of %d ratios is %.2f%n", ratios.size(),
            Math.exp(ratios.stream().mapToDouble(Math::log).average().orElseThrow()));
      }
    }
  }

  private static Bout measure(GemmCase shape, int threads, Request request) throws Exception {
    byte[] left = bytes(shape.m() * shape.k(), 1);
    byte[] right = bytes(shape.k() * shape.n(), 2);
    Map<String, Contestant> all = new LinkedHashMap<>();
    all.put(Bout.OURS, ours(shape, left, right, threads, request));
    if (OneDnn.isThere()) {
      all.put(ONEDNN, OneDnnGemm.ofBytes(shape, tensor(left, shape.m(), shape.k()), tensor(right, shape.k(), shape.n()), threads));
    }
    all.put(FLOATS, floats(shape, left, right, threads, request));
    // Sums are exact but for their rounding to f32.
    return Bout.measure(all, request.seconds(), 255.0 * 128 * shape.k() * 0x1p-23);
  }

  private static byte[] bytes(int count, long seed) {
    byte[] bytes = new byte[count];
    new SplittableRandom(seed).nextBytes(bytes);
    return bytes;
  }

  private static Contestant ours(GemmCase shape, byte[] left, byte[] right, int threads, Request request) {
    String program = """
        def main(A: u8[M, %1$d]) -> f32[M, %2$d] {
          weight B: i8[%1$d, %2$d] = "B"
          S[m, n] = sum[k](i32(A[m, k]) * i32(B[k, n]))
          C[m, n] = f32(S[m, n])
          return C
        }
        """.formatted(shape.k(), shape.n());
    return new EinfallContestant(program, Map.of("A", tensor(left, shape.m(), shape.k())),
        request.options(threads).withWeights(new MadeWeights().with("B", right, shape.k(), shape.n())));
  }

  private static Contestant floats(GemmCase shape, byte[] left, byte[] right, int threads, Request request) {
    float[] a = new float[left.length];
    float[] b = new float[right.length];
    for (int i = 0; i < a.length; i++) {
      a[i] = left[i] & 0xff;
    }
    for (int i = 0; i < b.length; i++) {
      b[i] = right[i];
    }
    return shape.ours(new GemmCase.Inputs(a, b), request.options(threads));
  }

  private static Tensor tensor(byte[] values, long... shape) {
    Tensor tensor = Tensor.zeros(ElementType.U8, shape);
    tensor.data().copyFrom(MemorySegment.ofArray(values));
    return tensor;
  }

  private static void print(GemmCase shape, Bout bout) {
    double ours = bout.millis().get(Bout.OURS);
    System.out.printf(ROW, shape.m() + "x" + shape.n() + "x" + shape.k(), bout.time(Bout.OURS), "%.0f".formatted(shape.flops() / ours / 1e6),
        bout.time(ONEDNN), "%.2f".formatted(bout.ratio()), bout.time(FLOATS), "%.2f".formatted(bout.millis().get(FLOATS) / ours));
  }
}
