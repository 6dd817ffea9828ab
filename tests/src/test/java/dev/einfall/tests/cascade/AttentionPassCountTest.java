package dev.einfall.tests.cascade;

import static dev.einfall.tests.cascade.CountedPasses.assertPasses;

import org.junit.jupiter.api.Test;

/// How many passes attention forces over queries, keys and values, in the forms it is written in.
final class AttentionPassCountTest {

  @Test
  void attentionWithTheDivisionFirst() {
    assertPasses("Q 1 1, K 3 1, V 1 1", """
        def f(Q: f32[P, E], K: f32[M, E], V: f32[M, F]) -> f32[P, F] {
          S[p, m] = sum[e](Q[p, e] * K[m, e])
          R[p] = max[m](S[p, m])
          N[p, m] = exp(S[p, m] - R[p])
          D[p] = sum[m](N[p, m])
          A[p, m] = N[p, m] / D[p]
          Z[p, f] = sum[m](A[p, m] * V[m, f])
          return Z
        }""");
  }

  @Test
  void attentionWithTheDivisionLast() {
    assertPasses("Q 1 1, K 2 1, V 1 1", """
        def f(Q: f32[P, E], K: f32[M, E], V: f32[M, F]) -> f32[P, F] {
          S[p, m] = sum[e](Q[p, e] * K[m, e])
          N[p, m] = exp(S[p, m] - max[m](S[p, m]))
          Z[p, f] = sum[m](N[p, m] * V[m, f]) / sum[m](N[p, m])
          return Z
        }""");
  }

  /// The maximum and the denominator of each tile first, then both for all: FuseMax's 2-pass cascade.
  private static final String TWO_PASSES = """
        LM[p, m1] = max[m0](S[p, m1, m0])
        LN[p, m1, m0] = exp(S[p, m1, m0] - LM[p, m1])
        LD[p, m1] = sum[m0](LN[p, m1, m0])
        R[p] = max[m1](LM[p, m1])
        C[p, m1] = exp(LM[p, m1] - R[p])
        D[p] = sum[m1](LD[p, m1] * C[p, m1])
        A[p, m1, m0] = LN[p, m1, m0] * C[p, m1] / D[p]
      """;

  @Test
  void attentionWithTheMaximumOfEachTile() {
    assertPasses("Q 1 1, K 3 3 1, V 1 1 1", """
        def f(Q: f32[P, E], K: f32[M1, M0, E], V: f32[M1, M0, F]) -> f32[P, F] {
          S[p, m1, m0] = sum[e](Q[p, e] * K[m1, m0, e])
        """ + TWO_PASSES + """
          Z[p, f] = sum[m1, m0](A[p, m1, m0] * V[m1, m0, f])
          return Z
        }""");
  }

  @Test
  void tilesOfOneDimensionAreWalkedByTheOuterRank() {
    assertPasses("Q 1 1, K 2 1, V 1 1", """
        def f(Q: f32[P, E], K: f32[512, E], V: f32[512, F]) -> f32[P, F] {
          S[p, m1 in 0..8, m0 in 0..64] = sum[e](Q[p, e] * K[m1 * 64 + m0, e])
        """ + TWO_PASSES + """
          Z[p, f] = sum[m1, m0](A[p, m1, m0] * V[m1 * 64 + m0, f])
          return Z
        }""");
  }

  @Test
  void attentionInOnePassOverTiles() {
    assertPasses("Q 1 1, K 1 2 1, V 1 1 1", """
        def f(Q: f32[P, E], K: f32[M1, M0, E], V: f32[M1, M0, F]) -> f32[P, F] {
          S[p, m1, m0] = sum[e](Q[p, e] * K[m1, m0, e])
          LM[p, m1] = max[m0](S[p, m1, m0])
          RM[p in 0..P, 0] = -inf
          RM[p, m1 + 1] = max(RM[p, m1], LM[p, m1])
          C[p, m1 in 0..M1] = exp(RM[p, m1] - RM[p, m1 + 1])
          X[p, m1, m0] = exp(S[p, m1, m0] - RM[p, m1 + 1])
          RD[p in 0..P, 0] = 0
          RD[p, m1 + 1] = RD[p, m1] * C[p, m1] + sum[m0](X[p, m1, m0])
          RN[p in 0..P, 0, f in 0..F] = 0
          RN[p, m1 + 1, f] = RN[p, m1, f] * C[p, m1] + sum[m0](X[p, m1, m0] * V[m1, m0, f])
          Z[p, f] = RN[p, M1, f] / RD[p, M1]
          return Z
        }""");
  }

