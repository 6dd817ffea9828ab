package dev.einfall.tests.passes;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.passes.Target;
import org.junit.jupiter.api.Test;

/// How the steps of recurrences are taken, and what the ways cost beside each other.
class RecurrenceCostsTest {
  private static final String WAY = "schedule-recurrences";
  private static final Target ONE = Target.of(64, 1);

  /// Linear attention with a decay for each head: a state of `E` x `F` for each.
  private static Heard retention(String sizes, Target target) {
    return Heard.of("""
        def retention(Q: f32[T, E], K: f32[T, E], V: f32[T, F], D: f32[]) -> f32[T, F] {
          S[0, e, f] = 0.0
          S[t + 1, e in 0..E, f in 0..F] = D[] * S[t, e, f] + K[t, e] * V[t, f]
          Y[t, f] = sum[e](Q[t, e] * S[t + 1, e, f])
          return Y
        }
        """, sizes, target);
  }

  @Test
  void blocksPayWhereTheStateIsLarge() {
    Heard heard = retention("T=2048 E=64 F=64", ONE);
    assertTrue(heard.least(WAY, "chunked .*") < heard.cycles(WAY, "steps"));
  }

  @Test
  void aNarrowStateGainsLessByBlocks() {
    Heard wide = retention("T=2048 E=64 F=64", ONE);
    Heard narrow = retention("T=2048 E=4 F=64", ONE);
    assertTrue(narrow.least(WAY, "chunked .*") / narrow.cycles(WAY, "steps") > wide.least(WAY, "chunked .*") / wide.cycles(WAY, "steps"));
  }

  @Test
  void moreStepsCostMore() {
    Heard some = retention("T=1024 E=64 F=64", ONE);
    Heard more = retention("T=2048 E=64 F=64", ONE);
    for (String way : some.names(WAY)) {
      assertTrue(more.cycles(WAY, way) > 1.8 * some.cycles(WAY, way), way);
    }
  }

  @Test
  void thereMustBeAFewBlocks() {
    assertFalse(retention("T=100 E=64 F=64", ONE).names(WAY).contains("chunked 32"));
    assertTrue(retention("T=128 E=64 F=64", ONE).names(WAY).contains("chunked 32"));
  }

  @Test
  void partsAreForThreads() {
    assertFalse(retention("T=2048 E=64 F=64", ONE).names(WAY).contains("scan 1"));
    assertTrue(retention("T=2048 E=64 F=64", Target.of(64, 2)).names(WAY).contains("scan 2"));
  }

  @Test
  void whatIsNotLinearGoesByStepsWithoutADecision() {
    Heard heard = Heard.of("""
        def cell(X: f32[T, D], W: f32[D, D]) -> f32[D] {
          H[0, d] = 0.0
          H[t + 1, d] = tanh(X[t, d] + sum[e](H[t, e] * W[e, d]))
          Y[d in 0..D] = H[T, d]
          return Y
        }
        """, "T=128 D=64", ONE);
    assertFalse(heard.isAbout(WAY));
  }
}
