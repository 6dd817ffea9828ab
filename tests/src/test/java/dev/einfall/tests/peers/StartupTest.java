package dev.einfall.tests.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.tests.peers.Startup.Figure;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StartupTest {

  @Test
  void readsBackWhatItWrites() {
    Startup startup = new Startup(Map.of(Figure.NEW_FIRST, 12.5, Figure.PEAK, Double.NaN));
    assertEquals(startup, Startup.read(startup.written()));
  }

  @Test
  void takesTheMedianOfEachFigure() {
    Startup median = Startup.median(List.of(
        first(3.0), first(1.0), first(2.0)));
    assertEquals(2.0, median.get(Figure.NEW_FIRST));
    assertTrue(Double.isNaN(median.get(Figure.WARM_FIRST)));
  }

  private static Startup first(double millis) {
    return new Startup(Map.of(Figure.NEW_FIRST, millis));
  }
}
