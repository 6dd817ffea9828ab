package dev.einfall.tests.peers;

import dev.einfall.runtime.Options;
import dev.einfall.runtime.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Attention over a cache that is in a format: `rows` queries, which may be those of heads that share keys, of each of `heads` heads.
record CacheCase(CacheFormat format, int heads, int rows, int keys, int width) {

  /// What is measured: in cache and in memory, one row, four that share keys, and a part of a prompt.
  static List<CacheCase> all() {
    List<CacheCase> cases = new ArrayList<>();
    for (int[] size : new int[][] {{8, 1, 4096, 128}, {32, 1, 4096, 128}, {8, 1, 4096, 64}, {8, 4, 4096, 128}, {8, 16, 2048, 128}, {8, 64, 2048, 128}}) {
      for (CacheFormat format : CacheFormat.values()) {
        cases.add(new CacheCase(format, size[0], size[1], size[2], size[3]));
      }
    }
    return cases;
  }

  String name() {
    return "%s h%d r%d %dx%d".formatted(format.word(), heads, rows, keys, width);
  }

  private String program(String imports, String caches, String decoded) {
    return """
        %s
        def main(Q: f32[H, R, %d], %s) -> f32[H, R, %2$d] {
          %s
          S[h, r, n] = sum[d](Q[h, r, d] * K[h, n, d]) / sqrt(%2$d)
          A[h, r, n] = exp(S[h, r, n] - max[n](S[h, r, n]))
          Z[h, r, d] = sum[n](A[h, r, n] * V[h, n, d]) / sum[n](A[h, r, n])
          return Z
        }
        """.formatted(imports, width, caches, decoded);
  }

  /// Both forms, on the same numbers.
  Map<String, Contestant> contestants(Options options) {
    Randoms random = new Randoms(keys + rows);
    float[] queries = random.between(-2, 2, heads * rows * width);
    Map<String, Tensor> coded = new LinkedHashMap<>(Map.of("Q", Tensor.of(queries, heads, rows, width)));
    Map<String, Tensor> floats = new LinkedHashMap<>(Map.of("Q", Tensor.of(queries, heads, rows, width)));
    for (String name : List.of("K", "V")) {
      try (Tensor cache = Tensor.of(random.between(-2, 2, heads * keys * width), heads, keys, width)) {
        coded.putAll(format.encode(name, cache));
      }
      floats.put(name, coded.remove(name));
    }
    String own = program(format.imported(), (format.parts("K") + ", " + format.parts("V")).replace("G", "H").replace("D", "" + width),
        (format.decoded("K") + "\n  " + format.decoded("V")).replace("D", "" + width));
    Map<String, Contestant> all = new LinkedHashMap<>();
    all.put(Bout.OURS, new EinfallContestant(own, coded, options));
    all.put(Bout.PLAIN, new EinfallContestant(program("", "K: f32[H, N, %d], V: f32[H, N, %1$d]".formatted(width), ""), floats, options));
    return all;
  }
}
