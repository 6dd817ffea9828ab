package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.frontend.Formatter;
import dev.einfall.frontend.weights.Safetensors;
import dev.einfall.frontend.weights.SafetensorsWriter;
import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Source;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Npy;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `einfall quantize`, on a network of two layers, one of which has its matrix the other way round.
class QuantizeTest {
  private static final String PROGRAM = """
      weights "model.safetensors"

      def linear(x: f32[B, K], W: f32[K, N], bias: f32[N]) -> f32[B, N] {
        y[b, n] = sum[k](x[b, k] * W[k, n]) + bias[n]
        return y
      }

      def main(X: f32[B, D], id: i32[B]) -> f32[B, 8] {
        weight table: f32[10, D] = "table"
        weight W: f32[D, 128] = "first.weight"
        weight bias: f32[128] = "first.bias"
        weight V: f32[8, 128] = "second.weight"
        E[b, k] = X[b, k] + table[id[b], k]
        H = max(linear(E, W, bias), 0)
        Y[b, n] = H[b, k] * V[n, k]
        return Y
      }
      """;
  private static final int SAMPLES = 128;

  @TempDir
  private Path directory;
  private Path program;

  private record Weight(String key, float[] values, long... shape) {
    StoredTensor stored() {
      return new StoredTensor(key, ElementType.F32, Arrays.stream(shape).boxed().toList(), MemorySegment.ofArray(values));
    }
  }

  @BeforeEach
  void writeTheProgram() throws IOException {
    program = Files.writeString(directory.resolve("net.ein"), PROGRAM);
    weights(Optional.empty());
    try (Tensor x = Tensor.of(inputs(), SAMPLES, 64); Tensor id = Tensor.of(new SplittableRandom(3).ints(SAMPLES, 0, 10).toArray(), SAMPLES)) {
      Npy.write(directory.resolve("x.npy"), x);
      Npy.write(directory.resolve("id.npy"), id);
    }
  }

  /// @param other in the place of one of the same key
  private void weights(Optional<Weight> other) throws IOException {
    List<Weight> all = new ArrayList<>();
    for (Weight weight : List.of(new Weight("table", normal(10 * 64, 6), 10, 64), new Weight("first.weight", normal(64 * 128, 1), 64, 128),
        new Weight("first.bias", normal(128, 2), 128), new Weight("second.weight", normal(8 * 128, 3), 8, 128))) {
      all.add(other.filter(given -> given.key.equals(weight.key)).orElse(weight));
    }
    SafetensorsWriter.write(directory.resolve("model.safetensors"), all.stream().map(Weight::stored).toList());
  }

