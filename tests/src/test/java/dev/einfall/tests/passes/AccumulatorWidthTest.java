package dev.einfall.tests.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.reference.Array;
import dev.einfall.frontend.EinReader;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Source;
import dev.einfall.passes.analysis.AccumulatorWidth;
import dev.einfall.passes.analysis.AccumulatorWidth.Sum;
import dev.einfall.runtime.Options;
import dev.einfall.tests.JvmRun;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// No sum leaves the range that is stated for it.
class AccumulatorWidthTest {
  private static Sum sum(String program) {
    return AccumulatorWidth.of(EinReader.read(new Source("sum.ein", program), Optional.empty()).cascade()).getFirst();
  }

  private static Sum sum(String type, int terms, String value) {
    return sum("def main(x: " + type + "[" + terms + "]) -> i32 {\n  y[] = sum[k](" + value + ")\n  return y\n}\n");
  }

  /// Each value, for all of the bytes, is in the range of a sum of one such value.
  @ParameterizedTest
  @ValueSource(strings = {"i32(x[k])", "-i32(x[k])", "abs(i32(x[k]))", "i32(abs(x[k]))", "sign(i32(x[k]))", "i32(x[k] * x[k])", "i32(x[k]) * i32(x[k])",
      "i32(x[k]) - 3 * k", "i32(x[k]) / 7", "i32(x[k]) / -7", "i32(x[k]) % 7", "i32(x[k]) % -7", "min(i32(x[k]), 5)", "max(i32(x[k]), 5)",
      "i32(x[k]) && 12", "i32(x[k]) || 12", "xor(i32(x[k]) && 63, 12)", "shl(i32(x[k]), 3)", "shl(1, i32(x[k]) && 7)", "shr(i32(x[k]), 2)",
      "shr(i32(x[k]), i32(x[k]) && 3)", "popcount(i32(x[k]))", "where(x[k] > 3, i32(x[k]), 1000)", "i32(x[k] > 3)", "i32(f32(x[k]) * 1e9)",
      "i32(min(max(f32(x[k]) * 0.3, -7.5), 7.5))", "i32(min(sqrt(f32(x[k])), 7))", "i32(i8(i32(x[k]) + 100))", "i32(u8(i32(x[k]) + 100))", "i32(bool(x[k]))",
      "i32(x[k]) + i32(x[k - 1] or 90)", "i32(round(max(1 / f32(x[k]), -2)))"})
  void valuesAreInTheirRanges(String value) {
    for (ElementType type : List.of(ElementType.I8, ElementType.U8)) {
      Sum all = sum(type.text(), 256, value);
      assertEquals(256, all.terms());
      long first = type == ElementType.I8 ? -128 : 0;
      Array bytes = Array.of(type, IntStream.range(0, 256).mapToLong(i -> i + first).toArray(), 256);
      String program = "def main(x: " + type + "[256]) -> i32[256] {\n  y[k in 0..256] = " + value + "\n  return y\n}\n";
      long[] values = JvmRun.outputs(program, List.of(bytes), JvmRun.options(1, 0).withBackend(Options.Backend.REFERENCE)).getFirst().integers();
      for (int i = 0; i < 256; i++) {
        assertTrue(all.range().contains(256 * values[i]), value + " of " + (i + first) + " is " + values[i] + ", not in a 256th of " + all.range());
      }
    }
  }

  @Test
  void bitsHoldTheRange() {
    assertEquals(16, sum("i8", 256, "i32(x[k])").bits());
    assertEquals(17, sum("i8", 257, "i32(x[k])").bits());
    assertEquals(17, sum("u8", 256, "i32(x[k])").bits());
    assertEquals(1, sum("u8", 256, "0 * i32(x[k])").bits());
  }

  @Test
  void aSumOverflowsFromItsFirstTermTooMany() {
    String product = "i32(x[k]) * i32(x[k])";
    assertTrue(!sum("i8", 131071, product).mayOverflow());
    assertTrue(sum("i8", 131072, product).mayOverflow());
  }

  /// What a tensor holds is known where it is read, but not of the states of recurrences.
  @Test
  void rangesPassFromTensorToTensor() {
    assertEquals(8, sum("def main(x: i32[4]) -> i32 {\n  q[k] = min(max(x[k], -16), 15)\n  v[k] = q[k] + 1\n  y[] = sum[k](v[k])\n  return y\n}\n").bits());
    assertTrue(sum("def main(x: i8[4]) -> i32 {\n  h[0] = 0\n  h[t + 1] = h[t] + i32(x[t])\n  y[] = sum[k](h[k])\n  return y\n}\n").mayOverflow());
  }
}
