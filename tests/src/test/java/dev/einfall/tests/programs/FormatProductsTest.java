package dev.einfall.tests.programs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Compute;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Products with weights that stay in their formats, with any codes, against the reference.
@Execution(ExecutionMode.CONCURRENT)
class FormatProductsTest {
  /// The length of the errors of tables of bytes beside that of results.
  private static final double MOST_ROUNDED = 0.02;

  @ParameterizedTest
  @ValueSource(strings = {
      "integers int8(group = 16)", "integers int8(group = 192)", "integers int4(group = 32)", "integers symmetric(bits = 2, group = 32)",
      "integers symmetric(bits = 3, group = 64)", "integers symmetric(bits = 5, group = 64)", "integers symmetric(bits = 6, group = 64)",
      "integers symmetric(bits = 7, group = 192)", "integers symmetric(bits = 8, group = 32)", "integers asymmetric(bits = 4, group = 32)",
      "integers asymmetric(bits = 6, group = 64)", "integers asymmetric(bits = 8, group = 96)", "integers ternary(group = 64)", "integers binary(group = 64)",
      "codebooks nf4(group = 64)", "codebooks any4(group = 64)", "codebooks any3(group = 192)", "codebooks any2(group = 32)", "codebooks dynamic8(group = 64)",
      "microscaling mxfp4", "microscaling mxfp6_e2m3", "microscaling mxfp6_e3m2", "microscaling mxfp8_e4m3", "microscaling mxfp8_e5m2", "microscaling mxint8",
      "microscaling nvfp4", "microscaling fp4_ue5m3", "minifloats fp8_e4m3", "minifloats fp8_e5m2", "minifloats fp4_e2m1", "minifloats fp6_e2m3",
      "minifloats fp6_e3m2", "minifloats ue5m3", "ggml q4_0", "ggml q8_0", "gguf gguf_q4_0", "gguf gguf_q8_0", "gguf gguf_q4_k", "gguf gguf_q6_k",
      "nested nested8(group = 64)", "nested nested4(group = 32)", "powers power(bits = 4, group = 64)", "powers power(bits = 8, group = 192)",
      "powers shift(bits = 4, group = 64)", "block_floats block_float(bits = 5, block = 32)", "block_floats block_float(bits = 8, block = 16)",
      "block_floats fixed(bits = 16, fraction = 15)", "block_floats dynamic_fixed", "integers symmetric_tensor(bits = 5)", "integers bipolar(bits = 3, group = 64)",
      "integers bipolar(bits = 1, group = 32)", "integers dint(bits = 4, group = 64)", "optimizers dynamic4(group = 64)", "optimizers rank_one4", "lattices e8p",
      "nested matryoshka4(group = 64)", "nested matryoshka3(group = 32)", "nested matryoshka2(group = 192)", "bit_stack bit_stack(blocks = 3, rank = 2)"})
  void productsEqualThoseOfTheReference(String format) {
    String[] words = format.split(" ", 2);
    int width = format.endsWith("_k") ? 256 : 192;
    // One more width than that of most machines for each format, in turn for one row and for several.
    int turn = Math.floorMod(format.hashCode(), 4);
    check(words, 1, 131, width, turn < 2 ? new int[] {64} : new int[] {64, turn % 2 == 0 ? 32 : 4});
    check(words, 13, 150, width, turn < 2 ? new int[] {64, turn % 2 == 0 ? 32 : 4} : new int[] {64});
  }

  /// With many rows, weights with a table for each of their rows are decoded ahead of these, whatever the last columns are.
  @ParameterizedTest
  @ValueSource(strings = {"codebooks any4(group = 64)", "codebooks any3(group = 256)", "codebooks any2(group = 32)", "powers power(bits = 4, group = 64)"})
  void tablesOfRowsAreUsedAheadOfManyRows(String format) {
    String[] words = format.split(" ", 2);
    check(words, 66, 128, 768, 64, 32);
    check(words, 66, 150, 768, 64);
    String text = FormatProduct.PROGRAM.formatted(words[0], 768, 128, words[1]);
    KernelPlan plan = new Pipeline(PipelineOptions.of(Target.of(64, 1)), _ -> { }, _ -> { }).compile(FormatProduct.cascade(text, 66), FormatProduct.sizes(66));
    assertEquals(1, plan.launches().size(), format);
    assertTrue(plan.launches().getFirst().kernel().body().nodes().flatMap(Stmt::exprs).flatMap(Expr::nodes).anyMatch(Expr.Zip.class::isInstance), () -> format + ": nothing is turned");
  }

