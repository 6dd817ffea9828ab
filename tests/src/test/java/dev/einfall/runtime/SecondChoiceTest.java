package dev.einfall.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.frontend.LoopFile;
import dev.einfall.frontend.LoopReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.passes.Decision;
import dev.einfall.passes.Decisions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SecondChoiceTest {
  private static final List<Decision.Alternative> TILES = List.of(new Decision.Alternative("n 16, m 4", 1),
      new Decision.Alternative("n 16, m 3", 2), new Decision.Alternative("scalar", 9), new Decision.Alternative("m 16, n 2", 3));
  private static final Decision DECISION = new Decision("choose-mappings Y", TILES, "n 16, m 4");

  private static Kernel kernel(String name) {
    return LoopReader.read(new Source("k.loop", "kernel " + name + "(X: f32[1]) {\n  X[0] = 1.0\n}\n")).kernels().getFirst();
  }

  private static SecondChoice of(Decisions decisions, Decision... heard) {
    return SecondChoice.of(Map.of(kernel("Y"), 100.0), List.of(heard), decisions);
  }

  @Test
  void takesTheNextBestOfAnotherKind() {
    SecondChoice choice = of(Decisions.byCost(), DECISION);
    assertEquals(Optional.of("m 16, n 2"), choice.better(DECISION));
    assertEquals(Optional.empty(), choice.better(new Decision("choose-mappings Z", TILES, "n 16, m 4")));
    assertEquals("took m 16, n 2 for choose-mappings Y: the JIT makes no good code of what the cost model has chosen", choice.text());
    assertEquals(1, choice.entries().size());
  }

  @Test
  void isBetterIfTheKernelIsNotSlowAgain() {
    SecondChoice choice = of(Decisions.byCost(), DECISION);
    assertTrue(choice.isBetter(Map.of()));
    assertTrue(choice.isBetter(Map.of(kernel("Z"), 100.0)));
    assertTrue(choice.isBetter(Map.of(kernel("Y"), 12.0)));
    assertFalse(choice.isBetter(Map.of(kernel("Y"), 90.0)));
  }

  /// One that is never compiled is no reason to stay because of another that is slow either way.
  @Test
  void weighsSlowKernelsTogether() {
    SecondChoice choice = SecondChoice.of(Map.of(kernel("Y"), 1000.0, kernel("Z"), 80.0), List.of(DECISION), Decisions.byCost());
    assertTrue(choice.isBetter(Map.of(kernel("Z"), 300.0)));
    assertFalse(choice.isBetter(Map.of(kernel("Y"), 300.0, kernel("Z"), 80.0)));
  }

  @Test
  void leavesKernelsThatRunOnce() {
    LoopFile file = LoopReader.read(new Source("p.loop", """
        kernel Z(F: f32[1], A: f32[1]) {
          A[0] = F[0]
        }
        kernel Y(A: f32[1], B: f32[1]) {
          B[0] = A[0] * 2.0
        }
        plan p {
          weight F: f32[1] = "F"
          constant A: f32[1]
          output B: f32[1] = "B"
          arena 0
          setup Z(F, A)
          launch Y(A, B)
        }
        """));
    Kernel once = file.kernels().getFirst();
    Kernel often = file.kernels().getLast();
    assertEquals(Map.of(often, 20.0), SecondChoice.ofCalls(Map.of(once, 1000.0, often, 20.0), file.plan().orElseThrow()));
    assertEquals(Map.of(), SecondChoice.ofCalls(Map.of(once, 1000.0), file.plan().orElseThrow()));
  }

  @Test
  void leavesOtherFindings() {
    SecondChoice choice = of(Decisions.byCost().withFindings(_ -> Optional.of("scalar")), DECISION);
    assertEquals(Optional.of("scalar"), choice.better(new Decision("choose-mappings Z", TILES, "n 16, m 4")));
  }

  @Test
  void hasNoneWhereItIsNotKnownWhichIsSlowOrNothingElseIsThere() {
    Decision dearer = new Decision("choose-mappings Y_1", List.of(new Decision.Alternative("n 16, m 4", 2), new Decision.Alternative("scalar", 9)), "n 16, m 4");
    assertTrue(of(Decisions.byCost(), DECISION, dearer).isEmpty());
    assertTrue(of(Decisions.byCost(), new Decision("choose-mappings Y", TILES.subList(0, 2), "n 16, m 4")).isEmpty());
    assertTrue(of(Decisions.byCost().withForced(Map.of("choose-mappings Y", "n 16, m 4")), DECISION).isEmpty());
    assertTrue(of(Decisions.byCost()).isEmpty());
  }
}
