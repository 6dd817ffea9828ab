package dev.einfall.tests.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.backends.jvm.JvmBackend;
import dev.einfall.backends.jvm.JvmOptions;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Kernel;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// After warm-up, kernels run as compiled code that keeps vectors in registers.
class WarmUpTest {

  @Test
  void aWarmProductAllocatesNothing() {
    Kernel kernel = RunKernel.read(Products.tile(4, 2, 16, 16, 64, 300));
    JvmBackend backend = new JvmBackend(JvmOptions.ofThisJvm());
    List<String> remarks = new ArrayList<>();
    CompiledKernel code = backend.compile(List.of(kernel), remark -> remarks.add(remark.message())).getFirst();
    try (Arena arena = Arena.ofConfined()) {
      long[] addresses = addresses(kernel, arena);
      backend.warmUp(List.of(new JvmBackend.Rehearsal(code, addresses, 0)), remark -> remarks.add(remark.message()));
      assertEquals(List.of(), remarks);
      assertTrue(allocated(code, addresses) < 10_000, "vectors in objects");
    }
  }

  @Test
  void aKernelThatHasNoTimeToCompileIsNamed() {
    Kernel kernel = RunKernel.read(Products.tile(4, 2, 16, 16, 64, 300));
    JvmBackend backend = new JvmBackend(JvmOptions.ofThisJvm().withMaxWarmUpMillis(1));
    List<Diagnostic> remarks = new ArrayList<>();
    CompiledKernel code = backend.compile(List.of(kernel), remarks::add).getFirst();
    try (Arena arena = Arena.ofConfined()) {
      backend.warmUp(List.of(new JvmBackend.Rehearsal(code, addresses(kernel, arena), 0)), remarks::add);
    }
    assertEquals(1, remarks.size());
    assertTrue(remarks.getFirst().message().contains("kernel product was not compiled"), remarks.getFirst().message());
    assertEquals(1, remarks.getFirst().span().line());
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
      backend.warmUp(List.of(new JvmBackend.Rehearsal(code, addresses(kernel, arena), 0)), _ -> {});
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
