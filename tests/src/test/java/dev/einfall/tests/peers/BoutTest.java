package dev.einfall.tests.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// What other JVMs measured.
class BoutTest {

  @Test
  void readsWhatIsWritten() {
    Bout bout = new Bout(Map.of("einfall", 0.25, "mkl packed", 0.5), Map.of("mkl", 3.0), 1e-6);
    assertEquals(bout, Bout.read("a warning\n" + bout.written()));
  }

  @Test
  void takesMedians() {
    List<Bout> bouts = List.of(new Bout(Map.of("einfall", 1.0, "mkl", 2.0), Map.of(), 0),
        new Bout(Map.of("einfall", 9.0, "mkl", 4.0), Map.of(), 1), new Bout(Map.of("einfall", 3.0, "mkl", 5.0), Map.of(), 0));
    assertEquals(new Bout(Map.of("einfall", 3.0, "mkl", 4.0), Map.of(), 1), Bout.median(bouts));
  }

  @Test
  void doesNotCompareWithWhomWasTooSlowOnce() {
    List<Bout> bouts = List.of(new Bout(Map.of("einfall", 1.0, "mkl", 2.0), Map.of(), 0),
        new Bout(Map.of("einfall", 2.0), Map.of("mkl", 5.0), 0));
    assertEquals(new Bout(Map.of("einfall", 2.0), Map.of("mkl", 5.0), 0), Bout.median(bouts));
  }
}
