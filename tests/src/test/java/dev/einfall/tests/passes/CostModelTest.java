package dev.einfall.tests.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.passes.Speeds;
import dev.einfall.passes.Target;
import org.junit.jupiter.api.Test;

/// The loops that are chosen, and what tiles cost beside each other.
class CostModelTest {
  private static final Target TARGET = Target.of(64, 1);
  private static final String TILES = "choose-mappings Y";

  private static Heard product(String sizes) {
    return Heard.of("""
        def product(X: f32[M, K], W: f32[K, N]) -> f32[M, N] {
          Y[m, n] = X[m, k] * W[k, n]
          return Y
        }
        """, sizes, TARGET);
  }

  @Test
  void tilesOfRowsCostLessThanVectorsAloneAndThoseLessThanNumbers() {
    Heard heard = product("M=240 K=256 N=256");
    double tiles = heard.least(TILES, "n .*, m [0-9]+");
    double vectors = heard.least(TILES, "n [^,]*");
    assertTrue(tiles < vectors);
    assertTrue(vectors < heard.cycles(TILES, "scalar"));
    assertTrue(heard.chosen(TILES).startsWith("n "));
  }

  @Test
  void costsGrowWithEachRank() {
    double some = product("M=240 K=256 N=256").least(TILES, ".*");
    assertTrue(product("M=480 K=256 N=256").least(TILES, ".*") > 1.9 * some);
    assertTrue(product("M=240 K=512 N=256").least(TILES, ".*") > 1.8 * some);
    assertTrue(product("M=240 K=256 N=512").least(TILES, ".*") > 1.9 * some);
  }

  @Test
  void aRowBeyondWholeTilesCostsMoreThanItsShare() {
    double whole = product("M=240 K=256 N=256").cycles(TILES, "n 2 x 16, m 12");
    double more = product("M=241 K=256 N=256").cycles(TILES, "n 2 x 16, m 12");
    assertTrue(more > whole * 241 / 240);
  }

  @Test
  void fewRowsAreGoneThroughInWiderTiles() {
    Heard heard = product("M=1 K=256 N=1024");
    assertTrue(heard.cycles(TILES, "n 8 x 16") < heard.cycles(TILES, "n 16"));
    assertFalse(heard.chosen(TILES).contains("m"));
  }

  @Test
  void columnsAreNotReadAsVectorsByProductsThatCannotCopyThem() {
    Heard heard = Heard.of("""
        def rows(X: f32[M, K], W: f32[N, K]) -> f32[M, N] {
          Y[m, n] = X[m, k] * W[n, k]
          return Y
        }
        """, "M=1 K=4096 N=256", TARGET);
    assertTrue(heard.chosen(TILES).startsWith("k "), heard.chosen(TILES));
  }

  @Test
  void tilesThatShareLoadsAreWorthMoreWhereLoadsAreSlow() {
    Speeds usual = Speeds.usual();
    Speeds slow = new Speeds(usual.operations(), usual.loads() / 4, usual.latency(), usual.gathered(), usual.tail(), usual.partOfRow(),
        usual.l1(), usual.l2(), usual.l3(), usual.memory(), usual.inTurn(), usual.oneStream(), usual.launch(), usual.meeting());
    String program = """
        def product(X: f32[M, K], W: f32[K, N]) -> f32[M, N] {
          Y[m, n] = X[m, k] * W[k, n]
          return Y
        }
        """;
    Heard heard = Heard.of(program, "M=240 K=256 N=256", TARGET);
    Heard slowly = Heard.of(program, "M=240 K=256 N=256", TARGET.withSpeeds(slow));
    assertEquals(heard.names(TILES), slowly.names(TILES));
    double gain = heard.cycles(TILES, "n 16, m 8") / heard.cycles(TILES, "n 2 x 16, m 8");
    assertTrue(slowly.cycles(TILES, "n 16, m 8") / slowly.cycles(TILES, "n 2 x 16, m 8") > gain);
  }
}
