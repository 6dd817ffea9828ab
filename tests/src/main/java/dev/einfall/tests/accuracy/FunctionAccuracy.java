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
import java.util.stream.Stream;

/// The largest error of a function of `f32`, compiled, over every so manieth float.
///
/// @param maxUlps in units in the last place of the exact value, or of the argument, where that is at least what [#smallest] says
/// @param at where it is
/// @param maxSmall the largest distance from exact values that are smaller
/// @param wrong how many results are NaN or infinite where the exact one, rounded, is something else, or the other way round; under the
///     `strict` contract also how many are the other one of both zeros
public record FunctionAccuracy(double maxUlps, float at, double maxSmall, long wrong) {
  /// Below, functions may give 0 under the `reassociate` contract.
  public static final double SMALL = 1.7e-38;
  private static final int CHUNK = 1 << 20;
  private static final FunctionAccuracy NONE = new FunctionAccuracy(0, 0, 0, 0);

  /// `tests/accuracy [STRIDE] [CONTRACT ...] [FUNCTION ...]`: prints the error of each function under each contract over every `STRIDE`th
  /// float, all if it is not given, and what 16 floats take, beside `Math` and `VectorOperators`.
  public static void main(String[] arguments) {
    List<String> words = List.of(arguments);
    long stride = words.stream().filter(word -> word.matches("[0-9]+")).mapToLong(Long::parseLong).findFirst().orElse(1);
    for (Function function : chosen(Function.values(), words)) {
      for (Numerics numerics : chosen(new Numerics[] {Numerics.STRICT, Numerics.REASSOCIATE}, words)) {
        FunctionAccuracy accuracy = of(function, numerics, stride);
        System.out.printf(Locale.ROOT, "%-7s %-11s %6.3f ULP%s, at %s; %.2g where the result is below %s; %d wrong; %s%n",
            word(function), word(numerics), accuracy.maxUlps, function.isInUnitsOfArgument() ? " of x" : "", accuracy.at, accuracy.maxSmall,
            smallest(function, numerics), accuracy.wrong, FunctionSpeed.of(function, numerics));
      }
    }
  }

  /// Those of `values` that are named among `words`; all if none is.
  private static <E extends Enum<E>> List<E> chosen(E[] values, List<String> words) {
    List<E> named = Stream.of(values).filter(value -> words.contains(word(value))).toList();
    return named.isEmpty() ? List.of(values) : named;
  }

  private static String word(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  /// Exact values from here on are compared in units in their last place: all of an operator under the `strict` contract. What a formula
  /// computes on the way may be infinite or 0 where its result is subnormal.
  private static double smallest(Function function, Numerics numerics) {
    return numerics == Numerics.STRICT && function.operator().isPresent() ? 0 : SMALL;
  }

  /// The error over the floats whose bits are multiples of `stride`.
  public static FunctionAccuracy of(Function function, Numerics numerics, long stride) {
    String text = function.program(String.valueOf(CHUNK));
    Options options = Options.defaults().withBackend(Options.Backend.JVM).withThreads(1).withNumerics(numerics);
    try (Program program = Einfall.compile(new Source("accuracy.ein", text), options)) {
      FunctionAccuracy worst = NONE;
      float[] arguments = new float[CHUNK];
      for (long bits = 0; bits < 1L << 32; bits += stride * CHUNK) {
        for (int i = 0; i < CHUNK; i++) {
          arguments[i] = Float.intBitsToFloat((int) (bits + i * stride));
        }
        worst = worst.and(arguments, results(program, arguments), function, numerics);
      }
      return worst;
    }
  }

  /// The error over `arguments`.
  public static FunctionAccuracy of(Function function, Numerics numerics, float... arguments) {
    String text = function.program("N");
    Options options = Options.defaults().withBackend(Options.Backend.JVM).withThreads(1).withNumerics(numerics);
    try (Program program = Einfall.compile(new Source("accuracy.ein", text), options)) {
      return NONE.and(arguments, results(program, arguments), function, numerics);
    }
  }

  private static float[] results(Program program, float[] arguments) {
    try (Tensor x = Tensor.of(arguments, arguments.length); Tensor y = program.run(Map.of("X", x)).get("Y")) {
      return y.floats();
    }
  }

  private FunctionAccuracy and(float[] arguments, float[] results, Function function, Numerics numerics) {
    double smallest = smallest(function, numerics);
    double ulps = maxUlps;
    float where = at;
    double small = maxSmall;
    long differ = wrong;
    for (int i = 0; i < arguments.length; i++) {
      double exact = function.exact(arguments[i]);
      double distance = Math.abs(exact - results[i]);
      boolean isOther = distance == 0 ? numerics == Numerics.STRICT : !(distance < Double.POSITIVE_INFINITY);
      if (isOther && Float.compare((float) exact, results[i]) != 0) {
        differ++;
      } else if (Math.abs(exact) < smallest) {
        small = Math.max(small, distance);
      } else if (distance < Double.POSITIVE_INFINITY) {
        double error = distance / unit(function.isInUnitsOfArgument() ? Math.max(Math.abs(arguments[i]), Float.MIN_NORMAL) : exact);
        if (error > ulps) {
          ulps = error;
          where = arguments[i];
        }
      }
    }
    return new FunctionAccuracy(ulps, where, small, differ);
  }

  /// One in the last place of a float as large as `value`.
  private static double unit(double value) {
    return Math.scalb(1.0, Math.clamp(Math.getExponent(value), Float.MIN_EXPONENT, Float.MAX_EXPONENT) - 23);
  }
}
