package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.frontend.weights.Safetensors;
import dev.einfall.frontend.weights.SafetensorsWriter;
import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.runtime.Npy;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Tensor;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Policies, weights and calibration data that cannot be, and what happens to weights and blocks that are hard to store.
class QuantizeErrorsTest {
  private static final float[] ONES = QuantizedNet.ones(1, 1);

  @TempDir
  private Path directory;
  private QuantizedNet net;

  @BeforeEach
  void writeTheProgram() throws IOException {
    net = QuantizedNet.write(directory, ONES, ONES);
  }

  /// Changes a weight.
  private void change(String key, UnaryOperator<float[]> change) throws IOException {
    Path file = directory.resolve("model.safetensors");
    List<StoredTensor> tensors = new ArrayList<>();
    try (Safetensors opened = Safetensors.open(file)) {
      for (String name : opened.keys()) {
        float[] values = opened.require(name).data().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
        tensors.add(QuantizedNet.stored(name, name.equals(key) ? change.apply(values) : values, 96, 96));
      }
    }
    SafetensorsWriter.write(file, tensors);
  }

  private void inputs(float[] values, long... shape) throws IOException {
    try (Tensor x = Tensor.of(values, shape)) {
      Npy.write(directory.resolve("x.npy"), x);
    }
  }

  @Test
  void saysWhatIsWrongWithAPolicy() {
    assertError("the policy 'smooth' says no format: expected one beside these words, such as w8a8 or nf4(group = 64)", net.quantize("smooth", "out"));
    assertError("the policy 'smoth,w8a8' has smoth and w8a8: expected one policy or format, and smooth, outliers, order, hadamard, static, awq, low-rank, svd, "
        + "budget, cache, rematerialise, nearest, clip, gptq, learned beside it; 'smoth' is no policy; did you mean 'smooth'?", net.quantize("smoth,w8a8", "out"));
    assertError("the policy has 'outliers': expected a number behind outliers=", net.quantize("outliers,w8a8", "out"));
    assertError("the policy has 'smooth=much': expected a number behind smooth=", net.quantize("smooth=much,w8a8", "out"));
    assertError("the policy has smooth=2.0: expected a number from 0 to 1", net.quantize("smooth=2,w8a8", "out"));
    assertError("the policy has hadamard=48: expected a power of two", net.quantize("hadamard=48,w8a8", "out"));
    assertError("the policy has 'static=1': expected static alone", net.quantize("static=1,w8a8", "out"));
    assertError("the policy has 'order' behind the rotation, after which no column is its own: expected hadamard last of the steps",
        net.quantize("hadamard,order,w8", "out"));
    assertError("the policy has 'smooth=0.7' and another step of the same kind: expected one", net.quantize("smooth,smooth=0.7,w8", "out"));
    assertError("the policy has static scales of activations, which are not rounded: expected static beside such as w8a8", net.quantize("static,w8", "out"));
    assertError("the step smooth=0.5 needs calibration data: give some by --calibrate", net.quantize("smooth,w8", "out"));
    assertError("the step outliers=96 leaves nothing of weight 'first.weight', which has 96 columns: expected fewer", net.quantize("outliers=96,w8", "out"));
  }

  @Test
  void saysWhatIsWrongWithCalibrationData() throws IOException {
    inputs(new float[5 * 95], 5, 95);
    CommandLineRun run = net.calibrated("nf4(group = 32),gptq", "out");
    assertEquals(1, run.exitCode(), run.err());
    assertTrue(run.err().contains("X") && run.err().contains("95"), run.err());
    float[] values = QuantizedNet.normal(96, 4);
    values[7] = Float.POSITIVE_INFINITY;
    inputs(values, 1, 96);
    assertError("with the calibration data, 'X', which is multiplied with weights, is not finite: ", net.calibrated("smooth,w8", "out"));
  }

  @Test
  void namesWeightsThatAreNotFinite() throws IOException {
    change("second.weight", values -> {
      values[97] = Float.NEGATIVE_INFINITY;
      return values;
    });
    assertError("weight 'second.weight' cannot be quantized: its element [1, 1] is -Infinity", net.quantize("hadamard,w8", "out"));
  }

  /// Data that is zero throughout, weights of zeros, and numbers so small that scales underflow have results that are.
  @Test
  void zerosAndSmallNumbersStayFinite() throws IOException {
    change("gate.weight", values -> new float[values.length]);
    change("second.weight", values -> {
      for (int i = 0; i < values.length; i++) {
        values[i] = i < 96 ? 1e-42f : 0;
      }
      return values;
    });
    inputs(new float[96], 1, 96);
    for (String policy : List.of("smooth,outliers=2,order,hadamard,static,w8a8,learned", "mxfp4", "nvfp4")) {
      CommandLineRun run = net.calibrated(policy, "out");
      assertEquals(0, run.exitCode(), policy + ": " + run.err());
      inputs(QuantizedNet.normal(96, 9), 1, 96);
      for (float value : net.outputs(net.written("out"), Options.defaults())) {
        assertTrue(Math.abs(value) < 1e-30, policy + " gives " + value);
      }
      inputs(new float[96], 1, 96);
    }
  }

  /// What was finished before an error is taken again, with steps as without.
  @Test
  void takesFinishedWeightsAgainWithSteps() throws IOException {
    change("second.weight", values -> {
      values[0] = 1e30f;
      return values;
    });
    assertError("weight 'second.weight' does not fit the format q8_0: ", net.quantize("hadamard,q8_0", "out"));
    assertEquals(2, finished().size());
    Path first = finished().getFirst();
    long written = Files.getLastModifiedTime(first).toMillis();
    assertError("weight 'second.weight' does not fit the format q8_0: ", net.quantize("hadamard,q8_0", "out"));
    assertEquals(List.of(first), finished().subList(0, 1));
    assertEquals(written, Files.getLastModifiedTime(first).toMillis());
    assertError("weight 'second.weight' does not fit the format q8_0: ", net.quantize("hadamard=16,q8_0", "out"));
    assertEquals(4, finished().size());
  }

  private List<Path> finished() throws IOException {
    try (Stream<Path> files = Files.list(directory.resolve("out").resolve("unfinished"))) {
      return files.sorted().toList();
    }
  }

  private static void assertError(String expected, CommandLineRun run) {
    assertTrue(run.err().contains(expected), run.err());
    assertEquals(1, run.exitCode(), run.err());
  }
}