  private static void check(String[] words, int m, int n, int k, int... widths) {
    String text = FormatProduct.PROGRAM.formatted(words[0], k, n, words[1]);
    WeightsFile weights = RandomCodes.of(words[1], FormatProduct.cascade(text, m));
    float[] expected = run(text, m, k, Options.defaults().withBackend(Options.Backend.REFERENCE).withWeights(weights));
    for (int vectorBytes : widths) {
      Options options = Options.defaults().withVectorBytes(vectorBytes).withThreads(m == 1 ? 1 : 2).withWarmUp(false).withWeights(weights);
      assertNear(expected, run(text, m, k, options), 2e-6 * Math.sqrt(k), words[1] + ", vectors of " + vectorBytes + " bytes");
    }
  }

  /// Any format whose groups may be of any size, sizes, machine, contract and what is around a product: a bias, a second product of the same rows, or one of what the first makes.
  @ParameterizedTest
  @MethodSource("seeds")
  void randomProductsEqualThoseOfTheReference(int seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int group = 8 << random.nextInt(5);
    int k = Math.max(16, group) * random.nextInt(1, 4);
    int n = random.nextInt(4) == 0 ? random.nextInt(1, 20) : random.nextInt(120, 300);
    int m = oneOf(random, 1, 1, 2, 5, 17, 40, 130);
    int bits = random.nextInt(1, 9);
    String format = oneOf(random, "integers symmetric(bits = %1$d, group = %2$d)".formatted(Math.max(2, bits), group), "integers asymmetric(bits = %d, group = %d)".formatted(bits, group),
        "integers ternary(group = %d)".formatted(group), "integers binary(group = %d)".formatted(group), "codebooks nf4(group = %d)".formatted(group),
        "codebooks any%d(group = %d)".formatted(2 + bits % 3, group), "codebooks dynamic8(group = %d)".formatted(group), "nested nested8(group = %d)".formatted(group),
        "powers power(bits = %d, group = %d)".formatted(Math.max(2, bits), group), "powers shift(bits = %d, group = %d)".formatted(2 + bits % 3, group),
        "block_floats block_float(bits = %d, block = %d)".formatted(Math.max(2, bits), group), "minifloats fp6_e3m2", "minifloats fp8_e4m3");
    String[] words = format.split(" ", 2);
    String around = oneOf(random, "Z[m, n] = Y[m, n]", "Z[m, n] = max(Y[m, n] + 0.5, 0)", "V[m, n] = sum[k](X[m, k] * U[n, k])\n  Z[m, n] = Y[m, n] * V[m, n]",
        "V[m, n] = max(Y[m, n], 0)\n  Z[m, j] = sum[n](V[m, n] * T[n, j])");
    String text = """
        import std.formats.%1$s
        def main(X: f32[M, %2$d]) -> f32[M, %3$d] {
          weight W: %4$s[%3$d, %2$d] = "W"
          weight U: %4$s[%3$d, %2$d] = "U"
          weight T: f32[%3$d, %3$d] = "T"
          Y[m, n] = sum[k](X[m, k] * W[n, k])
          %5$s
          return Z
        }
        """.formatted(words[0], k, n, words[1], around);
    WeightsFile weights = RandomCodes.of(words[1], FormatProduct.cascade(text, m));
    float[] expected = run(text, m, k, Options.defaults().withBackend(Options.Backend.REFERENCE).withWeights(weights));
    Options options = Options.defaults().withVectorBytes(oneOf(random, 64, 32, 16, 4)).withNumerics(oneOf(random, Numerics.STRICT, Numerics.REASSOCIATE, Numerics.FAST))
        .withThreads(random.nextInt(1, 3)).withWarmUp(false).withWeights(weights);
    assertNear(expected, run(text, m, k, seed % 10 == 0 ? options.withBackend(Options.Backend.C) : options), 4e-6 * Math.sqrt(k + n), text);
  }

  static IntStream seeds() {
    return IntStream.range(0, 40);
  }

  @SafeVarargs
  private static <T> T oneOf(SplittableRandom random, T... choices) {
    return choices[random.nextInt(choices.length)];
  }

