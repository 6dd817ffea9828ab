package dev.einfall.tests.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.passes.Target;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// How many rows the kernel of a recurrence takes at a time.
class TileCostsTest {
  private static final String TILE = "group-recurrences";
  private static final Target ONE = Target.of(64, 1);

  private static Heard attention(String scores, String sizes, Target target) {
    return Heard.attention(scores, sizes, target, Map.of("reduce-passes A_max", "tiles of 64"));
  }

  private static final String SCORES = "sum[e](Q[h, p, e] * K[h, m, e])";

  @Test
  void rowsShareWhatIsReadForAllOfThem() {
    Heard heard = attention(SCORES, "H=8 P=512 M=512 E=64 F=64", ONE);
    assertEquals(List.of("p by 64", "p by 32", "p by 16", "p by 128"), heard.names(TILE));
    assertTrue(heard.cycles(TILE, "p by 16") > heard.cycles(TILE, "p by 32"));
    assertTrue(heard.cycles(TILE, "p by 32") > heard.cycles(TILE, "p by 64"));
  }

  @Test
  void aTileIsNoLargerThanWhatAGuardIsTheSameFor() {
    assertEquals(List.of("p by 64", "p by 32", "p by 16"),
        attention("where(m <= p, " + SCORES + ", -inf)", "H=8 P=512 M=512 E=64 F=64", ONE).names(TILE));
  }

  @Test
  void threadsShareTiles() {
    Heard one = attention(SCORES, "H=1 P=128 M=512 E=64 F=64", ONE);
    Heard two = attention(SCORES, "H=1 P=128 M=512 E=64 F=64", Target.of(64, 2));
    assertEquals(one.cycles(TILE, "p by 128"), two.cycles(TILE, "p by 128"));
    assertEquals(one.cycles(TILE, "p by 64"), 2 * two.cycles(TILE, "p by 64"), 1);
  }

  @Test
  void longBodiesGoInAsManyTurnsAsAreUnrolled() {
    Heard heard = Heard.of("""
        def scan(X: f32[T, D], A: f32[N, D], C: f32[T, N]) -> f32[T, D] {
          H[0, n, d] = 0.0
          H[t + 1, n in 0..N, d in 0..D] = exp(X[t, d] * A[n, d]) * H[t, n, d] + X[t, d]
          Y[t, d] = sum[n](C[t, n] * H[t + 1, n, d])
          return Y
        }
        """, "T=256 D=256 N=16", ONE);
    assertTrue(heard.cycles(TILE, "d by 32") < heard.cycles(TILE, "d by 64"));
  }
}
