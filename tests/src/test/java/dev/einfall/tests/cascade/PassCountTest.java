package dev.einfall.tests.cascade;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.analysis.Barrier;
import dev.einfall.passes.analysis.PassCount;
import dev.einfall.passes.analysis.PassCount.Count;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// How many passes a cascade forces over each tensor along each dimension.
final class PassCountTest {

  // The three small cascades of the FuseMax paper.

  @Test
  void aFactorThatNeedsTheWholeFiberForcesAnotherPass() {
    assertPasses("A 2, B 1", """
        def f(A: f32[K], B: f32[K]) -> f32[] {
          Y[] = sum[k](A[k] * B[k])
          Z[] = sum[k](Y[] * A[k])
          return Z
        }""");
  }

  @Test
  void aFactorThatIsDeferredForcesNone() {
    assertPasses("A 1, B 1", """
        def f(A: f32[K], B: f32[K]) -> f32[] {
          Y[] = sum[k](A[k] * B[k])
          X[] = sum[k](A[k])
          Z[] = Y[] * X[]
          return Z
        }""");
  }

  @Test
  void anIterativeRankForcesNone() {
    assertPasses("A 1, B 1", """
        def f(A: f32[K], B: f32[K]) -> f32[] {
          RY[0] = 0
          RZ[0] = 0
          RY[k + 1] = RY[k] + A[k] * B[k]
          RZ[k + 1] = RZ[k] * RY[k + 1] / RY[k] + RY[k + 1] * A[k]
          Z[] = RZ[K]
          return Z
        }""");
  }

  // Attention.

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

  // Softmax, written in five ways, and what is like it.

  @Test
  void softmaxWithTheMaximum() {
    assertPasses("X 1 3", """
        import std.softmax
        def f(X: f32[B, N]) -> f32[B, N] { return softmax(X) }""");
  }

  @Test
  void softmaxWithoutTheMaximum() {
    assertPasses("X 1 2", """
        def f(X: f32[B, N]) -> f32[B, N] {
          E[b, n] = exp(X[b, n])
          Y[b, n] = E[b, n] / sum[n](E[b, n])
          return Y
        }""");
  }

  @Test
  void softmaxByRunningMaximumAndSum() {
    assertPasses("X 1 2", """
        def f(X: f32[B, N]) -> f32[B, N] {
          R[b in 0..B, 0] = -inf
          D[b in 0..B, 0] = 0
          R[b, n + 1] = max(R[b, n], X[b, n])
          D[b, n + 1] = D[b, n] * exp(R[b, n] - R[b, n + 1]) + exp(X[b, n] - R[b, n + 1])
          Y[b, n] = exp(X[b, n] - R[b, N]) / D[b, N]
          return Y
        }""");
  }

  @Test
  void softmaxByTheMaximumOfEachTile() {
    assertPasses("X 1 2", """
        def f(X: f32[B, 256]) -> f32[B, 256] {
          R[b, i in 0..16] = max[j in 0..16](X[b, 16 * i + j])
          D[b, i] = sum[j in 0..16](exp(X[b, 16 * i + j] - R[b, i]))
          M[b] = max[i](R[b, i])
          S[b] = sum[i](D[b, i] * exp(R[b, i] - M[b]))
          Y[b, n] = exp(X[b, n] - M[b]) / S[b]
          return Y
        }""");
  }

  @Test
  void softmaxByTheLogarithmOfTheSum() {
    assertPasses("X 1 3", """
        import std.softmax
        def f(X: f32[B, N]) -> f32[B, N] {
          L = log_sum_exp(X)
          Y[b, n] = exp(X[b, n] - L[b])
          return Y
        }""");
  }

  @Test
  void crossEntropyPicksOneElement() {
    assertPasses("X 1 2, label 1", """
        def f(X: f32[B, C], label: i32[B]) -> f32[B] {
          M[b] = max[c](X[b, c])
          D[b] = sum[c](exp(X[b, c] - M[b]))
          L[b] = log(D[b]) + M[b] - X[b, label[b]]
          return L
        }""");
  }

  // Norms.

  @Test
  void layerNorm() {
    assertPasses("X 1 3, G 1, B 1", """
        def f(X: f32[M, K], G: f32[K], B: f32[K]) -> f32[M, K] {
          C[m, k] = X[m, k] - sum[k](X[m, k]) / K
          Y[m, k] = C[m, k] * rsqrt(sum[k](C[m, k] * C[m, k]) / K + 1e-5) * G[k] + B[k]
          return Y
        }""");
  }

