package dev.einfall.tests.numerics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.ir.Source;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.ErrorReport;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.OutputError;
import dev.einfall.runtime.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ErrorReportTest {

  private static ErrorReport report(String program, Map<String, Tensor> inputs) {
    Options options = Options.defaults().withThreads(1).withVectorBytes(32);
    ErrorReport report = ErrorReport.of(choice -> Einfall.compile(new Source("errors.ein", program), choice),
        options, inputs);
    inputs.values().forEach(Tensor::close);
    return report;
  }

  private static Tensor random(int seed, long... shape) {
    Random random = new Random(seed);
    int elements = 1;
    for (long size : shape) {
      elements *= (int) size;
    }
    float[] values = new float[elements];
    for (int i = 0; i < elements; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Tensor.of(values, shape);
  }

  @Test
  void tellsTheContractsApart() {
    ErrorReport report = report("""
        def softmax(X: f32[M, N]) -> (Y: f32[M, N], first: i32[M]) {
          E[m, n] = exp(X[m, n] - max[k](X[m, k]))
          Y[m, n] = E[m, n] / sum[k](E[m, k])
          I[m] = argmax[n](X[m, n])
          return Y, I
        }
        """, Map.of("X", random(1, 16, 100)));
    assertTrue(List.copyOf(report.errors().keySet()).subList(0, 3).equals(List.of("strict", "reassociate", "fast")), report.text());
    assertTrue(report.errors().containsKey("without fuse-multiply-adds"), report.text());
    OutputError strict = report.errors().get("strict").getFirst();
    OutputError usual = report.errors().get("reassociate").getFirst();
    assertTrue(strict.maxUlps() > 0.5 && strict.maxUlps() < 20, report.text());
    assertTrue(usual.maxUlps() > 0.5 && usual.maxUlps() < 20, report.text());
    assertTrue(!strict.equals(usual), report.text());
    for (List<OutputError> errors : report.errors().values()) {
      assertEquals(new OutputError(16, 0, 0, 0, 0, 0, 0), errors.get(1));
    }
    assertTrue(report.text().contains("Y: f32[M, N]\n"), report.text());
    assertTrue(report.text().matches("(?s).*  strict +0 of 16 differ\n.*  fast +as reassociate\n.*"), report.text());
  }

  @Test
  void countsWhatIsNotFinite() {
    ErrorReport report = report("""
        def f(X: f32[N]) -> (f32[N], f32[N]) {
          Y[n] = where(n < 3, exp(X[n] * 0 + 100), sqrt(X[n] * 0 - 1))
          Z[n] = where(n < 2, exp(X[n] * 0 + 100) * 1e-20, X[n])
          return Y, Z
        }
        """, Map.of("X", random(2, 6)));
    OutputError error = report.errors().get("strict").getFirst();
    assertEquals(0, error.wrong(), report.text());
    assertEquals(0, error.maxAbsolute(), report.text());
    assertEquals(2, report.errors().get("strict").get(1).wrong(), report.text());
    assertTrue(report.text().contains("2 of 6 differ in NaN or infinity"), report.text());
  }
}