  /// Rows that are rounded to bytes at every run, for each token or in groups: in C, where the machine multiplies bytes, sums are of integers. What lies in the middle of two bytes
  /// may become the other one.
  @ParameterizedTest
  @CsvSource(delimiter = ';', value = {"int8(group = 192); 192", "int8(group = 64); 192", "int8(group = 64); 64", "int8(group = 32); 96", "asymmetric(bits = 8, group = 64); 192",
      "int4(group = 64); 192", "int4(group = 192); 192", "symmetric(bits = 2, group = 64); 64", "asymmetric(bits = 4, group = 64); 192", "asymmetric(bits = 3, group = 32); 64"})
  void rowsAreRoundedToBytes(String format, int group) {
    String text = """
        import std.formats.integers
        def main(X: f32[M, 192]) -> f32[M, 140] {
          weight W: %1$s[140, 192] = "W"
          scale, code = encode_int8(X, %2$d)
          Q = decode_int8(scale, code, %2$d)
          Y[m, n] = sum[k](Q[m, k] * W[n, k])
          return Y
        }
        """.formatted(format, group);
    for (int rows : new int[] {1, 7, 40}) {
      WeightsFile weights = RandomCodes.of(format, FormatProduct.cascade(text, rows));
      float[] expected = run(text, rows, 192, Options.defaults().withBackend(Options.Backend.REFERENCE).withWeights(weights));
      for (Options.Backend backend : List.of(Options.Backend.JVM, Options.Backend.C)) {
        float[] results = run(text, rows, 192, Options.defaults().withBackend(backend).withWarmUp(false).withWeights(weights));
        assertNear(expected, results, 0.01, rows + " rows by " + backend);
      }
    }
  }

  /// Rows that are rounded to few bits at every run, by weights of few: with vectors of any width and by way of C.
  @ParameterizedTest
  @CsvSource(delimiter = ';', value = {"binary; 192; binary(group = 64)", "binary; 192; binary(group = 192)", "binary; 96; ternary(group = 96)", "ternary; 192; binary(group = 32)",
      "symmetric; 64; symmetric(bits = 2, group = 64)", "symmetric; 192; asymmetric(bits = 2, group = 64)", "asymmetric; 64; asymmetric(bits = 1, group = 192)",
      "asymmetric; 192; symmetric(bits = 3, group = 64)", "ternary; 192; ternary(group = 48)"})
  void rowsOfFewBits(String format, int group, String weight) {
    String sizes = format.endsWith("metric") ? "2, " + group : "" + group;
    String results = format.equals("asymmetric") ? "scale, zero, code" : "scale, code";
    String text = """
        import std.formats.integers
        def main(X: f32[M, 192]) -> f32[M, 140] {
          weight W: %1$s[140, 192] = "W"
          %2$s = encode_%3$s(X, %4$s)
          Q = decode_%3$s(%2$s, %4$s)
          Y[m, n] = sum[k](Q[m, k] * W[n, k])
          return Y
        }
        """.formatted(weight, results, format, sizes);
    for (int rows : new int[] {1, 7, 40}) {
      WeightsFile weights = RandomCodes.of(weight, FormatProduct.cascade(text, rows));
      float[] expected = run(text, rows, 192, Options.defaults().withBackend(Options.Backend.REFERENCE).withWeights(weights));
      Options usual = Options.defaults().withWarmUp(false).withWeights(weights);
      for (Options options : List.of(usual.withVectorBytes(64), usual.withVectorBytes(16), usual.withVectorBytes(4), usual.withBackend(Options.Backend.C))) {
        assertNear(expected, run(text, rows, 192, options.withThreads(2)), 1e-5 * Math.sqrt(192), text + rows + " rows by " + options.backend());
      }
    }
  }

