package dev.einfall.tests.runtime;

import dev.einfall.frontend.weights.SafetensorsWriter;
import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.ir.ElementType;
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
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// A small network in a file, two of whose products read one tensor, for what is done to activations and weights before they are rounded.
record QuantizedNet(Path directory) {
  static final int SAMPLES = 96;
  static final int WIDTH = 96;
  private static final int HIDDEN = WIDTH;
  private static final String PROGRAM = """
      weights "model.safetensors"

      def main(X: f32[B, 96]) -> f32[B, 96] {
        weight W: f32[96, 96] = "first.weight"
        weight U: f32[96, 96] = "gate.weight"
        weight V: f32[96, 96] = "second.weight"
        S[b, n] = sum[k](X[b, k] * U[k, n])
        H[b, n] = max(sum[k](X[b, k] * W[n, k]), 0) + S[b, n]
        Y[b, n] = sum[k](H[b, k] * V[n, k])
        return Y
      }
      """;

  /// The text of a program of these statements between `X` and `Y`, with the weights of the network, of a norm, and a bias.
  static String text(String statements) {
    return """
        import std.norm
        import std.activation
        weights "model.safetensors"

        def main(X: f32[B, 96]) -> f32[B, 96] {
          weight gamma: f32[96] = "gamma"
          weight beta: f32[96] = "beta"
          weight W: f32[96, 96] = "first.weight"
          weight U: f32[96, 96] = "gate.weight"
          weight V: f32[96, 96] = "second.weight"
          weight bias: f32[96] = "bias"
        STATEMENTS  return Y
        }
        """.replace("STATEMENTS", statements);
  }

  /// @param activations what the columns of the input are multiplied with
  /// @param columns what the columns of the weights of the first layer are multiplied with
  static QuantizedNet write(Path directory, float[] activations, float[] columns) throws IOException {
    return write(directory, activations, columns, 1);
  }

  /// @param size of the weights of the gate
  static QuantizedNet write(Path directory, float[] activations, float[] columns, float size) throws IOException {
    float[] first = normal(HIDDEN * WIDTH, 1);
    float[] gate = normal(WIDTH * HIDDEN, 2);
    float[] inputs = normal(SAMPLES * WIDTH, 4);
    float[] common = normal(SAMPLES, 5);
    for (int i = 0; i < first.length; i++) {
      first[i] *= columns[i % WIDTH];
      gate[i] *= columns[i / HIDDEN] * size;
    }
    for (int i = 0; i < inputs.length; i++) {
      inputs[i] = (inputs[i] + common[i / WIDTH]) * activations[i % WIDTH];
    }
    return of(directory, PROGRAM, List.of(stored("first.weight", first, HIDDEN, WIDTH), stored("gate.weight", gate, WIDTH, HIDDEN),
        stored("second.weight", normal(WIDTH * HIDDEN, 3), WIDTH, HIDDEN)), inputs);
  }

  /// Another program of an `X` and a `Y` of these shapes.
  static QuantizedNet of(Path directory, String program, List<StoredTensor> weights, float[] inputs) throws IOException {
    Files.writeString(directory.resolve("net.ein"), program);
    SafetensorsWriter.write(directory.resolve("model.safetensors"), weights);
    try (Tensor x = Tensor.of(inputs, SAMPLES, WIDTH)) {
      Npy.write(directory.resolve("x.npy"), x);
    }
    return new QuantizedNet(directory);
  }

  static StoredTensor stored(String key, float[] values, long rows, long columns) {
    return new StoredTensor(key, ElementType.F32, List.of(rows, columns), MemorySegment.ofArray(values));
  }

  /// Numbers of which each `step`th is `large`, and the others 1.
  static float[] ones(int step, float large) {
    float[] ones = new float[WIDTH];
    for (int i = 0; i < WIDTH; i++) {
      ones[i] = i % step == step / 2 ? large : 1;
    }
    return ones;
  }

  static float[] normal(int count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  Path written(String name) {
    return directory.resolve(name).resolve("net.ein");
  }

  CommandLineRun quantize(String policy, String out, String... more) {
    List<String> arguments = new ArrayList<>(List.of("quantize", directory.resolve("net.ein").toString(), "--policy", policy, "-o", directory.resolve(out).toString()));
    arguments.addAll(List.of(more));
    return CommandLineRun.of(arguments.toArray(String[]::new));
  }

  CommandLineRun calibrated(String policy, String out, String... more) {
    List<String> arguments = new ArrayList<>(List.of("--in", "X=" + directory.resolve("x.npy")));
    arguments.addAll(List.of(more));
    return quantize(policy, out, arguments.toArray(String[]::new));
  }

  /// What the program gives for the inputs.
  float[] outputs(Path program, Options options) {
    try (Program compiled = Einfall.compile(program, options.withWarmUp(false)); Tensor x = Npy.read(directory.resolve("x.npy"));
        Tensor y = compiled.run(Map.of("X", x)).get("Y")) {
      return y.floats();
    }
  }

  /// The norm of the difference of what the program quantized to `out` gives, over the norm of what it gave before.
  double difference(String out) {
    return difference(outputs(directory.resolve("net.ein"), Options.defaults()), outputs(written(out), Options.defaults()));
  }

  static double difference(float[] before, float[] after) {
    double error = 0;
    double size = 0;
    for (int i = 0; i < before.length; i++) {
      error += Math.pow(before[i] - after[i], 2);
      size += Math.pow(before[i], 2);
    }
    return Math.sqrt(error / size);
  }
}
