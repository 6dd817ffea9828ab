package dev.einfall.tests.peers;

import dev.einfall.runtime.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What is computed: softmax attention of `heads` heads of queries over `groups` heads of keys and values, in `f32`.
///
/// @param causal whether a query sees no later key; then there are as many queries as keys
record AttentionCase(int heads, int groups, int queries, int keys, boolean causal) {
  /// The numbers of a query, a key and a value.
  static final int DEPTH = 64;
  private static final int HEADS = 8;
  private static final int GROUPS = 2;

  /// The inputs, `[heads, queries, DEPTH]`, `[groups, keys, DEPTH]` twice, in row-major order.
  record Inputs(float[] q, float[] k, float[] v) {}

  /// All cases, the small ones first.
  static List<AttentionCase> all() {
    List<AttentionCase> cases = new ArrayList<>();
    for (int size : new int[] {512, 2048, 8192}) {
      cases.add(new AttentionCase(HEADS, HEADS, size, size, false));
      cases.add(new AttentionCase(HEADS, HEADS, size, size, true));
    }
    for (int groups : new int[] {HEADS, GROUPS}) {
      for (int keys : new int[] {4096, 32768}) {
        cases.add(new AttentionCase(HEADS, groups, 1, keys, false));
      }
    }
    return cases;
  }

  boolean decode() {
    return queries == 1;
  }

  String name() {
    String kind = causal ? "causal" : groups < heads ? "grouped" : "full";
    return (decode() ? "decode " : "prefill ") + kind + " " + keys;
  }

  /// The program, as anybody would write it. Queries that share keys are a rank of their own.
  String program() {
    String head = groups < heads ? "g, h" : "h";
    String shared = groups < heads ? "g" : "h";
    String score = "sum[e](Q[b, %s, p, e] * K[b, %s, m, e]) / sqrt(E)".formatted(head, shared);
    return """
        def attention(Q: f32[B, {H}, P, E], K: f32[B, {G}, M, E], V: f32[B, {G}, M, F]) -> f32[B, {H}, P, F] {
          S[b, {h}, p, m] = {score}
          A[b, {h}, p, m] = exp(S[b, {h}, p, m] - max[m](S[b, {h}, p, m]))
          Z[b, {h}, p, f] = sum[m](A[b, {h}, p, m] * V[b, {g}, m, f]) / sum[m](A[b, {h}, p, m])
          return Z
        }
        """.replace("{score}", causal ? "where(m <= p, " + score + ", -inf)" : score)
        .replace("{h}", head).replace("{g}", shared).replace("{H}", head.toUpperCase(Locale.ROOT))
        .replace("{G}", shared.toUpperCase(Locale.ROOT));
  }

  /// The inputs of the program.
  Map<String, Tensor> tensors(Inputs in) {
    long[] ofQ = groups < heads ? new long[] {1, groups, heads / groups, queries, DEPTH} : new long[] {1, heads, queries, DEPTH};
    return Map.of("Q", Tensor.of(in.q, ofQ), "K", Tensor.of(in.k, 1, groups, keys, DEPTH),
        "V", Tensor.of(in.v, 1, groups, keys, DEPTH));
  }

  /// The multiplications and additions of both products, without those that the mask makes needless.
  double flops() {
    double pairs = causal ? keys * (keys + 1.0) / 2 : (double) queries * keys;
    return 4.0 * heads * DEPTH * pairs;
  }

  /// What the scores take, where somebody stores them.
  long scoreBytes() {
    return (long) heads * queries * keys * Float.BYTES;
  }

  Inputs inputs() {
    Randoms random = new Randoms(heads + queries + keys);
    return new Inputs(rows(random, heads * queries), rows(random, groups * keys), rows(random, groups * keys));
  }

  private static float[] rows(Randoms random, int rows) {
    return random.between(-2, 2, rows * DEPTH);
  }
}
