package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.runtime.Options;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is done before weights and activations are rounded makes errors smaller on data that has the problem which it is for.
class QuantizeStepsTest {
  private static final float[] ONES = QuantizedNet.ones(1, 1);

  @TempDir
  private Path directory;

  private double difference(QuantizedNet net, String policy, String out, String... more) {
    CommandLineRun run = net.calibrated(policy, out, more);
    assertEquals(0, run.exitCode(), run.err());
    return net.difference(out);
  }

  private String text(QuantizedNet net, String out) throws IOException {
    return Files.readString(net.written(out));
  }

  private static int count(String text, String part) {
    return text.split(Pattern.quote(part), -1).length - 1;
  }

  private static void assertLess(double limit, double without, double with) {
    assertTrue(with < limit * without, with + " with it, and " + without + " without");
  }

  @Test
  void smoothingMovesLargeActivationsIntoWeights() throws IOException {
    QuantizedNet net = QuantizedNet.write(directory, QuantizedNet.ones(24, 60), ONES);
    double without = difference(net, "w8a8", "plain");
    assertLess(0.7, without, difference(net, "smooth,w8a8", "smooth"));
    String text = text(net, "smooth");
    assertTrue(text.startsWith("# net.ein, quantized: weights int8(group = channel), activations int8(group = channel), after smooth=0.5, method nearest.\n"), text);
    assertEquals(1, count(text, "  X_scaled["), text);
    assertEquals(1, count(text, "encode_int8(X_scaled, 96)"), text);
    assertTrue(text.contains("weight X_smooth: f32[96] = \"first.weight.smooth\""), text);
  }

  @Test
  void outlierColumnsHaveAProductOfTheirOwn() throws IOException {
    QuantizedNet net = QuantizedNet.write(directory, QuantizedNet.ones(24, 60), ONES);
    double without = difference(net, "w8a8", "plain");
    assertLess(0.5, without, difference(net, "outliers=4,w8a8", "outliers"));
    String text = text(net, "outliers");
    assertTrue(text.contains("weight W_outliers: f16[96, 4] = \"first.weight.outliers\""), text);
    assertEquals(1, count(text, "  X_outliers["), text);
    double weightsOnly = difference(net, "symmetric(bits = 3, group = 32)", "three");
    assertLess(0.7, weightsOnly, difference(net, "outliers=4,symmetric(bits = 3, group = 32)", "kept"));
  }

  @Test
  void rotationsSpreadLargeColumns() throws IOException {
    QuantizedNet net = QuantizedNet.write(directory, ONES, QuantizedNet.ones(24, 30));
    double without = difference(net, "int4(group = 32)", "plain");
    assertLess(0.8, without, difference(net, "hadamard=16,int4(group = 32)", "rotated"));
    String text = text(net, "rotated");
    assertTrue(text.contains("weight rotation: f32[16, 16] = \"rotation.16\""), text);
  }

  @Test
  void columnsOfLikeSizeShareGroups() throws IOException {
    QuantizedNet net = QuantizedNet.write(directory, QuantizedNet.ones(8, 1 / 30f), QuantizedNet.ones(8, 30));
    double without = difference(net, "mxfp4", "plain");
    assertLess(0.65, without, difference(net, "order,mxfp4", "ordered"));
    assertTrue(text(net, "ordered").contains("weight X_order: i32[96] = \"first.weight.order\""));
  }

  @Test
  void learnedRoundingIsNearerThanErrorFeedback() throws IOException {
    QuantizedNet net = QuantizedNet.write(directory, QuantizedNet.ones(3, 5), ONES);
    double without = difference(net, "symmetric(bits = 3, group = 32),gptq", "feedback");
    assertLess(0.97, without, difference(net, "symmetric(bits = 3, group = 32),learned", "learned"));
    assertLess(0.7, difference(net, "symmetric(bits = 3, group = 32)", "nearest"), net.difference("learned"));
  }

  @Test
  void smallerScalesAreNearerWhereFewElementsAreLarge() throws IOException {
    QuantizedNet net = QuantizedNet.write(directory, ONES, ONES);
    assertLess(0.75, difference(net, "symmetric(bits = 3, group = 96)", "nearest"), difference(net, "symmetric(bits = 3, group = 96),clip", "clip"));
  }