  /// Where the options allow for it, what codes stand for in a row is rounded to bytes, of which a permute chooses four at once, whatever the last columns are; what is
  /// asked for is how far results may be from those of `f32`, by their lengths.
  @ParameterizedTest
  @ValueSource(strings = {"integers int4(group = 32)", "integers symmetric(bits = 3, group = 64)", "integers asymmetric(bits = 2, group = 32)", "integers ternary(group = 64)",
      "integers binary(group = 64)", "integers asymmetric(bits = 4, group = 192)", "codebooks nf4(group = 64)", "microscaling mxfp4", "ggml q4_0"})
  void tablesAreRoundedToBytes(String format) {
    String[] words = format.split(" ", 2);
    for (int[] sizes : new int[][] {{1, 1024, 192}, {3, 1111, 192}}) {
      String text = FormatProduct.PROGRAM.formatted(words[0], sizes[2], sizes[1], words[1]);
      Cascade cascade = FormatProduct.cascade(text, sizes[0]);
      WeightsFile weights = RandomCodes.of(words[1], cascade);
      float[] expected = run(text, sizes[0], sizes[2], Options.defaults().withBackend(Options.Backend.REFERENCE).withWeights(weights));
      float[] results = run(text, sizes[0], sizes[2], Options.defaults().withVectorBytes(64).withCompute(Compute.I8).withThreads(sizes[0]).withWarmUp(false).withWeights(weights));
      assertEquals(0, distance(expected, results), MOST_ROUNDED, format);
      PipelineOptions options = PipelineOptions.of(Target.of(64, 1)).withCompute(Compute.I8);
      KernelPlan plan = new Pipeline(options, _ -> { }, _ -> { }).compile(cascade, FormatProduct.sizes(sizes[0]));
      assertTrue(plan.launches().stream().flatMap(launch -> launch.kernel().body().nodes()).flatMap(Stmt::exprs).flatMap(Expr::nodes)
          .anyMatch(Expr.PermuteBytes.class::isInstance), () -> format + ": no bytes are permuted");
    }
  }

  /// By way of C, where the machine multiplies bytes, rows are rounded, and not what they and codes make; in groups and with a number for 0, and of any number of rows.
  @ParameterizedTest
  @ValueSource(strings = {"integers int8(group = 64)", "integers int4(group = 32)", "integers asymmetric(bits = 4, group = 64)", "integers ternary(group = 64)", "codebooks nf4(group = 64)"})
  void rowsThatMeetIntegersAreRounded(String format) {
    String[] words = format.split(" ", 2);
    for (int rows : new int[] {1, 9, 40}) {
      String text = FormatProduct.PROGRAM.formatted(words[0], 192, 131, words[1]);
      WeightsFile weights = RandomCodes.of(words[1], FormatProduct.cascade(text, rows));
      float[] expected = run(text, rows, 192, Options.defaults().withBackend(Options.Backend.REFERENCE).withWeights(weights));
      float[] results = run(text, rows, 192, Options.defaults().withBackend(Options.Backend.C).withCompute(Compute.I8).withThreads(2).withWarmUp(false).withWeights(weights));
      assertEquals(0, distance(expected, results), MOST_ROUNDED, format + ", " + rows + " rows");
    }
  }

  /// A row with an infinity or what is no number has no result that is one; other rows are as they were.
  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void whatIsNoNumberIsNotRoundedAway(float what) {
    for (Options.Backend backend : List.of(Options.Backend.JVM, Options.Backend.C)) {
      requireNoNumberIn(what, backend);
    }
  }

  private static void requireNoNumberIn(float what, Options.Backend backend) {
    String text = FormatProduct.PROGRAM.formatted("integers", 64, 1024, "int4(group = 64)");
    Options options = Options.defaults().withBackend(backend).withCompute(Compute.I8).withWarmUp(false).withWeights(RandomCodes.of("int4", FormatProduct.cascade(text, 2)));
    float[] x = new float[2 * 64];
    Arrays.fill(x, 0, 64, 0.5f);
    Arrays.fill(x, 64, 128, 0.25f);
    x[7] = what;
    try (Program program = Einfall.compile(new Source("product.ein", text), options); Tensor input = Tensor.of(x, 2, 64)) {
      float[] results = program.run(Map.of("X", input)).get("Y").floats();
      for (int i = 0; i < results.length; i++) {
        assertEquals(i >= 1024, Float.isFinite(results[i]), "element " + i + " is " + results[i]);
      }
    }
  }

  /// The length of the difference, as a part of that of what is expected.
  private static double distance(float[] expected, float[] results) {
    double difference = 0;
    double length = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += Math.pow(results[i] - expected[i], 2);
      length += Math.pow(expected[i], 2);
    }
    return Math.sqrt(difference / length);
  }

  /// @param part of the largest result, by which others may differ
  private static void assertNear(float[] expected, float[] results, double part, String what) {
    double largest = 0;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (int i = 0; i < results.length; i++) {
      assertEquals(expected[i], results[i], part * largest, what + ", element " + i);
    }
  }

  private static float[] run(String text, int m, int k, Options options) {
    float[] x = new float[m * k];
    SplittableRandom random = new SplittableRandom(m);
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextDouble(-1, 1);
    }
    try (Program program = Einfall.compile(new Source("product.ein", text), options); Tensor input = Tensor.of(x, m, k)) {
      Map<String, Tensor> results = program.run(Map.of("X", input));
      return results.values().iterator().next().floats();
    }
  }
}
