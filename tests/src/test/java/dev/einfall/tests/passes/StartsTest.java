package dev.einfall.tests.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.loop.LoopPrinter;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// What the states of a recurrence start as, of which no mapping speaks.
final class StartsTest {

  /// The stores of 2.0 in the kernels of `program`.
  private static List<String> starts(String program) {
    Pipeline pipeline = new Pipeline(PipelineOptions.of(Target.of(64, 1)), _ -> {}, _ -> {});
    SortedMap<String, Long> sizes = new TreeMap<>();
    return LoopPrinter.print(pipeline.compile(EinReader.read(new Source("starts.ein", program), Optional.empty()).cascade(sizes), sizes))
        .lines().map(String::strip).filter(line -> line.matches(".* = (broadcast\\()?2\\.0.*")).toList();
  }

  @Test
  void oneNumberGoesInVectors() {
    assertEquals(List.of("H[ramp(i * 16, 1, 16)] = broadcast(2.0, 16)", "H[ramp(64, 1, 4)] = broadcast(2.0, 4)"), starts("""
        def f(X: f32[3, 9, 68]) -> f32[3] {
          update H: f32[3, 68] from 2.0 for t in 0..9 {
            H[b, d] = H[b, d] * sum[k](H[b, k]) + X[b, t, d]
          }
          Y[b] = sum[d](H[b, d])
          return Y
        }
        """));
  }
}
