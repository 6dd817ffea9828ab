package dev.einfall.runtime;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.backends.jvm.JvmBackend;
import dev.einfall.backends.jvm.Rehearsal;
import dev.einfall.frontend.LoopReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.passes.Target;
import dev.einfall.runtime.launch.LargePages;
import dev.einfall.runtime.launch.WorkerPool;
import dev.einfall.runtime.tuning.Calibration;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Measures a core by small kernels of the loop level: multiply-adds in registers, and sums over what a level of the memory holds.
record MicroBenchmarks(JvmBackend backend, Target target) {
  private static final int ACCUMULATORS = 8;
  private static final long STEPS = 200_000;
  /// What a sum reads in one run: 64 MB take a few milliseconds.
  private static final long READ = 64L << 20;
  private static final int RUNS = 25;
  private static final int LAUNCHES = 3_000;

  /// In about a second.
  Calibration measured() {
    double multiplyAdds = 2.0 * ACCUMULATORS * STEPS / nanos(multiplyAdds(), 1);
    return new Calibration(multiplyAdds, read(target.l1Bytes() / 2), read(target.l2Bytes() / 2), read(target.l3Bytes() / 2),
        read(2 * target.l3Bytes()), target.threads() == 1 ? 0 : launch());
  }

  /// The bytes read in a nanosecond from so many bytes that are read again and again.
  private double read(long bytes) {
    int row = ACCUMULATORS * target.vectorBytes();
    long rows = Math.max(1, bytes / row);
    long times = Math.max(1, READ / (rows * row));
    return (double) rows * row * times / nanos(sums(rows, times), Math.toIntExact(rows * row / Float.BYTES));
  }

  private Kernel multiplyAdds() {
    String ramp = ramp("0");
    return kernel("""
        kernel multiply_adds(X: f32[%d], Y: f32[%d]) {
          alloc sum: f32[%d, %d] in registers {
        %s
            for k in 0..%d {
              let x: f32x%d = X[%s]
        %s
            }
            Y[%s] = %s
          }
        }
        """.formatted(target.lanes(Float.BYTES), target.lanes(Float.BYTES), 2 * ACCUMULATORS, target.lanes(Float.BYTES), zeros(2 * ACCUMULATORS), STEPS,
        target.lanes(Float.BYTES), ramp,
        lines(2 * ACCUMULATORS, j -> "sum[%d, %s] = fma(x, x, sum[%d, %s])".formatted(j, ramp, j, ramp)), ramp, total(2 * ACCUMULATORS)));
  }

  private Kernel sums(long rows, long times) {
    int lanes = target.lanes(Float.BYTES);
    return kernel("""
        kernel sums(X: f32[%d], Y: f32[%d]) {
          alloc sum: f32[%d, %d] in registers {
        %s
            for r in 0..%d {
              for i in 0..%d {
        %s
              }
            }
            Y[%s] = %s
          }
        }
        """.formatted(rows * ACCUMULATORS * lanes, lanes, ACCUMULATORS, lanes, zeros(ACCUMULATORS), times, rows,
        lines(ACCUMULATORS, j -> "sum[%d, %s] = sum[%d, %s] + X[%s]".formatted(j, ramp("0"), j, ramp("0"),
            ramp("i * " + ACCUMULATORS * lanes + " + " + j * lanes))), ramp("0"), total(ACCUMULATORS)));
  }

  private String ramp(String base) {
    return "ramp(" + base + ", 1, " + target.lanes(Float.BYTES) + ")";
  }

  private String zeros(int count) {
    return lines(count, j -> "sum[%d, %s] = broadcast(0.0, %d)".formatted(j, ramp("0"), target.lanes(Float.BYTES)));
  }

  private String total(int count) {
    return IntStream.range(0, count).mapToObj(j -> "sum[" + j + ", " + ramp("0") + "]").collect(Collectors.joining(" + "));
  }

  private static String lines(int count, IntFunction<String> line) {
    return IntStream.range(0, count).mapToObj(line).collect(Collectors.joining("\n"));
  }

  private static Kernel kernel(String text) {
    return LoopReader.read(new Source("calibration.loop", text)).kernels().getFirst();
  }

  /// The shortest time of a run.
  private double nanos(Kernel kernel, int elements) {
    CompiledKernel code = backend.compile(List.of(kernel), _ -> {}).getFirst();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment x = LargePages.allocate(arena, kernel.parameters().getFirst().bytes());
      for (long i = 0; i < elements; i++) {
        // Memory that was never written is one page of zeros.
        x.setAtIndex(ValueLayout.JAVA_FLOAT, i, 1e-3f);
      }
      long[] addresses = {x.address(), LargePages.allocate(arena, kernel.parameters().getLast().bytes()).address()};
      long scratch = LargePages.allocate(arena, code.scratchBytes()).address();
      backend.warmUp(List.of(new Rehearsal(code, addresses, scratch)), _ -> {});
      double least = Double.POSITIVE_INFINITY;
      for (int i = 0; i < RUNS; i++) {
        long before = System.nanoTime();
        code.run(addresses, scratch, 0, 1);
        least = Math.min(least, System.nanoTime() - before);
      }
      return least;
    }
  }

  /// The nanoseconds until all threads have begun and have met, if none of them sleeps.
  private double launch() {
    try (WorkerPool workers = new WorkerPool(target.threads())) {
      long[] times = new long[LAUNCHES];
      for (int i = 0; i < LAUNCHES; i++) {
        long before = System.nanoTime();
        workers.run(target.threads(), (_, _) -> {});
        times[i] = System.nanoTime() - before;
      }
      return IntStream.range(LAUNCHES / 2, LAUNCHES).mapToLong(i -> times[i]).sorted().skip(LAUNCHES / 20).findFirst().orElseThrow();
    }
  }
}
