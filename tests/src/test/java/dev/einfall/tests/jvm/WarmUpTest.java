package dev.einfall.tests.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.backends.jvm.JvmBackend;
import dev.einfall.backends.jvm.JvmOptions;
import dev.einfall.backends.jvm.Rehearsal;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Kernel;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/// After warm-up, kernels run as compiled code that keeps vectors in registers.
@Isolated("waits for the just-in-time compiler")
class WarmUpTest {
  /// Enough also where other processes want the processor.
  private static final int ENOUGH_MILLIS = 300_000;

  @Test
  void aWarmProductAllocatesNothing() {
    Kernel kernel = RunKernel.read(Products.tile(4, 2, 16, 16, 64, 300));
    JvmBackend backend = new JvmBackend(JvmOptions.ofThisJvm().withMaxWarmUpMillis(ENOUGH_MILLIS));
    List<String> remarks = new ArrayList<>();
    CompiledKernel code = backend.compile(List.of(kernel), remark -> remarks.add(remark.message())).getFirst();
    try (Arena arena = Arena.ofConfined()) {
      long[] addresses = addresses(kernel, arena);
      backend.warmUp(List.of(new Rehearsal(code, addresses, 0)), remark -> remarks.add(remark.message()));
      assertEquals(List.of(), remarks);
      assertTrue(allocated(code, addresses) < 10_000, "vectors in objects");
    }
  }

  /// The last row is code of its own, and so is the last task: the last row of other tasks must be rehearsed, too.
  @Test
  void whatIsLeftOfEachRankIsRehearsed() {
    Kernel kernel = RunKernel.read("""
        kernel k(X: f32[7, 200, 16], Y: f32[7, 200, 16]) {
          parallel for n in 0..7 {
            if n < 6 {
              for m in 0..200 {
                if m < 199 {
        %s        } else {
        %s        }
              }
            } else {
              Y[n, 0, ramp(0, 1, 16)] = X[n, 0, ramp(0, 1, 16)]
            }
          }
        }
        """.formatted(tile("m", 2), tile("m", 3)));
    JvmBackend backend = new JvmBackend(JvmOptions.ofThisJvm().withMaxWarmUpMillis(ENOUGH_MILLIS));
    List<String> remarks = new ArrayList<>();
    CompiledKernel code = backend.compile(List.of(kernel), remark -> remarks.add(remark.message())).getFirst();
    try (Arena arena = Arena.ofConfined()) {
      backend.warmUp(List.of(new Rehearsal(code, addresses(kernel, arena), 0)), remark -> remarks.add(remark.message()));
    }
    assertEquals(List.of(), remarks);
  }

  /// A block in registers that is a method of its own, and not a small one.
  private static String tile(String row, int factor) {
    StringBuilder text = new StringBuilder("alloc sum: f32[16] in registers {\nsum[ramp(0, 1, 16)] = broadcast(0.0, 16)\nfor k in 0..50 {\n");
    for (int i = 0; i < 12; i++) {
      text.append("sum[ramp(0, 1, 16)] = fma(X[n, %s, ramp(0, 1, 16)], broadcast(%d.%d, 16), sum[ramp(0, 1, 16)])\n".formatted(row, factor, i));
    }
    return text.append("}\nY[n, %s, ramp(0, 1, 16)] = sum[ramp(0, 1, 16)]\n}\n".formatted(row)).toString();
  }

  @Test
  void aKernelThatHasNoTimeToCompileIsNamed() {
    Kernel kernel = RunKernel.read(Products.tile(4, 2, 16, 16, 64, 300));
    JvmBackend backend = new JvmBackend(JvmOptions.ofThisJvm().withMaxWarmUpMillis(1));
    List<Diagnostic> remarks = new ArrayList<>();
    CompiledKernel code = backend.compile(List.of(kernel), remarks::add).getFirst();
    try (Arena arena = Arena.ofConfined()) {
      backend.warmUp(List.of(new Rehearsal(code, addresses(kernel, arena), 0)), remarks::add);
    }
    assertEquals(1, remarks.size());
    assertTrue(remarks.getFirst().message().contains("kernel product was not compiled"), remarks.getFirst().message());
  }

  @Test
  void aRehearsalThatFailsARequirementIsNoError() {
    Kernel kernel = RunKernel.read("""
        kernel k(I: i64[4], R: i64[4]) {
          for i in 0..4 {
            require I[i] > i64(5), "must be above 5 but is", I[i]
            R[i] = I[i]
          }
        }
        """);
    JvmBackend backend = new JvmBackend(JvmOptions.ofThisJvm().withMaxWarmUpMillis(50));
    CompiledKernel code = backend.compile(List.of(kernel), _ -> {}).getFirst();
    try (Arena arena = Arena.ofConfined()) {
      backend.warmUp(List.of(new Rehearsal(code, addresses(kernel, arena), 0)), _ -> {});
    }
  }

  private static long[] addresses(Kernel kernel, Arena arena) {
    return kernel.parameters().stream().mapToLong(buffer -> arena.allocate(buffer.bytes(), 64).address()).toArray();
  }

  private static long allocated(CompiledKernel code, long[] addresses) {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < 10; i++) {
      code.run(addresses, 0, 0, code.tasks());
    }
    return threads.getCurrentThreadAllocatedBytes() - before;
  }
}