  @Test
  void layerNormByMoments() {
    assertPasses("X 1 2", """
        def f(X: f32[M, K]) -> f32[M, K] {
          U[m] = sum[k](X[m, k]) / K
          V[m] = sum[k](X[m, k] * X[m, k]) / K - U[m] * U[m]
          Y[m, k] = (X[m, k] - U[m]) * rsqrt(V[m])
          return Y
        }""");
  }

  @Test
  void layerNormByRunningMoments() {
    assertPasses("X 1 2", """
        def f(X: f32[M, K]) -> f32[M, K] {
          U[m in 0..M, 0] = 0
          V[m in 0..M, 0] = 0
          U[m, k + 1] = U[m, k] + (X[m, k] - U[m, k]) / f32(k + 1)
          V[m, k + 1] = V[m, k] + (X[m, k] - U[m, k]) * (X[m, k] - U[m, k + 1])
          Y[m, k] = (X[m, k] - U[m, K]) * rsqrt(V[m, K] / K)
          return Y
        }""");
  }

  @Test
  void rootMeanSquareNormThenProduct() {
    assertPasses("X 1 2, G 1, W 1 1", """
        def f(X: f32[M, K], G: f32[K], W: f32[K, N]) -> f32[M, N] {
          R[m] = rsqrt(sum[k](X[m, k] * X[m, k]) / K)
          Y[m, n] = sum[k](X[m, k] * R[m] * G[k] * W[k, n])
          return Y
        }""");
  }

  @Test
  void absoluteMaximumThenQuantizedProduct() {
    assertPasses("X 1 2, W 1 1", """
        def f(X: f32[M, K], W: i8[N, K]) -> f32[M, N] {
          A[m] = max[k](abs(X[m, k])) / 127
          Q[m, k] = i8(round(X[m, k] / A[m]))
          Y[m, n] = f32(sum[k](i32(Q[m, k]) * i32(W[n, k]))) * A[m]
          return Y
        }""");
  }

  // Data-dependent accesses.

  @Test
  void aMixtureOfExpertsRoutesByOneGate() {
    assertPasses("X 1 2, G 1 1, W 1 1 1", """
        def f(X: f32[T, D], G: f32[D, E], W: f32[E, D, F]) -> f32[T, F] {
          L[t, e] = sum[d](X[t, d] * G[d, e])
          best[t] = argmax[e](L[t, e])
          gate[t] = exp(max[e](L[t, e])) / sum[e](exp(L[t, e]))
          Y[t, f] = gate[t] * sum[d](X[t, d] * W[best[t], d, f])
          return Y
        }""");
  }

  @Test
  void aGatherTakesTheWholeFiber() {
    assertPasses("X 2, ids 1", """
        def f(X: f32[N], ids: i32[N]) -> f32[N] {
          Y[n] = X[n] - X[ids[n]]
          return Y
        }""");
  }

  @Test
  void anEmbeddingIsReadOnce() {
    assertPasses("W 1 1, ids 1", "def f(W: f32[V, D], ids: i32[T]) -> f32[T, D] { Y[t, d] = W[ids[t], d]\n return Y }");
  }

  // Windows, views and steps.

  @Test
  void windowsMoveAlong() {
    assertPasses("X 1, W 1, U 1", """
        def f(X: f32[N], W: f32[3], U: f32[3]) -> f32[N - 4] {
          Y[i in 0..N - 2] = sum[r](X[i + r] * W[r])
          Z[i in 0..N - 4] = sum[r](Y[i + r] * U[r]) + X[i + 2]
          return Z
        }""");
  }

  @Test
  void theGradientOfAWindowNeedsAll() {
    assertPasses("X 2, G 1", """
        def f(X: f32[64], G: f32[62]) -> f32[62] {
          D[r in 0..3] = sum[i](X[i + r] * G[i])
          Y[i in 0..62] = sum[r](X[i + r] * D[r])
          return Y
        }""");
  }

  @Test
  void reshapingAndBackIsOneWalk() {
    assertPasses("X 1 2", """
        def f(X: f32[4, 32]) -> f32[128] {
          F[i in 0..128] = X[i / 32, i % 32]
          M[b in 0..4] = max[n in 0..32](F[b * 32 + n])
          Y[i] = F[i] - M[i / 32]
          return Y
        }""");
  }

