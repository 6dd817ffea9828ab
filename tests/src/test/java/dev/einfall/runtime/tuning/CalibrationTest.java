package dev.einfall.runtime.tuning;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.passes.Speeds;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class CalibrationTest {
  private static final Calibration REFERENCE = Calibration.REFERENCE;

  @Test
  void theReferenceIsUsual() {
    assertEquals(Speeds.usual(), REFERENCE.speeds());
    assertEquals(Speeds.usual(), new Calibration(REFERENCE.multiplyAdds(), REFERENCE.l1(), REFERENCE.l2(), REFERENCE.l3(), REFERENCE.memory(), 0).speeds(),
        "one thread waits for nobody");
  }

  @Test
  void aFasterMemoryMovesMoreInACycle() {
    Speeds speeds = new Calibration(
        REFERENCE.multiplyAdds(), REFERENCE.l1(), REFERENCE.l2(), REFERENCE.l3(), 2 * REFERENCE.memory(), REFERENCE.launch()).speeds();
    assertEquals(2 * Speeds.usual().memory().bytes(), speeds.memory().bytes());
    assertEquals(Speeds.usual().l3(), speeds.l3());
  }

  @Test
  void cyclesAreThoseOfTheCore() {
    Speeds speeds = new Calibration(
        2 * REFERENCE.multiplyAdds(), 2 * REFERENCE.l1(), 2 * REFERENCE.l2(), REFERENCE.l3(), REFERENCE.memory(), REFERENCE.launch()).speeds();
    Speeds usual = Speeds.usual();
    assertEquals(usual.loads(), speeds.loads(), 1e-9, "a core that is twice as fast does as much in a cycle");
    assertEquals(usual.memory().bytes() / 2, speeds.memory().bytes(), 1e-9, "in which half as much comes from memory");
    assertEquals(usual.launch() * 2, speeds.launch(), 1e-9, "and a launch takes twice as many");
  }

  @Test
  void isWrittenAndRead() {
    assertEquals(Optional.of(REFERENCE), Calibration.of(REFERENCE.text()));
    String text = REFERENCE.text();
    for (String damaged : new String[] {"", text.substring(0, text.length() - 8), text.replace("l1", "l4"), text.replace("210", "-1"),
        text.replace("210", "NaN"), text.replace("210", "x"), text + "more 1\n"}) {
      assertEquals(Optional.empty(), Calibration.of(damaged), damaged);
    }
  }
}
