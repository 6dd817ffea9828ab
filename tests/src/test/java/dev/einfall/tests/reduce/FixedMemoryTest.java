package dev.einfall.tests.reduce;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Attention from its formula needs no memory between inputs and outputs that grows with the number of its keys.
class FixedMemoryTest {

  @ParameterizedTest
  @ValueSource(strings = {"sum[e](Q[h, p, e] * K[h, m, e]) / 8", "where(m <= p, sum[e](Q[h, p, e] * K[h, m, e]) / 8, -inf)"})
  void attentionPlansTheSameArenaAtAnyLength(String scores) {
    String program = """
        def attention(Q: f32[8, P, 64], K: f32[8, M, 64], V: f32[8, M, 64]) -> f32[8, P, 64] {
          S[h, p, m] = %s
          A[h, p, m] = exp(S[h, p, m] - max[m](S[h, p, m]))
          Z[h, p, f] = sum[m](A[h, p, m] * V[h, m, f]) / sum[m](A[h, p, m])
          return Z
        }
        """.formatted(scores);
    long small = arena(program, 1024, Set.of());
    assertEquals(small, arena(program, 65_536, Set.of()));
    assertTrue(arena(program, 1024, Set.of("reduce-passes")) > small + 8 * 1024 * 1024, "the plain form keeps all scores");
  }

  private static long arena(String program, long length, Set<String> without) {
    TreeMap<String, Long> sizes = new TreeMap<>();
    sizes.put("P", length);
    sizes.put("M", length);
    KernelPlan plan = new Pipeline(PipelineOptions.of(Target.of(64, 2)).without(without), _ -> { }, _ -> { })
        .compile(EinReader.read(new Source("attention.ein", program), Optional.empty()).cascade(sizes), sizes);
    return plan.arena().bytes();
  }
}
