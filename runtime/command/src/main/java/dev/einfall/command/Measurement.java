package dev.einfall.command;

import dev.einfall.command.explain.Limits;
import dev.einfall.command.explain.Waterline;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Source;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;

/// What `einfall explain --measure` prints: how long each kernel of a program takes, beside what the machine can do.
final class Measurement {
  private static final int RUNS = 200;
  private static final double SECONDS = 2;
  /// A product that reads each element hundreds of times, and a sum of more than caches hold.
  private static final Source PRODUCT = new Source("peak.ein", """
      def peak(A: f32[M, K], B: f32[K, N]) -> f32[M, N] {
        C[m, n] = sum[k](A[m, k] * B[k, n])
        return C
      }
      """);
  /// Four of these are 0.75.
  private static final byte ABOUT_ONE = 0x3f;
  private static final int ROWS = 1024;
  private static final int COLUMNS = 1 << 16;
  private static final Source SUMS = new Source("stream.ein", """
      def stream(X: f32[M, N]) -> f32[M] {
        Y[m] = sum[n](X[m, n])
        return Y
      }
      """);

  /// The nanoseconds of each launch of each kernel.
  private final Map<Kernel, List<Long>> launches = new IdentityHashMap<>();
  private final List<Kernel> order = new ArrayList<>();

  private Measurement() {}

  /// @param peak the operations on `f32` that the machine can do, in 10^9 a second; measured if not given
  /// @param bandwidth what it reads from memory, in 10^9 bytes a second; measured if not given
  static Waterline of(Path file, Options options, InputOptions inputOptions, Places places, Optional<Double> peak, Optional<Double> bandwidth) {
    int rows = productRows(options);
    Limits limits = Limits.measured(peak, () -> peak(options, rows), rows, bandwidth, () -> bandwidth(options));
    Measurement measurement = new Measurement();
    try (Program program = Einfall.compile(file, options.withLaunches(measurement::add))) {
      Map<String, Tensor> inputs = inputOptions.inputsOrRandom(program.inputs(), () -> Session.tokenizer(file, options.function(), places));
      try {
        Latency.measure(program, inputs, RUNS, SECONDS);
        measurement.clear();
        int runs = Latency.measure(program, inputs, RUNS, SECONDS).runs();
        return Waterline.of(measurement.measured(runs), limits, runs);
      } finally {
        inputs.values().forEach(Tensor::close);
      }
    } catch (IllegalArgumentException e) {
      throw new UserError(e.getMessage());
    }
  }

  private synchronized void add(Kernel kernel, long nanoseconds) {
    launches.computeIfAbsent(kernel, _ -> {
      order.add(kernel);
      return new ArrayList<>();
    }).add(nanoseconds);
  }

  private synchronized void clear() {
    launches.clear();
    order.clear();
  }

  private synchronized List<Waterline.Measured> measured(int runs) {
    return order.stream().map(kernel -> {
      List<Long> times = launches.get(kernel).stream().sorted().toList();
      return new Waterline.Measured(kernel, times.size() / runs, times.get(times.size() / 2) / 1e9);
    }).toList();
  }

  /// The rows of a product that keeps all of the machine busy.
  private static int productRows(Options options) {
    return switch (options.backend()) {
      case CUDA -> 4096;
      case AUTO, JVM, C, REFERENCE -> 768;
    };
  }

  /// What a product of square matrices with so many rows reaches here, in 10^9 operations a second.
  private static double peak(Options options, int rows) {
    long[] shape = {rows, rows};
    return 2.0 * rows * rows * rows / nanoseconds(PRODUCT, options, Map.of("A", shape, "B", shape));
  }

  /// What sums of long rows read here, in 10^9 bytes a second.
  private static double bandwidth(Options options) {
    return (double) ROWS * COLUMNS * Float.BYTES / nanoseconds(SUMS, options, Map.of("X", new long[] {ROWS, COLUMNS}));
  }

  /// The shortest time that the kernels of a run with inputs of these shapes take.
  private static double nanoseconds(Source source, Options options, Map<String, long[]> shapes) {
    AtomicLong taken = new AtomicLong();
    Map<String, Tensor> inputs = new TreeMap<>();
    try (Program program = Einfall.compile(source, options.withFunction(Optional.empty()).withLaunches((_, nanoseconds) -> taken.addAndGet(nanoseconds)))) {
      shapes.forEach((name, shape) -> inputs.put(name, resident(program, shape)));
      // The first run compiles, and meets whatever else goes on.
      run(program, inputs);
      long least = Long.MAX_VALUE;
      long start = System.nanoTime();
      for (int i = 0; i < RUNS && (i == 0 || System.nanoTime() - start < SECONDS / 4 * 1e9); i++) {
        taken.set(0);
        run(program, inputs);
        least = Math.min(least, taken.get());
      }
      return least;
    } finally {
      inputs.values().forEach(Tensor::close);
    }
  }

  private static Tensor resident(Program program, long[] shape) {
    try (Tensor tensor = Tensor.zeros(ElementType.F32, shape)) {
      // Memory that was never written is one page of zeros.
      tensor.data().fill(ABOUT_ONE);
      return program.resident(tensor);
    }
  }

  private static void run(Program program, Map<String, Tensor> inputs) {
    program.run(inputs).values().forEach(Tensor::close);
  }
}
