package dev.einfall.tests.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.ir.CompileException;
import dev.einfall.passes.Target;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// In which form a chain of reductions is computed, and what the forms cost beside each other.
class FormCostsTest {
  private static final String FORM = "reduce-passes";
  private static final Target ONE = Target.of(64, 1);
  private static final Target TWO = Target.of(64, 2);
  private static final String SCORES = "sum[e](Q[h, p, e] * K[h, m, e]) / sqrt(E)";

  private static Heard attention(String scores, long queries, long keys, Target target) {
    return Heard.attention(scores, "H=8 E=64 F=64 P=" + queries + " M=" + keys, target, Map.of());
  }

  @Test
  void ranksOfOneSizeAreTwoRanks() {
    Heard equal = attention(SCORES, 1024, 1024, ONE);
    Heard other = attention(SCORES, 1025, 1024, ONE);
    for (String form : equal.names(FORM)) {
      assertEquals(1, equal.cycles(FORM, form) / other.cycles(FORM, form), 0.05, form);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {512, 2048})
  void whatMasksLeaveOutSpeaksForTiles(int length) {
    Heard full = attention(SCORES, length, length, ONE);
    Heard causal = attention("where(m <= p, " + SCORES + ", -inf)", length, length, ONE);
    assertTrue(causal.cycles(FORM, "plain") >= full.cycles(FORM, "plain"));
    assertTrue(causal.cycles(FORM, "tiles of 64") < 0.7 * full.cycles(FORM, "tiles of 64"));
    assertTrue(causal.chosen(FORM).startsWith("tiles"));
  }

  @Test
  void largeTilesKeepLessOfWhatAMaskLeavesOut() {
    Heard full = attention(SCORES, 512, 512, ONE);
    Heard causal = attention("where(m <= p, " + SCORES + ", -inf)", 512, 512, ONE);
    double wide = causal.cycles(FORM, "tiles of 256") / full.cycles(FORM, "tiles of 256");
    assertTrue(causal.cycles(FORM, "tiles of 32") / full.cycles(FORM, "tiles of 32") < wide);
  }

  @Test
  void moreKeysCostMoreInEachForm() {
    Heard some = attention(SCORES, 128, 4096, ONE);
    Heard more = attention(SCORES, 128, 8192, ONE);
    for (String form : some.names(FORM)) {
      assertTrue(more.cycles(FORM, form) > 1.5 * some.cycles(FORM, form), form);
    }
  }

  @Test
  void tilesArePartOfTheRank() {
    assertEquals(List.of("plain", "tiles of 32", "tiles of 64"), attention(SCORES, 128, 100, ONE).names(FORM).subList(0, 3));
    assertFalse(attention(SCORES, 128, 100, ONE).names(FORM).contains("tiles of 128"));
  }

  @Test
  void partsAreForThreads() {
    assertFalse(attention(SCORES, 1, 4096, ONE).names(FORM).stream().anyMatch(name -> name.contains("parts")));
    Heard two = attention(SCORES, 1, 4096, TWO);
    assertTrue(two.names(FORM).contains("2 parts of tiles of 256"));
  }

  @Test
  void partsPayWhereThereIsOneRow() {
    String program = """
        def weights(X: f32[M], V: f32[M, F]) -> f32[F] {
          A[m] = exp(X[m] - max[m](X[m]))
          Z[f] = sum[m](A[m] * V[m, f]) / sum[m](A[m])
          return Z
        }
        """;
    Heard heard = Heard.of(program, "M=1000000 F=16", TWO);
    assertTrue(heard.cycles(FORM, "2 parts of tiles of 1024") < heard.cycles(FORM, "tiles of 1024"));
  }

  @Test
  void manyRowsNeedNoParts() {
    Heard heard = attention(SCORES, 512, 4096, TWO);
    assertTrue(heard.cycles(FORM, "tiles of 256") < heard.cycles(FORM, "2 parts of tiles of 256"));
  }

  @Test
  void takesTheFormThatIsForced() {
    Heard plain = Heard.of(softmax(), "P=100 M=100", ONE);
    String subject = "reduce-passes " + "A_max";
    if (plain.isAbout(subject)) {
      assertEquals("plain", plain.chosen(subject));
    }
    assertEquals("tiles of 32", Heard.of(softmax(), "P=100 M=100", ONE, Map.of(subject, "tiles of 32")).chosen(subject));
  }

  @Test
  void refusesAFormThatIsNone() {
    assertTrue(assertThrows(CompileException.class,
        () -> Heard.of(softmax(), "P=100 M=100", ONE, Map.of("reduce-passes A_max", "tiles of 3"))).getMessage().contains("tiles of 64"));
  }

  private static String softmax() {
    return """
        def softmax(X: f32[P, M]) -> f32[P] {
          A[p, m] = exp(X[p, m] - max[m](X[p, m]))
          Z[p] = sum[m](A[p, m])
          return Z
        }
        """;
  }
}
