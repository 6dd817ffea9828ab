package dev.einfall.tests.reduce;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Pass;
import dev.einfall.passes.PassCase;
import dev.einfall.passes.PassCatalog;
import dev.einfall.passes.PassRunner;
import dev.einfall.passes.analysis.PassCount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The cases of `reduce-passes` need fewer passes after it, as [PassCount] counts them: `K 0 3 1` says that dimension 0 of `K` is
/// gone through 3 times before and once after.
class ReducePassesTest {
  private static final Path CASES = Path.of("cases", "passes", "reduce-passes");

  @ParameterizedTest
  @CsvSource({
      "attention, K, 0, 3, 1", "attention, V, 0, 1, 1", "attention-whole-tiles, K, 2, 2, 1", "alibi, K, 1, 3, 1",
      "soft-capped, K, 0, 2, 1", "sink, S, 2, 3, 1", "causal-tiles, K, 0, 2, 1", "window-tiles, S, 1, 2, 1",
      "grouped-query-decode, K, 1, 2, 1", "parts-of-attention, S, 1, 2, 1", "cross-entropy, X, 1, 3, 1", "logsumexp, X, 1, 2, 1",
      "log-softmax, X, 1, 3, 2", "layer-norm, X, 1, 3, 2", "third-moment, X, 1, 2, 1", "covariance, X, 1, 2, 1",
      "entropy, X, 1, 2, 1", "attention-about-its-mean, X, 1, 2, 1", "argmax, X, 1, 2, 1", "argmax-of-softmax, X, 1, 4, 1",
      "top2-of-softmax, X, 1, 3, 1", "logaddexp, X, 1, 2, 1", "cosine-attention, K, 0, 2, 1", "norm-and-product, X, 1, 2, 1",
      "declines-rounding, X, 1, 2, 2", "declines-probabilities, X, 1, 3, 3"})
  void passesBeforeAndAfter(String name, String tensor, int dimension, int before, int after) throws IOException {
    PassCase passCase = PassCase.read(Files.readString(CASES.resolve(name + ".ein")));
    PassRunner runner = new PassRunner(_ -> { }, _ -> { });
    Cascade cascade = read(passCase.before());
    assertEquals(before, passes(runner.run((Pass.OnCascade) PassCatalog.parse("normalize-reductions").getFirst(), cascade), tensor, dimension));
    for (Pass pass : PassCatalog.parse(passCase.passes())) {
      cascade = runner.run((Pass.OnCascade) pass, cascade);
    }
    assertEquals(after, passes(cascade, tensor, dimension));
  }

  /// What has been reduced is not reduced again.
  @Test
  void aSecondRunChangesNothing() {
    PassRunner runner = new PassRunner(_ -> { }, _ -> { });
    Cascade cascade = read("""
        def f(X: f32[5, 64]) -> f32[5] {
          Y[p] = max[m](X[p, m]) + log(sum[m](exp(X[p, m] - max[m](X[p, m]))))
          return Y
        }
        """);
    List<Pass> passes = PassCatalog.parse("normalize-reductions,reduce-passes{tile=8, row-bytes=0}");
    for (Pass pass : passes) {
      cascade = runner.run((Pass.OnCascade) pass, cascade);
    }
    assertSame(cascade, runner.run((Pass.OnCascade) passes.getLast(), cascade));
  }

  private static Cascade read(String text) {
    return EinReader.read(new Source("case.ein", text), Optional.empty()).cascade();
  }

  private static int passes(Cascade cascade, String name, int dimension) {
    Tensor tensor = cascade.inputs().stream().filter(input -> input.name().equals(name)).findFirst().orElseThrow();
    return PassCount.of(cascade).count(tensor, dimension).passes();
  }
}