  private static float[] normal(int count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /// Inputs that depend on each other, some of which are much larger than others.
  private static float[] inputs() {
    float[] noise = normal(SAMPLES * 64, 4);
    float[] common = normal(SAMPLES, 5);
    for (int i = 0; i < noise.length; i++) {
      noise[i] = (noise[i] + 2 * common[i / 64]) * (i % 64 < 8 ? 5 : 0.5f);
    }
    return noise;
  }

  private CommandLineRun quantize(String policy, String... more) {
    List<String> arguments = new ArrayList<>(List.of("quantize", program.toString(), "--policy", policy, "-o", directory.resolve("out").toString()));
    arguments.addAll(List.of(more));
    return CommandLineRun.of(arguments.toArray(String[]::new));
  }

  private CommandLineRun calibrated(String policy, String... more) {
    List<String> arguments = new ArrayList<>(List.of("--in", "X=" + directory.resolve("x.npy"), "--in", "id=" + directory.resolve("id.npy")));
    arguments.addAll(List.of(more));
    return quantize(policy, arguments.toArray(String[]::new));
  }

  private Path written() {
    return directory.resolve("out").resolve("net.ein");
  }

  private static float[] outputs(Path program) {
    try (Program compiled = Einfall.compile(program, Options.defaults().withWarmUp(false)); Tensor x = Npy.read(program.resolveSibling("x.npy"));
        Tensor id = Npy.read(program.resolveSibling("id.npy")); Tensor y = compiled.run(Map.of("X", x, "id", id)).get("Y")) {
      return y.floats();
    }
  }

  /// The norm of the difference of what the programs give, over the norm of what the first one gives.
  private double difference() throws IOException {
    for (String name : List.of("x.npy", "id.npy")) {
      Files.deleteIfExists(written().resolveSibling(name));
      Files.copy(directory.resolve(name), written().resolveSibling(name));
    }
    float[] before = outputs(program);
    float[] after = outputs(written());
    double error = 0;
    double size = 0;
    for (int i = 0; i < before.length; i++) {
      error += Math.pow(before[i] - after[i], 2);
      size += Math.pow(before[i], 2);
    }
    return Math.sqrt(error / size);
  }

  @Test
  void writesAProgramAndItsWeights() throws IOException {
    CommandLineRun run = quantize("int8(group = 32)");
    assertEquals(0, run.exitCode(), run.err());
    String text = Files.readString(written());
    assertEquals(text, Formatter.format(new Source("written", text)));
    assertTrue(text.startsWith("# net.ein, quantized: weights int8(group = 32), method nearest.\n"), text);
    assertTrue(text.contains("  weight W: int8(group = 32)[128, 64] = \"first.weight\"\n"), text);
    assertTrue(text.contains("  weight V: int8(group = 32)[8, 128] = \"second.weight\"\n"), text);
    assertTrue(text.contains("  weight table: f32[10, 64] = \"table\"\n"), text);
    try (Safetensors file = Safetensors.open(written().resolveSibling("model.safetensors"))) {
      assertEquals(List.of(128L, 2L), file.require("first.weight.scale").shape());
      assertEquals(List.of(128L, 64L), file.require("first.weight.code").shape());
      assertEquals(ElementType.I8, file.require("second.weight.code").type());
      assertEquals(List.of(128L), file.require("first.bias").shape());
    }
    assertTrue(run.out().contains("of these quantized 36864 before, 10368 after (28.1 %)"), run.out());
    assertTrue(run.err().contains("2 of 2  second.weight: int8(group = 32), error 0.00"), run.err());
    assertTrue(difference() < 0.01, "difference " + difference());
    assertTrue(Files.notExists(directory.resolve("out").resolve("unfinished")));
  }

  @Test
  void roundsActivationsInTheProgram() throws IOException {
    CommandLineRun run = calibrated("w8a8");
    assertEquals(0, run.exitCode(), run.err());
    String text = Files.readString(written());
    assertTrue(text.contains("E_scale, E_code = encode_int8(E, 64)\n  E_int8 = decode_int8(E_scale, E_code, 64)\n"), text);
    assertTrue(text.contains("weight V: int8(group = 128)[8, 128]"), text);
    assertTrue(run.out().matches("(?s).*cosine similarity of 'Y' on 128: mean 0\\.999\\d+, least 0\\.99\\d+.*"), run.out());
    assertTrue(difference() < 0.02);
  }

  @Test
  void storesTables() throws IOException {
    CommandLineRun run = quantize("nf4(group = 64)", "--tables", "int8(group = 64)", "--keep", "second*");
    assertEquals(0, run.exitCode(), run.err());
    String text = Files.readString(written());
    assertTrue(text.contains("weight table: int8(group = 64)[10, 64]"), text);
    assertTrue(text.contains("weight V: f32[8, 128]"), text);
    assertTrue(text.contains("import std.formats.codebooks\nimport std.formats.integers\n"), text);
  }

  /// The same bytes are written for any number of threads.
  @Test
  void errorFeedbackIsNearerThanRounding() throws IOException {
    CommandLineRun nearest = calibrated("nf4(group = 64)");
    CommandLineRun feedback = calibrated("nf4(group = 64)", "--method", "gptq", "--threads", "1");
    assertEquals(0, feedback.exitCode(), feedback.err());
    assertTrue(1 - cosine(feedback) < 0.5 * (1 - cosine(nearest)), feedback.out() + nearest.out());
    byte[] weights = Files.readAllBytes(written().resolveSibling("model.safetensors"));
    String text = Files.readString(written());
    assertEquals(0, calibrated("nf4(group = 64)", "--method", "gptq", "--threads", "2").exitCode());
    assertArrayEquals(weights, Files.readAllBytes(written().resolveSibling("model.safetensors")));
    assertEquals(text, Files.readString(written()));
  }

  private static double cosine(CommandLineRun run) {
    Matcher matcher = Pattern.compile("mean ([\\d.]+)").matcher(run.out());
    assertTrue(matcher.find(), run.out() + run.err());
    return Double.parseDouble(matcher.group(1));
  }

  @Test
  void aLowRankTakesWhatIsLeft() throws IOException {
    double without = error(quantize("ternary(group = 64)"));
    CommandLineRun run = quantize("ternary(group = 64)", "--method", "clip", "--low-rank", "8");
    assertTrue(Files.readString(written()).contains("weight W_up: f16[128, 8] = \"first.weight.up\""));
    assertTrue(error(run) < 0.82 * without, run.err() + " and without " + without);
    double difference = difference();
    assertTrue(difference < 0.5, "difference " + difference);
  }

  @Test
  void scalesWeightsAgainstWhatTheyAreMultipliedWith() throws IOException {
    CommandLineRun run = calibrated("symmetric(bits = 3, group = 32)", "--scaled");
    assertEquals(0, run.exitCode(), run.err());
    String text = Files.readString(written());
    assertTrue(text.contains("  E_scaled[i, i_1] = E[i, i_1] * W_factor[i_1]\n"), text);
    assertTrue(text.contains("# The scales of H for second.weight are in first.weight, first.bias.\n"), text);
    assertFalse(text.contains("V_factor"), text);
    assertTrue(cosine(run) > 0.93, run.out());
    assertError("to find scales needs calibration data: give some by --calibrate", quantize("w4-awq"));
  }

  private static double error(CommandLineRun run) {
    Matcher matcher = Pattern.compile("first\\.weight: ternary\\(group = 64\\), error ([\\d.]+)").matcher(run.err());
    assertTrue(matcher.find(), run.err());
    return Double.parseDouble(matcher.group(1));
  }

  @Test
  void takesFinishedWeightsAgain() throws IOException {
    float[] wrong = normal(8 * 128, 3);
    wrong[130] = Float.NaN;
    weights(Optional.of(new Weight("second.weight", wrong, 8, 128)));
    assertError("weight 'second.weight' cannot be quantized: its element [1, 2] is NaN", quantize("w4"));
    Path finished;
    try (Stream<Path> files = Files.list(directory.resolve("out").resolve("unfinished"))) {
      finished = files.findFirst().orElseThrow();
    }
    try (Safetensors file = Safetensors.open(finished)) {
      SafetensorsWriter.write(finished, file.keys().stream().map(key -> key.endsWith(".error")
          ? new StoredTensor(key, ElementType.F64, List.of(), MemorySegment.ofArray(new double[] {0.5})) : file.require(key)).toList());
    }
    weights(Optional.empty());
    CommandLineRun run = quantize("w4");
    assertTrue(run.err().contains("first.weight: int4(group = 64), error 0.5000"), run.err());
    assertTrue(quantize("w4").err().contains("first.weight: int4(group = 64), error 0.1"));
  }

  @Test
  void aGroupOfZerosStaysZero() throws IOException {
    weights(Optional.of(new Weight("second.weight", new float[8 * 128], 8, 128)));
    for (String policy : List.of("w8a8", "ternary(group = 64)")) {
      CommandLineRun run = quantize(policy);
      assertTrue(run.err().contains("second.weight") && run.err().contains("error 0.0000"), run.err());
      for (float value : outputs(copied())) {
        assertEquals(0, value);
      }
    }
  }

  private Path copied() throws IOException {
    difference();
    return written();
  }

  @Test
  void refusesWhatCannotBe() throws IOException {
    assertError("there is no policy 'w5'; did you mean 'w8' or 'w4'?; the policies are w8, w8a8, w4", quantize("w5"));
    assertError("the format int4 takes group: write int4(group = 64)", quantize("int4"));
    assertError("there is no format 'int9'; did you mean", quantize("w8", "--activations", "int9(group = 64)"));
    assertError("weight 'first.weight' has 64 elements along the rank that int4(group = 48) groups, and groups of 48 do not divide it; groups of 32 or 64 would",
        quantize("int4(group = 48)"));
    assertError("the format q8_0 has no `code`, for scales that are given: only the method nearest is for it", quantize("q8_0", "--method", "clip"));
    assertError("the method gptq needs calibration data: give some by --calibrate", quantize("w4-gptq"));
    assertError("there are no weights to quantize in " + program, quantize("w8", "--keep", "*"));
    assertError("the quantized program would replace " + program, CommandLineRun.of("quantize", program.toString(), "--policy", "w8", "-o", directory.toString()));
    float[] large = normal(8 * 128, 3);
    large[0] = 1e30f;
    weights(Optional.of(new Weight("second.weight", large, 8, 128)));
    assertError("weight 'second.weight' does not fit the format q8_0: 1.0E30 becomes 8319008.0, since its scale overflows", quantize("q8_0"));
    Files.writeString(program, "def main(X: f32[B, 64]) -> f32[B, 64] {\n  Y[b, k] = 2 * X[b, k]\n  return Y\n}\n");
    assertError("there are no weights to quantize", quantize("w8"));
  }

  @Test
  void aFileThatIsCutOffIsRefused() throws IOException {
    assertEquals(0, quantize("w4").exitCode());
    Path file = written().resolveSibling("model.safetensors");
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(bytes, bytes.length - 100));
    CommandLineRun run = CommandLineRun.of("run", written().toString(), "--in", "X=rand:1x64", "--in", "id=rand:1");
    assertError("is the file truncated?", run);
  }

  private static void assertError(String expected, CommandLineRun run) {
    assertTrue(run.err().contains(expected), run.err());
    assertEquals(1, run.exitCode(), run.err());
  }
}
