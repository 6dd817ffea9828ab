package dev.einfall.tests.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.passes.Target;
import org.junit.jupiter.api.Test;

/// Whether blocks of products share a kernel, and what that costs by the rows of a tile.
class BlockCostsTest {
  private static final String BLOCK = "fuse ";
  private static final Target TARGET = Target.of(64, 1);

  private static Heard block(long rows, Target target) {
    return Heard.of("""
        def mlp(X: f32[M, 384]) -> f32[M, 384] {
          weight W: f32[384, 1536] = "W"
          weight V: f32[1536, 384] = "V"
          H[m, h] = max(sum[d](X[m, d] * W[d, h]), 0)
          Y[m, n] = H[m, h] * V[h, n]
          return Y
        }
        """, "M=" + rows, target);
  }

  @Test
  void tilesOfFewRowsReadTheWeightsTooOften() {
    Heard heard = block(4096, TARGET);
    assertTrue(heard.cycles(BLOCK, "together, m by 16") > heard.cycles(BLOCK, "together, m by 96"));
  }

  @Test
  void fewRowsStayApart() {
    assertEquals("apart", block(32, TARGET).chosen(BLOCK));
  }

  @Test
  void moreRowsCostMore() {
    Heard some = block(1024, TARGET);
    Heard more = block(2048, TARGET);
    for (String alternative : some.names(BLOCK)) {
      assertTrue(more.cycles(BLOCK, alternative) > 1.9 * some.cycles(BLOCK, alternative), alternative);
    }
  }

  @Test
  void threadsShareTiles() {
    assertEquals(block(4096, TARGET).cycles(BLOCK, "together, m by 64"),
        2 * block(4096, Target.of(64, 2)).cycles(BLOCK, "together, m by 64"), 1);
  }

  @Test
  void whatIsHandedOnFitsTheCacheOfACore() {
    Target small = TARGET.withCaches(TARGET.l1Bytes(), 64 << 10, TARGET.l3Bytes());
    assertFalse(block(4096, small).isAbout(BLOCK) && block(4096, small).names(BLOCK).contains("together, m by 64"));
    assertTrue(block(4096, TARGET).names(BLOCK).contains("together, m by 64"));
  }
}
