package dev.einfall.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.backends.jvm.JvmBackend;
import dev.einfall.backends.jvm.JvmOptions;
import dev.einfall.backends.jvm.Shape;
import dev.einfall.frontend.LoopReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.passes.Speeds;
import dev.einfall.passes.analysis.LeastCycles;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

@Isolated("waits for the just-in-time compiler")
class SelfCheckTest {
  private static final double SLOW = 1e9;
  private static final double FAST = 1;
  /// Enough also where other processes want the processor.
  private static final int ENOUGH_MILLIS = 300_000;

  /// With more in its body than one method takes well.
  private static final Kernel LARGE = large(60);
  private static final Kernel LITTLE = large(2);

  private static Kernel large(int statements) {
    StringBuilder text = new StringBuilder("kernel k(X: f32[64, 8], Y: f32[64, 8]) {\n  for i in 0..64 {\n");
    for (int i = 0; i < statements; i++) {
      text.append("    Y[i, ramp(0, 1, 8)] = fma(X[i, ramp(0, 1, 8)], broadcast(").append(i).append(".5, 8), fma(Y[i, ramp(0, 1, 8)], Y[i, ramp(0, 1, 8)], Y[i, ramp(0, 1, 8)]))\n");
    }
    return LoopReader.read(new Source("k.loop", text.append("  }\n}\n").toString())).kernels().getFirst();
  }

  /// What comes of a kernel whose code takes these times: that of the first shape, and that of the second.
  private static KernelWorkshop.Made made(Kernel kernel, double first, double second, Shape shape, List<CompiledKernel> codes) {
    return made(kernel, first, second, shape, codes, new JvmBackend(JvmOptions.ofThisJvm().withMaxWarmUpMillis(ENOUGH_MILLIS)));
  }

  private static KernelWorkshop.Made made(Kernel kernel, double first, double second, Shape shape, List<CompiledKernel> codes, JvmBackend backend) {
    Pace pace = (rehearsal, _) -> {
      if (codes.stream().noneMatch(code -> code == rehearsal.kernel())) {
        codes.add(rehearsal.kernel());
      }
      return OptionalDouble.of(rehearsal.kernel() == codes.getFirst() ? first : second);
    };
    try (KernelWorkshop workshop = new KernelWorkshop(backend, Set.of(), _ -> shape, new SelfCheck(backend, Speeds.usual(), pace, ENOUGH_MILLIS))) {
      workshop.add(kernel);
      return workshop.finish();
    }
  }

  @Test
  void keepsTheBetterShape() {
    List<CompiledKernel> codes = new ArrayList<>();
    KernelWorkshop.Made made = made(LARGE, SLOW, FAST, Shape.USUAL, codes);
    assertEquals(2, codes.size());
    assertNotSame(codes.get(0), codes.get(1));
    assertSame(codes.get(1), made.codes().get(KernelDigest.of(LARGE)));
    assertEquals(List.of(KernelDigest.of(LARGE)), made.learned().stream().map(learned -> learned.better().digest()).toList());
    assertTrue(made.remarks().getFirst().message().matches(
        "kernel k takes \\d+ times as long as a core needs at least: .*; in smaller methods it is .* times as fast, and stays so"), made.remarks().toString());
  }

  @Test
  void keepsWhatIsNoWorse() {
    List<CompiledKernel> codes = new ArrayList<>();
    KernelWorkshop.Made made = made(LARGE, SLOW, SLOW, Shape.USUAL, codes);
    assertSame(codes.getFirst(), made.codes().get(KernelDigest.of(LARGE)));
    assertEquals(List.of(), made.learned());
    assertTrue(made.remarks().getFirst().message().endsWith("; smaller methods do not help"), made.remarks().toString());
  }

  @Test
  void hasNothingToTryForWhatIsLittle() {
    List<CompiledKernel> codes = new ArrayList<>();
    KernelWorkshop.Made made = made(LITTLE, SLOW, FAST, Shape.USUAL, codes);
    assertEquals(1, codes.size());
    assertEquals(List.of(), made.learned());
    assertTrue(made.remarks().getFirst().message().endsWith("good code of it"), made.remarks().toString());
  }

  @Test
  void saysHowManyCyclesSlowKernelsTakeAndNotHowFarTheyAreFromTheLeast() {
    for (Kernel kernel : List.of(LARGE, LITTLE)) {
      KernelWorkshop.Made made = made(kernel, SLOW, SLOW, Shape.USUAL, new ArrayList<>());
      assertEquals(3 * SLOW, made.slow().get(kernel), 1, "three cycles a nanosecond, one task");
    }
  }

  @Test
  void triesNothingElseWhereTheCompilerIsLate() {
    List<CompiledKernel> codes = new ArrayList<>();
    KernelWorkshop.Made made = made(LARGE, SLOW, FAST, Shape.USUAL, codes, new JvmBackend(JvmOptions.ofThisJvm().withMaxWarmUpMillis(1)));
    assertEquals(List.of(), codes);
    assertTrue(made.remarks().getFirst().message().startsWith("kernel k was not compiled by the JIT during warm-up"), made.remarks().toString());
  }

  @Test
  void saysNothingOfGoodCode() {
    List<CompiledKernel> codes = new ArrayList<>();
    KernelWorkshop.Made made = made(LARGE, FAST, FAST, Shape.USUAL, codes);
    assertEquals(List.of(1, 0, 0), List.of(codes.size(), made.remarks().size(), made.learned().size()));
  }

  @Test
  void startsInTheShapeThatIsKnownToBeBetter() {
    List<CompiledKernel> codes = new ArrayList<>();
    KernelWorkshop.Made made = made(LARGE, SLOW, FAST, Shape.SMALL, codes);
    assertEquals(1, codes.size(), "there is nothing else to try");
    assertEquals(List.of(), made.learned());
  }

  @Test
  void countsTheLeastThatATaskTakes() {
    Kernel kernel = LoopReader.read(new Source("k.loop", """
        kernel k(X: f32[8, 100, 16], I: i32[16], Y: f32[8, 16]) {
          parallel for i in 0..8 {
            alloc sum: f32[16] in registers {
              sum[ramp(0, 1, 16)] = broadcast(0.0, 16)
              for k in 0..100 {
                sum[ramp(0, 1, 16)] = fma(X[i, k, ramp(0, 1, 16)], X[i, k, ramp(0, 1, 16)], sum[ramp(0, 1, 16)])
              }
              Y[i, ramp(0, 1, 16)] = sum[ramp(0, 1, 16)]
            }
          }
        }
        """)).kernels().getFirst();
    assertEquals((2 * 100 + 1) / 2.0, LeastCycles.ofTask(kernel, Speeds.usual()), "loads and stores, two a cycle");
    assertTrue(!LeastCycles.computes(kernel, Speeds.usual()));
  }

  @Test
  void countsBranchesForTheirShareOfTheTasks() {
    Kernel kernel = LoopReader.read(new Source("k.loop", """
        kernel k(X: f32[400], Y: f32[400]) {
          parallel for i in 0..4 {
            if i < 3 {
              for k in 0..100 {
                Y[i * 100 + k] = X[i * 100 + k]
              }
            } else {
              Y[300] = X[300]
            }
          }
        }
        """)).kernels().getFirst();
    assertEquals((3 * 200 + 2) / 4.0 / 2, LeastCycles.ofTask(kernel, Speeds.usual()), "three of four tasks have 200 accesses, two a cycle");
  }
}
