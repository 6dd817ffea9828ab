package dev.einfall.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.einfall.ir.Size;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class SizeBindingTest {
  private static final Size B = Size.named("B");
  private static final Size T = Size.named("T");

  @Test
  void bindsNamesWhereTheyStandAlone() {
    SizeBinding binding = new SizeBinding();
    binding.add("input 'X'", List.of(B, T), List.of(2L, 7L));
    binding.add("input 'Y'", List.of(B.times(T), Size.of(3)), List.of(14L, 3L));
    binding.finish();
    assertEquals(new TreeMap<>(Map.of("B", 2L, "T", 7L)), binding.sizes());
  }

  @Test
  void solvesWhatIsLinear() {
    SizeBinding binding = new SizeBinding();
    binding.add("input 'X'", List.of(T.times(Size.of(2)).minus(Size.of(1))), List.of(7L));
    binding.finish();
    assertEquals(new TreeMap<>(Map.of("T", 4L)), binding.sizes());
  }

  @Test
  void waitsForNamesThatALaterTensorBinds() {
    SizeBinding binding = new SizeBinding();
    binding.add("input 'X'", List.of(B.times(T)), List.of(6L));
    binding.add("input 'Y'", List.of(B), List.of(2L));
    binding.finish();
    assertEquals(new TreeMap<>(Map.of("B", 2L, "T", 3L)), binding.sizes());
  }

  @Test
  void namesWhatBoundASizeOtherwise() {
    SizeBinding binding = new SizeBinding();
    binding.add("input 'X'", List.of(B, T), List.of(2L, 7L));
    assertMessage("input 'Y' has 8 at dimension 1, which is declared T, that is 7: T is 7 by input 'X'",
        () -> binding.add("input 'Y'", List.of(B, T), List.of(2L, 8L)));
  }

  @Test
  void namesADimensionOfAnotherSize() {
    assertMessage("input 'X' has 9 at dimension 0, which is declared 8",
        () -> new SizeBinding().add("input 'X'", List.of(Size.of(8)), List.of(9L)));
    assertMessage("input 'X' has the shape [9], but 2 ranks are declared: [B, T]",
        () -> new SizeBinding().add("input 'X'", List.of(B, T), List.of(9L)));
    assertMessage("input 'X' has the shape [0]; every size is at least 1",
        () -> new SizeBinding().add("input 'X'", List.of(T), List.of(0L)));
  }

  @Test
  void saysWhatNoNumbersFit() {
    assertMessage("input 'X' has 7 at dimension 0, which is declared 2 * T: no numbers for T make it so",
        () -> new SizeBinding().add("input 'X'", List.of(T.times(Size.of(2))), List.of(7L)));
    SizeBinding binding = new SizeBinding();
    binding.add("input 'X'", List.of(B.times(T)), List.of(7L));
    assertMessage("input 'X' has 7 at dimension 0, which is declared B * T: no numbers for B, T make it so", binding::finish);
  }

  private static void assertMessage(String message, org.junit.jupiter.api.function.Executable action) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, action).getMessage());
  }
}
