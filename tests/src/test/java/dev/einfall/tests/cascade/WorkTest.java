package dev.einfall.tests.cascade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.frontend.EinReader;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.passes.cascade.BindSizes;
import dev.einfall.passes.cascade.Work;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// What is counted as an operation, and as a byte.
final class WorkTest {

  @Test
  void aProduct() {
    Work work = work("def f(A: f32[M, K], B: f32[K, N]) -> f32[M, N] { Y[m, n] = sum[k](A[m, k] * B[k, n])", "Y", new TreeMap<>());
    assertEquals("K * M * N", work.points().toString());
    assertEquals("2 * K * M * N", work.operations().toString());
    assertEquals("4 * K * M + 4 * K * N", work.bytesRead().toString());
    assertEquals("4 * M * N", work.bytesWritten().toString());
    assertTrue(work.intensity().isEmpty());
  }

  @Test
  void aReductionIsDoneOnceForThePointsThatItDependsOn() {
    Work work = work("def f(X: f32[M, N]) -> f32[M, N] { Y[m, n] = X[m, n] / sum[n](X[m, n]) + exp(sum[n](X[m, n]))", "Y",
        sizes("M", 10, "N", 100));
    // For each row 100 additions, for each element a quotient, an exponential and a sum.
    assertEquals(10 * 100 + 3 * 1000, work.operations().value());
    assertEquals(1000, work.points().value());
    assertEquals(8000, work.bytes().value());
    assertEquals(0.5, work.intensity().orElseThrow());
  }

  @Test
  void aGatherReadsWhatItPicks() {
    Work work = work("def f(W: f32[V, D], ids: i64[T]) -> f32[T, D] { Y[t, d] = W[ids[t], d]", "Y",
        sizes("V", 30000, "D", 8, "T", 4));
    assertEquals(0, work.operations().value());
    assertEquals(4 * 8 * 4 + 4 * 8, work.bytesRead().value());
  }

  @Test
  void aSliceReadsItsElements() {
    Work work = work("def f(X: f32[N]) -> f32[N / 2] { Y[i in 0..N / 2] = X[2 * i] + X[2 * i]", "Y", sizes("N", 10));
    assertEquals(5, work.operations().value());
    assertEquals(4 * 5, work.bytesRead().value());
  }

  @Test
  void aRecurrenceReadsItsStateForNothing() {
    Work work = work("""
        def f(X: f32[T, D], W: f32[D, D]) -> f32[T + 1, D] {
          H0[t in 0..T + 1, d in 0..D] = 0.0
          update H from H0 for t in 0..T while any[d](H[t, d] < 1) {
            H[t + 1, d in 0..D] = tanh(sum[e](H[t, e] * W[e, d])) + X[t, d]
          }
        """, "H", sizes("T", 10, "D", 8));
    assertEquals(10 * 8 * 8, work.points().value());
    // At each step a product, a hyperbolic tangent and a sum for each element, and a comparison and its combination.
    assertEquals(10 * (8 * (2 * 8 + 2) + 2 * 8), work.operations().value());
    assertEquals(4 * (11 * 8 + 8 * 8 + 10 * 8), work.bytesRead().value());
    assertEquals(4 * 11 * 8, work.bytesWritten().value());
  }

  @Test
  void aReductionOfTheProgramsOwn() {
    Work work = work("""
        reduce add(a: f32, b: f32) = (a + b) * 1 identity 0
        def f(X: f32[N]) -> f32[] { Y[] = add[n](X[n] / 2)""", "Y", sizes("N", 10));
    assertEquals(10 * 3, work.operations().value());
  }

  @Test
  void moreThanCanBeCounted() {
    String program = "def f(X: f32[N, N]) -> f32[N] { Y[n] = sum[i, j, k](X[i, j] * X[j, k] * X[k, n])";
    CompileException error = assertThrows(CompileException.class, () -> work(program, "Y", sizes("N", 1 << 16)));
    assertTrue(error.getMessage().contains("too large to count the operations"), error.getMessage());
  }

  private static SortedMap<String, Long> sizes(Object... pairs) {
    SortedMap<String, Long> sizes = new TreeMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      sizes.put((String) pairs[i], ((Number) pairs[i + 1]).longValue());
    }
    return sizes;
  }

  private static Work work(String start, String result, SortedMap<String, Long> sizes) {
    Source source = new Source("test.ein", start + " return " + result + " }");
    Cascade cascade = new BindSizes(sizes).apply(EinReader.read(source, Optional.empty()).cascade(), _ -> {});
    return Work.of(cascade.definitions().getLast());
  }
}
