package dev.einfall.tests.accuracy;

import dev.einfall.ir.Source;
import dev.einfall.ir.UnaryOp;
import dev.einfall.passes.Numerics;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// What a function of 16 floats takes, without the call of the program, the same where the backend computes one after the other by Java's
/// `Math`, and the same by `VectorOperators`, in turn.
///
/// @param ours in nanoseconds
/// @param scalar in nanoseconds
/// @param theirs if there is such an operator
record FunctionSpeed(double ours, double scalar, Optional<Double> theirs) {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  /// What a core's second-level cache holds twice.
  private static final int ELEMENTS = 1 << 16;
  private static final int FEW = 16;
  private static final int ROUNDS = 9;
  private static final long ROUND_NANOS = 50_000_000;
  private static final long WARM_UP_NANOS = 1_000_000_000;

  static FunctionSpeed of(Function function, Numerics numerics) {
    float[] arguments = new float[ELEMENTS];
    for (int i = 0; i < ELEMENTS; i++) {
      arguments[i] = (i + 1) * 8f / ELEMENTS;
    }
    Options options = Options.defaults().withBackend(Options.Backend.JVM).withThreads(1).withNumerics(numerics);
    Options plain = options.without(Set.of("expand-functions", "expand-sines"));
    try (Program many = program(function, ELEMENTS, options); Program few = program(function, FEW, options);
        Program manyPlain = program(function, ELEMENTS, plain); Program fewPlain = program(function, FEW, plain);
        Arena arena = Arena.ofConfined();
        Tensor x = Tensor.of(arguments, ELEMENTS); Tensor start = Tensor.of(Arrays.copyOf(arguments, FEW), FEW)) {
      MemorySegment from = arena.allocate(4L * ELEMENTS, 64);
      MemorySegment to = arena.allocate(4L * ELEMENTS, 64);
      MemorySegment.copy(arguments, 0, from, java.lang.foreign.ValueLayout.JAVA_FLOAT, 0, ELEMENTS);
      Optional<BiConsumer<MemorySegment, MemorySegment>> operator = function.operator().flatMap(FunctionSpeed::operator);
      double[] ours = new double[ROUNDS];
      double[] scalar = new double[ROUNDS];
      double[] theirs = new double[ROUNDS];
      operator.ifPresent(loop -> nanos(() -> loop.accept(from, to), WARM_UP_NANOS));
      for (int round = 0; round < ROUNDS; round++) {
        ours[round] = (nanos(() -> run(many, x)) - nanos(() -> run(few, start))) / (ELEMENTS / 16.0);
        scalar[round] = (nanos(() -> run(manyPlain, x)) - nanos(() -> run(fewPlain, start))) / (ELEMENTS / 16.0);
        theirs[round] = operator.map(loop -> nanos(() -> loop.accept(from, to)) / (ELEMENTS / 16.0)).orElse(0.0);
      }
      return new FunctionSpeed(median(ours), median(scalar), operator.map(_ -> median(theirs)));
    }
  }

  private static Program program(Function function, int elements, Options options) {
    return Einfall.compile(new Source("speed.ein", function.program(String.valueOf(elements))), options);
  }

  private static void run(Program program, Tensor x) {
    program.run(Map.of("X", x)).get("Y").close();
  }

  private static double nanos(Runnable action) {
    return nanos(action, ROUND_NANOS);
  }

  private static double nanos(Runnable action, long atLeast) {
    long begin = System.nanoTime();
    long runs = 0;
    while (System.nanoTime() - begin < atLeast) {
      action.run();
      runs++;
    }
    return (System.nanoTime() - begin) / (double) runs;
  }

  private static double median(double[] times) {
    double[] sorted = times.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  /// A loop for each operator: it has to be a constant.
  private static Optional<BiConsumer<MemorySegment, MemorySegment>> operator(UnaryOp function) {
    return switch (function) {
      case EXP -> Optional.of((from, to) -> {
        for (long i = 0; i < 4L * ELEMENTS; i += 4L * SPECIES.length()) {
          load(from, i).lanewise(VectorOperators.EXP).intoMemorySegment(to, i, ByteOrder.nativeOrder());
        }
      });
      case LOG -> Optional.of((from, to) -> {
        for (long i = 0; i < 4L * ELEMENTS; i += 4L * SPECIES.length()) {
          load(from, i).lanewise(VectorOperators.LOG).intoMemorySegment(to, i, ByteOrder.nativeOrder());
        }
      });
      case TANH -> Optional.of((from, to) -> {
        for (long i = 0; i < 4L * ELEMENTS; i += 4L * SPECIES.length()) {
          load(from, i).lanewise(VectorOperators.TANH).intoMemorySegment(to, i, ByteOrder.nativeOrder());
        }
      });
      case SIN -> Optional.of((from, to) -> {
        for (long i = 0; i < 4L * ELEMENTS; i += 4L * SPECIES.length()) {
          load(from, i).lanewise(VectorOperators.SIN).intoMemorySegment(to, i, ByteOrder.nativeOrder());
        }
      });
      case COS -> Optional.of((from, to) -> {
        for (long i = 0; i < 4L * ELEMENTS; i += 4L * SPECIES.length()) {
          load(from, i).lanewise(VectorOperators.COS).intoMemorySegment(to, i, ByteOrder.nativeOrder());
        }
      });
      case RSQRT -> Optional.of((from, to) -> {
        for (long i = 0; i < 4L * ELEMENTS; i += 4L * SPECIES.length()) {
          FloatVector.broadcast(SPECIES, 1).div(load(from, i).sqrt()).intoMemorySegment(to, i, ByteOrder.nativeOrder());
        }
      });
      case ERF, NEG, NOT, ABS, SIGN, SQRT, FLOOR, CEIL, ROUND, POPCOUNT -> Optional.empty();
    };
  }

  private static FloatVector load(MemorySegment from, long offset) {
    return FloatVector.fromMemorySegment(SPECIES, from, offset, ByteOrder.nativeOrder());
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%.2f ns for 16, %.2f by Math", ours, scalar)
        + theirs.map(time -> String.format(Locale.ROOT, ", %.2f by VectorOperators", time)).orElse("");
  }
}
