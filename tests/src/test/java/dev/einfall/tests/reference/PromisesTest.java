package dev.einfall.tests.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.Source;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import org.junit.jupiter.api.Test;

/// What a program's own reductions promise is tried.
class PromisesTest {

  private static void compile(String reduction) {
    String text = reduction + "\ndef f(X: f32[N]) -> f32 {\n  Y[] = r[n](X[n])\n  return Y\n}\n";
    Einfall.compile(new Source("test.ein", text), Options.defaults().withWarmUp(false).withCheckPromises(true)).close();
  }

  private static void refuses(String expected, String reduction) {
    CompileException e = assertThrows(CompileException.class, () -> compile(reduction));
    assertEquals(1, e.diagnostics().size());
    assertTrue(e.getMessage().contains(expected), e.getMessage());
    assertTrue(e.getMessage().startsWith("test.ein:1:"), e.getMessage());
  }

  @Test
  void acceptsPromisesThatHold() {
    compile("reduce r(a: f32, b: f32) = max(a, b) + log(1 + exp(-abs(a - b))) identity -inf associative commutative");
    compile("reduce r(a: f32, b: f32) = a / 2 + b identity 0");
  }

  @Test
  void refusesADifferenceAsAssociative() {
    refuses("declared associative, but r(", "reduce r(a: f32, b: f32) = a / 2 + b identity 0 associative");
  }

  @Test
  void refusesTheFirstAsCommutative() {
    refuses("declared commutative, but r(", "reduce r(a: f32, b: f32) = where(a == 0, b, a) identity 0 associative commutative");
  }

  @Test
  void refusesAnIdentityThatIsNone() {
    refuses("identity changes a value: r(1.0, ", "reduce r(a: f32, b: f32) = a + b identity 1");
  }

  @Test
  void believesWhatItIsNotAskedToTry() {
    Einfall.compile(new Source("test.ein", """
        reduce r(a: f32, b: f32) = a - b identity 0 associative
        def f(X: f32[N]) -> f32 {
          Y[] = r[n](X[n])
          return Y
        }
        """), Options.defaults().withWarmUp(false)).close();
  }
}
