package dev.einfall.tests.numerics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.ir.UnaryOp;
import dev.einfall.passes.Numerics;
import dev.einfall.tests.accuracy.FunctionAccuracy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Functions are as accurate as the README of the passes says: for a million floats here, for all by `tests/accuracy`.
class FunctionAccuracyTest {
  private static final Path README = Path.of("..", "passes", "README.md");
  private static final Pattern ROW = Pattern.compile("(?m)^\\| `(\\w+)` \\| ([0-9.]+) ULP");
  private static final int STRIDE = 4099;

  static List<UnaryOp> functions() {
    return FunctionAccuracy.FUNCTIONS;
  }

  @ParameterizedTest
  @MethodSource("functions")
  void isAsStated(UnaryOp function) throws IOException {
    FunctionAccuracy usual = FunctionAccuracy.of(function, Numerics.REASSOCIATE, STRIDE);
    double stated = stated().get(function.text());
    assertTrue(usual.maxUlps() <= stated && usual.maxSmall() <= FunctionAccuracy.SMALL, usual.toString());
    assertEquals(0, usual.wrong());
    FunctionAccuracy strict = FunctionAccuracy.of(function, Numerics.STRICT, STRIDE);
    assertTrue(strict.maxUlps() <= 0.501 && strict.maxSmall() <= Float.MIN_VALUE, strict.toString());
    assertEquals(0, strict.wrong());
  }

  private static Map<String, Double> stated() throws IOException {
    return ROW.matcher(Files.readString(README)).results()
        .collect(Collectors.toMap(row -> row.group(1), row -> Double.valueOf(row.group(2))));
  }
}
