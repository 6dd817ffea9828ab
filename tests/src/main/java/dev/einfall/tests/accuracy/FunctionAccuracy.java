package dev.einfall.tests.accuracy;

import dev.einfall.ir.Source;
import dev.einfall.passes.Numerics;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The largest error of a function of `f32`, compiled, over every so manieth float.
///
/// @param maxUlps in units in the last place of the exact value, or of the argument, where that is at least [#SMALL]
/// @param at where it is
/// @param maxSmall the largest distance from exact values that are smaller
/// @param wrong how many results are NaN or infinite where the exact one, rounded, is something else, or the other way round
public record FunctionAccuracy(double maxUlps, float at, double maxSmall, long wrong) {
  /// Below, functions may give 0.
  public static final double SMALL = 1.7e-38;
  private static final int CHUNK = 1 << 20;

  /// `tests/accuracy [STRIDE] [FUNCTION ...]`: prints the error of each function under the `reassociate` contract over every `STRIDE`th float, all
  /// if it is not given, and what a vector of 16 takes beside `VectorOperators`.
  public static void main(String[] arguments) {
    boolean hasStride = arguments.length > 0 && arguments[0].matches("[0-9]+");
    long stride = hasStride ? Long.parseLong(arguments[0]) : 1;
    List<String> names = List.of(arguments).subList(hasStride ? 1 : 0, arguments.length);
    for (Function function : Function.values()) {
      if (names.isEmpty() || names.contains(function.text())) {
        FunctionAccuracy accuracy = of(function, Numerics.REASSOCIATE, stride);
        System.out.printf(Locale.ROOT, "%-7s %6.3f ULP%s, at %s; %.2g where the result is below %s; %d wrong; %s%n", function.text(),
            accuracy.maxUlps, function.isInUnitsOfArgument() ? " of x" : "", accuracy.at, accuracy.maxSmall, SMALL, accuracy.wrong, FunctionSpeed.of(function));
      }
    }
  }

  /// The error over the floats whose bits are multiples of `stride`.
  public static FunctionAccuracy of(Function function, Numerics numerics, long stride) {
    String text = function.program(String.valueOf(CHUNK));
    Options options = Options.defaults().withBackend(Options.Backend.JVM).withThreads(1).withNumerics(numerics);
    try (Program program = Einfall.compile(new Source("accuracy.ein", text), options)) {
      FunctionAccuracy worst = new FunctionAccuracy(0, 0, 0, 0);
      float[] arguments = new float[CHUNK];
      for (long bits = 0; bits < 1L << 32; bits += stride * CHUNK) {
        for (int i = 0; i < CHUNK; i++) {
          arguments[i] = Float.intBitsToFloat((int) (bits + i * stride));
        }
        worst = worst.and(arguments, results(program, arguments), function);
      }
      return worst;
    }
  }

  /// The error over `arguments`.
  public static FunctionAccuracy of(Function function, Numerics numerics, float... arguments) {
    String text = function.program("N");
    Options options = Options.defaults().withBackend(Options.Backend.JVM).withThreads(1).withNumerics(numerics);
    try (Program program = Einfall.compile(new Source("accuracy.ein", text), options)) {
      return new FunctionAccuracy(0, 0, 0, 0).and(arguments, results(program, arguments), function);
    }
  }

  private static float[] results(Program program, float[] arguments) {
    try (Tensor x = Tensor.of(arguments, arguments.length); Tensor y = program.run(Map.of("X", x)).get("Y")) {
      return y.floats();
    }
  }

  private FunctionAccuracy and(float[] arguments, float[] results, Function function) {
    double ulps = maxUlps;
    float where = at;
    double small = maxSmall;
    long differ = wrong;
    for (int i = 0; i < arguments.length; i++) {
      double exact = function.exact(arguments[i]);
      double distance = Math.abs(exact - results[i]);
      if (!(distance < Double.POSITIVE_INFINITY)) {
        differ += Float.compare((float) exact, results[i]) == 0 ? 0 : 1;
      } else if (Math.abs(exact) < SMALL) {
        small = Math.max(small, distance);
      } else {
        double unit = function.isInUnitsOfArgument() ? Math.max(Math.abs(arguments[i]), Float.MIN_NORMAL) : exact;
        double error = distance / Math.scalb(1.0, Math.min(Math.getExponent(unit), Float.MAX_EXPONENT) - 23);
        if (error > ulps) {
          ulps = error;
          where = arguments[i];
        }
      }
    }
    return new FunctionAccuracy(ulps, where, small, differ);
  }
}
