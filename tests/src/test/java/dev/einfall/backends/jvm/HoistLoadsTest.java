package dev.einfall.backends.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.frontend.LoopReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Stmt;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class HoistLoadsTest {

  @Test
  void scalarsComeRightBeforeTheirUse() {
    assertEquals("load use load use load use", order(2));
  }

  /// Behind the second use there would be more code than C2 inlines scalar loads in: the third comes before it.
  @Test
  void scalarsComeBeforeTooMuchCode() {
    assertEquals("load use load load use use", order(12));
  }

  @Test
  void scalarsComeBeforeOneUseThatIsTooMuch() {
    assertEquals("load load load use use use", order(30));
  }

  /// What a step of a product of three numbers with vectors consists of, each of which takes so many `operations`.
  private static String order(int operations) {
    String vector = "W[ramp(0, 1, 16)]" + " * W[ramp(0, 1, 16)]".repeat(operations / 2);
    String uses = IntStream.range(0, 3).mapToObj(i -> "acc[ramp(0, 1, 16)] = fma(broadcast(X[3 * k + " + i + "], 16), " + vector + ", acc[ramp(0, 1, 16)])\n").collect(Collectors.joining());
    Stmt body = LoopReader.read(new Source("k.loop", """
        kernel k(X: f32[96], W: f32[16], Y: f32[16]) {
          alloc acc: f32[16] in registers {
            acc[ramp(0, 1, 16)] = broadcast(0.0, 16)
            for k in 0..32 {
              %s
            }
            Y[ramp(0, 1, 16)] = acc[ramp(0, 1, 16)]
          }
        }
        """.formatted(uses))).kernels().getFirst().body();
    Stmt.For loop = HoistLoads.in(body).nodes().filter(Stmt.For.class::isInstance).map(Stmt.For.class::cast).findFirst().orElseThrow();
    return loop.body().nodes().flatMap(HoistLoadsTest::name).collect(Collectors.joining(" "));
  }

  private static Stream<String> name(Stmt stmt) {
    return stmt instanceof Stmt.Let ? Stream.of("load") : stmt instanceof Stmt.Store(Buffer _, var _, var _) ? Stream.of("use") : Stream.empty();
  }
}
