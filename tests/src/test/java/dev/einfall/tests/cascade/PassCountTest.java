package dev.einfall.tests.cascade;

import static dev.einfall.tests.cascade.CountedPasses.assertPasses;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.ir.cascade.Cascade;
import dev.einfall.passes.analysis.Barrier;
import dev.einfall.passes.analysis.PassCount;
import dev.einfall.passes.analysis.PassCount.Count;
import java.util.List;
import java.util.stream.Collectors;
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
    Cascade cascade = CountedPasses.read("""
        def f(X: f32[T, D], W: f32[D, D], B: f32[D]) -> f32[T + 1, D] {
          H[0, d in 0..D] = 0
          H[t + 1, d] = tanh(sum[k](H[t, k] * W[k, d]) + X[t, d] + B[d])
          return H
        }""");
    PassCount counts = PassCount.of(cascade);
    assertEquals("X 1 1, W 1 1, B 1", CountedPasses.text(cascade, counts));
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
    Cascade cascade = CountedPasses.read("""
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
}
