package dev.einfall.tests.numerics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.passes.Numerics;
import dev.einfall.tests.accuracy.Function;
import dev.einfall.tests.accuracy.FunctionAccuracy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Functions are as accurate as the README of the passes says: for a million floats here, for all by `tests/accuracy`.
@Execution(ExecutionMode.CONCURRENT)
class FunctionAccuracyTest {
  private static final Path README = Path.of("..", "passes", "README.md");
  private static final Pattern ROW = Pattern.compile("(?m)^\\| `(\\w+)` \\| ([0-9.]+) ULP \\| ([0-9.]+) ULP");
  private static final int STRIDE = 4099;
  private static final List<Numerics> CONTRACTS = List.of(Numerics.STRICT, Numerics.REASSOCIATE);

  @ParameterizedTest
  @EnumSource
  void isAsStated(Function function) throws IOException {
    for (Numerics numerics : CONTRACTS) {
      checkAgainstReadme(function, numerics, FunctionAccuracy.of(function, numerics, STRIDE));
    }
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = {"SIGMOID", "GELU"})
  void isBelowOneUnitIfStrict(Function function) throws IOException {
    assertTrue(stated(Numerics.STRICT).get(function.text()) < 1);
  }

  private static void checkAgainstReadme(Function function, Numerics numerics, FunctionAccuracy accuracy) throws IOException {
    assertTrue(accuracy.maxUlps() <= stated(numerics).get(function.text()) && accuracy.maxSmall() <= FunctionAccuracy.SMALL,
        numerics + ": " + accuracy);
    assertEquals(0, accuracy.wrong(), numerics + ": " + accuracy);
  }

  /// NaNs of all kinds, infinities, zeros, subnormals, the edges beyond which results are 0, 1 or infinite, or another way is taken, quarters
  /// of a turn, and where errors are largest; as many as several vectors and a tail.
  @ParameterizedTest
  @EnumSource
  void holdsAtTheEdges(Function function) throws IOException {
    float[] edges = {
        Float.NaN, Float.intBitsToFloat(0x7fc00001), Float.intBitsToFloat(0xffc01234), Float.intBitsToFloat(0x7f800001), Float.POSITIVE_INFINITY,
        Float.MAX_VALUE, Float.MIN_NORMAL, Math.nextDown(Float.MIN_NORMAL), Float.MIN_VALUE, 0, 1, Math.nextDown(1f), Math.nextUp(1f), 0.5f, 0.92f,
        Math.nextDown(0.92f), 0.70710677f, 1.4142135f, 3.9f, 4f, 4.1f, 9f, 9.02f, Math.nextUp(9.02f), 0.062408682f, 0.9537269f, 0.700016f,
        1.9462466e25f, 16.635532f, 62.547966f, 86.9f, 87.0f, 87.33654f, 87.33655f, 87.5f, 88.37f, 88.38f, 88.557976f, 88.72283f, 88.722839f, 88.72284f,
        89.06f, 89.4f, 89.5f, 90f, 103.9f, 104f, 1e4f, 1e10f, 1e38f, 0x1p-24f, 0x1p-12f, 1e-10f, 1e-38f, 0.34657f, 0.34658f,
        0.17328f, 0.17329f, 88f, 89f, 103.27892f, 103.27893f, 103.97207f, 103.97208f, 103.97209f, 0.98f, Math.nextDown(0.98f), 0x1p-100f, 0x1p-127f, 0x1p127f,
        1.5707964f, 3.1415927f, 4.712389f, 6.2831855f, 0.7853982f, 2.3561945f, 114.16062f, 31990.336f, 99999.99f, 100_000f, Math.nextUp(100_000f), 1e6f};
    float[] both = new float[2 * edges.length];
    for (int i = 0; i < edges.length; i++) {
      both[2 * i] = edges[i];
      both[2 * i + 1] = -edges[i];
    }
    for (Numerics numerics : CONTRACTS) {
      checkAgainstReadme(function, numerics, FunctionAccuracy.of(function, numerics, both));
    }
  }

  /// The errors of the table in the README, by function.
  private static Map<String, Double> stated(Numerics numerics) throws IOException {
    int column = numerics == Numerics.STRICT ? 2 : 3;
    return ROW.matcher(Files.readString(README)).results()
        .collect(Collectors.toMap(row -> row.group(1), row -> Double.valueOf(row.group(column))));
  }
}