  @Test
  void roundedCoordinatesMoveAlong() {
    assertPasses("X 1, B 1", """
        def f(X: f32[64], B: f32[16]) -> f32[64] {
          Y[n in 0..64] = X[n / 2 * 2] * B[n / 2 * 2 / 4]
          return Y
        }""");
  }

  @Test
  void sumsOverStridesNeedAllTiles() {
    assertPasses("X 2", """
        def f(X: f32[512]) -> f32[512] {
          D[j in 0..64] = sum[i in 0..8](X[i * 64 + j])
          Y[i in 0..512] = X[i] - D[i % 64]
          return Y
        }""");
  }

  @Test
  void weightsOfARecurrenceAreReadInEveryStep() {
    Cascade cascade = read("""
        def f(X: f32[T, D], W: f32[D, D], B: f32[D]) -> f32[T + 1, D] {
          H[0, d in 0..D] = 0
          H[t + 1, d] = tanh(sum[k](H[t, k] * W[k, d]) + X[t, d] + B[d])
          return H
        }""");
    PassCount counts = PassCount.of(cascade);
    assertEquals("X 1 1, W 1 1, B 1", text(cascade, counts));
    assertEquals(List.of(List.of(), List.of("t"), List.of("t")), cascade.inputs().stream()
        .map(input -> counts.count(input, 0).repeated().stream().map(rank -> rank.name()).toList()).toList());
  }

  @Test
  void theLastStateNeedsAllSteps() {
    assertPasses("X 2", """
        def f(X: f32[N]) -> f32[N] {
          R[0] = 0
          R[n + 1] = R[n] + X[n]
          Y[n] = X[n] / R[N]
          return Y
        }""");
  }

  @Test
  void aScanIsOnePass() {
    assertPasses("X 1", """
        def f(X: f32[N]) -> f32[N] {
          R[0] = 0
          R[n + 1] = R[n] + X[n]
          Y[n] = X[n] / R[n + 1]
          return Y
        }""");
  }

  @Test
  void oneElementIsNoTraversal() {
    assertPasses("X 1, Y 0", "def f(X: f32[N], Y: f32[N]) -> f32[N] { Z[n] = X[n] - X[0] - Y[3]\n return Z }");
  }

  // The proof.

  @Test
  void theBarriersAreAProof() {
    Cascade cascade = read("""
        def f(X: f32[B, N]) -> f32[B, N] {
          M[b] = max[n](X[b, n])
          E[b, i] = exp(X[b, i] - M[b])
          D[b] = sum[j](E[b, j])
          Y[b, n] = E[b, n] / D[b]
          return Y
        }""");
    Count count = PassCount.of(cascade).count(cascade.inputs().getFirst(), 1);
    assertEquals("2: M:2 over n, then E:3 along i; 3: D:4 over j, then Y:5 along n",
        count.barriers().stream().map(PassCountTest::text).collect(Collectors.joining("; ")));
    assertEquals("M n 1, E i 2, D j 2, Y n 3", count.walks().stream()
        .map(walk -> walk.by().name() + " " + walk.rank().name() + " " + walk.pass()).collect(Collectors.joining(", ")));
  }

  private static String text(Barrier barrier) {
    return barrier.pass() + ": " + barrier.whole().name() + ":" + barrier.wholeSpan().line() + " over "
        + barrier.over().orElseThrow().name() + ", then " + barrier.reader().name() + ":" + barrier.readerSpan().line()
        + " along " + barrier.along().orElseThrow().name();
  }

  private static Cascade read(String text) {
    return EinReader.read(new Source("test.ein", text), Optional.empty()).cascade();
  }

  private static void assertPasses(String expected, String program) {
    Cascade cascade = read(program);
    String actual = text(cascade, PassCount.of(cascade));
    assertEquals(expected, Stream.of(actual.split(", ")).limit(expected.split(", ").length).collect(Collectors.joining(", ")));
  }

  /// Each input with the passes along each of its dimensions.
  private static String text(Cascade cascade, PassCount counts) {
    return cascade.inputs().stream().map(input -> text(input, counts)).collect(Collectors.joining(", "));
  }

  private static String text(Tensor tensor, PassCount counts) {
    return Stream.concat(Stream.of(tensor.name()), counts.counts(tensor).stream().map(count -> String.valueOf(count.passes())))
        .collect(Collectors.joining(" "));
  }
}
