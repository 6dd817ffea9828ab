package dev.einfall.tests.cascade;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.passes.analysis.LiveFootprint;
import dev.einfall.passes.analysis.PassCount;
import dev.einfall.passes.analysis.TrafficBound;
import dev.einfall.passes.analysis.TrafficBound.Product;
import dev.einfall.passes.cascade.Constants;
import dev.einfall.passes.cascade.NormalizeReductions;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// What has to be at hand at one time, and what has to move through a cache.
final class TrafficTest {
  private static final String ATTENTION = """
      def f(Q: f32[8192, 64], K: f32[8192, 64], V: f32[8192, 64]) -> f32[8192, 64] {
        S[p, m] = sum[e](Q[p, e] * K[m, e])
        N[p, m] = exp(S[p, m] - max[m](S[p, m]))
        Z[p, f] = sum[m](N[p, m] * V[m, f]) / sum[m](N[p, m])
        return Z
      }""";

  @Test
  void aRowOfScoresIsLiveBetweenPasses() {
    assertEquals("Q 1, K 1, V 1, S 8192, N 1, Z 1", live(ATTENTION));
  }

  @Test
  void aTensorPickedFromIsLiveAsAWhole() {
    assertEquals("X 1, ids 1, Y 100, Z 1", live("""
        def f(X: f32[100, 8], ids: i32[7]) -> f32[7, 8] {
          Y[n, d] = exp(X[n, d])
          Z[t, d] = Y[ids[t], d]
          return Z
        }"""));
  }

  @Test
  void weightsOfEveryStepAreLive() {
    assertEquals("X 1, W 64, H0 1, H1 1, H 1", live("""
        def f(X: f32[5, 8], W: f32[8, 8]) -> f32[6, 8] {
          H[0, d in 0..8] = 0
          H[t + 1, d] = tanh(sum[k](H[t, k] * W[k, d]) + X[t, d])
          return H
        }"""));
  }

  @Test
  void aProductOfWhatIsStored() {
    TrafficBound bound = bound("""
        def f(A: f32[1024, 512], B: f32[512, 2048]) -> f32[1024, 2048] {
          Y[m, n] = sum[k](A[m, k] * B[k, n])
          return Y
        }""", 4 << 10);
    assertEquals(4 * (1024 * 512 + 512 * 2048 + 1024 * 2048), bound.compulsory());
    assertEquals("Y: 2 * m * n * k / sqrt(M)", text(bound));
    assertEquals(4 * (2.0 * 1024 * 512 * 2048 / 32 - 2 * 1024), bound.bytes());
  }

  @Test
  void chainedProductsAroundWhatIsNeverStored() {
    TrafficBound bound = bound(ATTENTION, 64 << 10);
    assertEquals("S: p * m * e^2 / M without S, Z_sum: p * m * f^2 / M without N", text(bound));
    assertEquals(4 * 8192.0 * 8192 * 64 * 64 / (16 << 10), bound.products().getFirst().bytes());
    assertEquals(bound.products().getFirst().bytes(), bound.bytes());
  }

  @Test
  void aCacheBelowTheSquareOfTheDepthMeetsTheBoundOfTheProduct() {
    assertEquals("S: 2 * p * m * e / sqrt(M), Z_sum: 2 * p * f * m / sqrt(M)", text(bound(ATTENTION, 2 << 10)));
  }

  @Test
  void aLargeCacheMeetsInputsAndOutputs() {
    TrafficBound bound = bound(ATTENTION, 16 << 20);
    assertEquals(4 * 4 * 8192 * 64, bound.bytes());
  }

  @Test
  void aStoredIntermediateIsNotForgotten() {
    assertEquals("S: 2 * p * m * e / sqrt(M), Z_sum: p * m * f^2 / M without N",
        text(bound(ATTENTION.replace("-> f32[8192, 64]", "-> (f32[8192, 64], f32[8192, 8192])").replace("return Z", "return Z, S"), 64 << 10)));
  }

  @Test
  void tilesHaveTheBoundOfTheWhole() {
    TrafficBound bound = bound("""
        def attention(Q: f32[8192, 64], K: f32[8192, 64], V: f32[8192, 64]) -> f32[8192, 64] {
          update RM: f32[8192] from -inf, RN: f32[8192, 64] from 0.0, S: f32[8192, 128] from 0.0, NEW: f32[8192] from 0.0 for t in 0..64 {
            S[p, m] = sum[e](Q[p, e] * K[t * 128 + m, e])
            NEW[p] = max(RM[p], max[m](S[p, m]))
            RN[p, f] = RN[p, f] * exp(RM[p] - NEW[p]) + sum[m](exp(S[p, m] - NEW[p]) * V[t * 128 + m, f])
            RM[p] = NEW[p]
          }
          return RN
        }""", 64 << 10);
    assertEquals("S: p * t * m * e^2 / M without S, RN: p * m * t * f^2 / M without S", text(bound));
    assertEquals(bound(ATTENTION, 64 << 10).bytes(), bound.bytes());
  }

  private static Cascade read(String text) {
    return EinReader.read(new Source("test.ein", text), Optional.empty()).cascade();
  }

  private static TrafficBound bound(String text, long cacheBytes) {
    Cascade cascade = new NormalizeReductions().apply(read(text), _ -> {});
    return TrafficBound.of(cascade, cacheBytes, Constants.of(cascade));
  }

  private static String text(TrafficBound bound) {
    return bound.products().stream().map(TrafficTest::text).collect(Collectors.joining(", "));
  }

  private static String text(Product product) {
    return product.tensor().name() + ": " + product.formula() + product.unstored().map(tensor -> " without " + tensor.name()).orElse("");
  }

  /// Each tensor with the elements of it that are live at least.
  private static String live(String text) {
    Cascade cascade = read(text);
    PassCount passes = PassCount.of(cascade);
    return Stream.concat(cascade.inputs().stream(), cascade.definitions().stream().flatMap(definition -> definition.tensors().stream()))
        .map(tensor -> tensor.name() + " " + LiveFootprint.of(tensor, passes).elements()).collect(Collectors.joining(", "));
  }
}
