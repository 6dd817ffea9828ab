package dev.einfall.tests.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.einfall.ir.CompileException;
import dev.einfall.passes.Decision;
import dev.einfall.passes.Decisions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DecisionsTest {
  private static final List<Integer> TILES = List.of(64, 16, 32, 16);

  @Test
  void takesTheFirstOfTheCheapest() {
    List<Decision> heard = new ArrayList<>();
    assertEquals(16, Decisions.byCost().withListener(heard::add).choose("tile Y", TILES, tile -> tile == 64 ? 9 : 1));
    assertEquals(List.of(new Decision("tile Y", List.of(new Decision.Alternative("64", 9),
        new Decision.Alternative("16", 1), new Decision.Alternative("32", 1)), "16")), heard);
  }

  @Test
  void takesWhatIsForced() {
    Decisions decisions = Decisions.byCost().withForced(Map.of("tile Y", "64"));
    assertEquals(64, decisions.choose("tile Y", TILES, tile -> tile));
    assertEquals(16, decisions.choose("tile Z", TILES, tile -> tile));
  }

  @Test
  void refusesToForceWhatIsNoAlternative() {
    Decisions decisions = Decisions.byCost().withForced(Map.of("tile Y", "8"));
    assertEquals("error: cannot force '8' for tile Y; there are 64, 16, 32",
        assertThrows(CompileException.class, () -> decisions.choose("tile Y", TILES, tile -> tile)).getMessage().strip());
  }
}
