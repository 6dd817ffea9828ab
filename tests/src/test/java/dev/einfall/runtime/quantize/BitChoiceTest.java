package dev.einfall.runtime.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.ir.CompileException;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class BitChoiceTest {

  /// What the choices take and cost together.
  private record Sums(long bytes, double cost) {
    static Sums of(long[][] bytes, double[][] costs, List<Integer> choices) {
      long sum = 0;
      double cost = 0;
      for (int i = 0; i < bytes.length; i++) {
        sum += bytes[i][choices.get(i)];
        cost += costs[i][choices.get(i)];
      }
      return new Sums(sum, cost);
    }
  }

  @Test
  void isTheBestOfAll() {
    SplittableRandom random = new SplittableRandom(1);
    for (int round = 0; round < 50; round++) {
      long[][] bytes = new long[5][3];
      double[][] costs = new double[5][3];
      for (int i = 0; i < 5; i++) {
        for (int j = 0; j < 3; j++) {
          bytes[i][j] = 1 + random.nextInt(100);
          costs[i][j] = random.nextDouble();
        }
      }
      long least = Arrays.stream(bytes).mapToLong(sizes -> Arrays.stream(sizes).min().orElseThrow()).sum();
      long budget = least + random.nextInt(150);
      double best = Double.POSITIVE_INFINITY;
      for (int all = 0; all < 243; all++) {
        Sums sums = Sums.of(bytes, costs, List.of(all % 3, all / 3 % 3, all / 9 % 3, all / 27 % 3, all / 81));
        best = sums.bytes <= budget ? Math.min(best, sums.cost) : best;
      }
      Sums chosen = Sums.of(bytes, costs, BitChoice.of(bytes, costs, budget));
      assertTrue(chosen.bytes <= budget);
      assertEquals(best, chosen.cost, 1e-12);
    }
  }

  @Test
  void saysWhatTheLeastIs() {
    CompileException error = assertThrows(CompileException.class, () -> BitChoice.of(new long[][] {{5, 7}, {3, 9}}, new double[2][2], 7));
    assertEquals("the budget is 7 bytes, and with the fewest bits the weights take 8: expected no less", error.diagnostics().getFirst().message());
  }
}