  /// Tables are learned where elements count as much as what they are multiplied with.
  @Test
  void tablesAreThoseForLargeActivations() throws IOException {
    QuantizedNet net = QuantizedNet.write(directory, QuantizedNet.ones(6, 10), QuantizedNet.ones(6, 0.3f));
    assertLess(0.7, difference(net, "any3(group = 96)", "plain"), difference(net, "any3(group = 96),clip", "weighted"));
  }

  @Test
  void exponentsAreSearched() throws IOException {
    QuantizedNet net = QuantizedNet.write(directory, ONES, ONES);
    assertLess(0.9, difference(net, "symmetric(bits = 4, group = 96)", "even"), difference(net, "power(bits = 4, group = 96)", "power"));
  }

  /// What is largest of the weights is in thin matrices, and what these leave has smaller scales.
  @Test
  void whatIsLargestOfWeightsIsInThinMatrices() throws IOException {
    QuantizedNet net = QuantizedNet.write(directory, ONES, QuantizedNet.ones(24, 30));
    double plain = difference(net, "int4(group = 32)", "plain", "--keep", "second*");
    assertLess(0.2, plain, difference(net, "int4(group = 32),svd=4", "first", "--keep", "second*"));
    String text = text(net, "first");
    assertTrue(text.contains(", low rank 4 first, method nearest"), text);
    assertTrue(text.contains("weight W_up: f16[96, 4] = \"first.weight.up\""), text);
    assertLess(0.7, plain, difference(net, "int4(group = 32),low-rank=4", "error", "--keep", "second*"));
  }

  @Test
  void saysHowFarItIs() throws IOException {
    QuantizedNet net = QuantizedNet.write(directory, ONES, ONES);
    assertTrue(net.calibrated("int4(group = 32),gptq,static", "out", "--activations", "int8(group = channel)").err().contains("1 of 1  calibration\n"));
    assertTrue(net.calibrated("symmetric(bits = 4, group = 32),budget=15%", "out").err().contains("2 of 3  sensitivity of gate.weight\n"));
  }

  @Test
  void staticScalesAreFoundOnTheData() throws IOException {
    QuantizedNet net = QuantizedNet.write(directory, QuantizedNet.ones(24, 60), ONES);
    double rough = difference(net, "static,w8a8", "static");
    String text = text(net, "static");
    assertTrue(text.contains("activations int8(group = channel) with static scales"), text);
    assertTrue(text.contains("X_code = code_int8(X, X_scale, 96)\n"), text);
    assertTrue(text.contains("weight X_scale_known: f32[1] = \"first.weight.input_scale\""), text);
    assertTrue(rough < 0.1, "difference " + rough);
    CommandLineRun between = net.calibrated("smooth,static,w8", "between", "--activations", "asymmetric(bits = 8, group = 32)");
    assertEquals(0, between.exitCode(), between.err());
    assertTrue(text(net, "between").contains("H_zero_known: u8[3] = \"second.weight.input_zero\""), text(net, "between"));
    assertTrue(net.difference("between") < 0.7 * rough, "difference " + net.difference("between"));
  }

  @Test
  void writesTheSameForAnyNumberOfThreadsAndRunsOnTheReference() throws IOException {
    QuantizedNet net = QuantizedNet.write(directory, QuantizedNet.ones(24, 60), QuantizedNet.ones(8, 10));
    String policy = "smooth=0.6,outliers=3,order,hadamard,static,w8a8,learned,low-rank=4";
    assertEquals(0, net.calibrated(policy, "one", "--threads", "1").exitCode());
    assertEquals(0, net.calibrated(policy, "two", "--threads", "2").exitCode());
    assertArrayEquals(Files.readAllBytes(net.written("one").resolveSibling("model.safetensors")),
        Files.readAllBytes(net.written("two").resolveSibling("model.safetensors")));
    assertEquals(text(net, "one"), text(net, "two"));
    assertTrue(net.difference("one") < 0.02, "difference " + net.difference("one"));
    float[] here = net.outputs(net.written("one"), Options.defaults());
    float[] reference = net.outputs(net.written("one"), Options.defaults().withBackend(Options.Backend.REFERENCE));
    assertTrue(QuantizedNet.difference(reference, here) < 1e-3, "difference " + QuantizedNet.difference(reference, here));
  }
}