  @Test
  void theRunningFormOfAttention() {
    assertPasses("Q 1 1, K 1 1, V 1 1", """
        def f(Q: f32[P, E], K: f32[512, E], V: f32[512, F]) -> f32[P, F] {
          update RM: f32[P] from -inf, RD: f32[P] from 0.0, RN: f32[P, F] from 0.0, S: f32[P, 64] from 0.0, NEW: f32[P] from 0.0,
              C: f32[P] from 0.0, X: f32[P, 64] from 0.0 for m1 in 0..8 {
            S[p, m0] = sum[e](Q[p, e] * K[m1 * 64 + m0, e]) where m1 * 64 + m0 <= p
            NEW[p] = max(RM[p], max[m0](S[p, m0]))
            C[p] = exp(RM[p] - NEW[p])
            X[p, m0] = exp(S[p, m0] - NEW[p])
            RD[p] = RD[p] * C[p] + sum[m0](X[p, m0])
            RN[p, f] = RN[p, f] * C[p] + sum[m0](X[p, m0] * V[m1 * 64 + m0, f])
            RM[p] = NEW[p]
          }
          Z[p, f] = RN[p, f] / RD[p]
          return Z
        }""");
  }

  @Test
  void queriesAndKeysOfOneTensorAreTwoWalks() {
    assertPasses("X 3 2", """
        def f(X: f32[N, E]) -> f32[N, E] {
          S[p, m] = sum[e](X[p, e] * X[m, e])
          N[p, m] = exp(S[p, m] - max[m](S[p, m]))
          A[p, m] = N[p, m] / sum[m](N[p, m])
          Z[p, e] = sum[m](A[p, m] * X[m, e])
          return Z
        }""");
  }

  @Test
  void aResidualConnectionIsReadAtTheQuery() {
    assertPasses("X 3 2", """
        def f(X: f32[N, E]) -> f32[N, E] {
          S[p, m] = sum[e](X[p, e] * X[m, e])
          N[p, m] = exp(S[p, m] - max[m](S[p, m]))
          A[p, m] = N[p, m] / sum[m](N[p, m])
          Z[p, e] = X[p, e] + sum[m](A[p, m] * X[m, e])
          return Z
        }""");
  }

  @Test
  void twoLayersOfAttentionTakeThePassesOfBoth() {
    assertPasses("X 6 3", """
        def attention(X: f32[N, E]) -> f32[N, E] {
          S[p, m] = sum[e](X[p, e] * X[m, e])
          N[p, m] = exp(S[p, m] - max[m](S[p, m]))
          A[p, m] = N[p, m] / sum[m](N[p, m])
          Z[p, e] = sum[m](A[p, m] * X[m, e])
          return Z
        }
        def main(X: f32[N, E]) -> f32[N, E] { return attention(attention(X)) }""");
  }

  @Test
  void headsAndBatchesAreWalkedOnce() {
    assertPasses("Q 1 1 1 1, K 1 1 3 1, V 1 1 1 1", """
        import std.attention
        def f(Q: f32[B, H, P, E], K: f32[B, H, M, E], V: f32[B, H, M, F]) -> f32[B, H, P, F] { return causal_attention(Q, K, V) }""");
  }

  @Test
  void groupedQueriesReadAHeadOfKeysOnce() {
    assertPasses("Q 1 1 1, K 1 3 1, V 1 1 1", """
        import std.attention
        def f(Q: f32[8, P, E], K: f32[2, M, E], V: f32[2, M, F]) -> f32[8, P, F] { return grouped_query_attention(Q, K, V) }""");
  }

  @Test
  void cosineAttentionWithNormsBesideTheProduct() {
    assertPasses("Q 1 1, K 3 1, V 1 1, scale", """
        import std.attention
        def f(Q: f32[P, E], K: f32[M, E], V: f32[M, F], scale: f32) -> f32[P, F] { return attend(cosine_scores(Q, K, scale), V) }""");
  }

  @Test
  void cosineAttentionOfNormalizedRows() {
    assertPasses("Q 1 2, K 3 2, V 1 1", """
        import std.attention
        def unit(X: f32[N, E]) -> f32[N, E] {
          Y[n, e] = X[n, e] / sqrt(sum[e](X[n, e] * X[n, e]))
          return Y
        }
        def f(Q: f32[P, E], K: f32[M, E], V: f32[M, F]) -> f32[P, F] {
          return attend(scores(unit(Q), unit(K)), V)
        }""");
  }

  @Test
  void simplicialAttentionWalksTwoRanksOfKeys() {
    assertPasses("Q 1 1, K 3 1, L 3 1, V 1 1, W 1 1", """
        def f(Q: f32[I, D], K: f32[J, D], L: f32[G, D], V: f32[J, D], W: f32[G, D]) -> f32[I, D] {
          S[i, j, g] = sum[d](Q[i, d] * K[j, d] * L[g, d])
          N[i, j, g] = exp(S[i, j, g] - max[j, g](S[i, j, g]))
          A[i, j, g] = N[i, j, g] / sum[j, g](N[i, j, g])
          Z[i, d] = sum[j, g](A[i, j, g] * V[j, d] * W[g, d])
          return Z
        }""");
  }

  @Test
  void linearAttentionReadsItsKeysOnce() {
    assertPasses("Q 1 1, K 1 1, V 1 1", """
        def f(Q: f32[T, E], K: f32[T, E], V: f32[T, F]) -> f32[T, F] {
          S[0, e in 0..E, f in 0..F] = 0
          S[t + 1, e, f] = S[t, e, f] + K[t, e] * V[t, f]
          Y[t, f] = sum[e](Q[t, e] * S[t + 1, e, f])
          return Y
        }""");
  }
}
