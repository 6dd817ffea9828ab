package dev.einfall.tests.peers;

import ai.onnxruntime.OnnxTensor;
import dev.einfall.frontend.onnx.OnnxFile;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import dev.einfall.tests.runtime.Batch;
import dev.einfall.tests.runtime.MiniLm;
import dev.einfall.tests.runtime.OnnxPeer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// all-MiniLM-L6-v2 in Einfall and in ONNX Runtime: how long until it runs, and how much memory it takes. Each in a process
/// of its own, with the flags of the command `einfall`, for one text of 128 tokens and 2 threads.
final class MiniLmStart {
  private static final int THREADS = 2;
  private static final int RUNS = 20;

  private MiniLmStart() {}

  /// Prints a line with what both processes measured.
  static void runAll() throws IOException, InterruptedException {
    Map<String, String> einfall = fork("einfall");
    Map<String, String> peer = fork("onnxruntime");
    StringBuilder line = new StringBuilder("minilm f32 b=1 s=128 t=" + THREADS);
    einfall.forEach((key, value) ->
        line.append(" einfall_" + key + "=" + value + " onnxruntime_" + key + "=" + peer.get(key)));
    System.out.println(line);
  }

  /// Runs `minilm start ENGINE` in a JVM like this one, and returns the `key=value` words that it prints.
  private static Map<String, String> fork(String engine) throws IOException, InterruptedException {
    String output = NewJvm.output("minilm", "start", engine);
    Map<String, String> values = new LinkedHashMap<>();
    for (String word : output.strip().split("\\s+")) {
      String[] parts = word.split("=", 2);
      values.put(parts[0], parts.length == 2 ? parts[1] : "");
    }
    return values;
  }

  /// Measures Einfall in this process.
  static void einfall() throws IOException {
    Map<String, Tensor> inputs = Batch.random(1, 128).inputs();
    long start = System.nanoTime();
    try (OnnxFile weights = OnnxFile.open(MiniLm.weights());
        Program program = Einfall.compile(MiniLm.PROGRAM, Options.defaults().withThreads(THREADS).withWeights(weights))) {
      program.prepareFor(inputs);
      long compiled = System.nanoTime();
      for (int i = 0; i < RUNS; i++) {
        program.run(inputs).values().forEach(Tensor::close);
        if (i == 0) {
          print(start, compiled);
        }
      }
      printPeak();
    }
  }

  /// Measures ONNX Runtime in this process.
  static void onnxRuntime() throws Exception {
    long start = System.nanoTime();
    try (OnnxPeer peer = new OnnxPeer(THREADS)) {
      long loaded = System.nanoTime();
      Map<String, OnnxTensor> inputs = peer.inputs(Batch.random(1, 128));
      for (int i = 0; i < RUNS; i++) {
        peer.run(inputs).close();
        if (i == 0) {
          print(start, loaded);
        }
      }
      printPeak();
    }
  }

  private static void print(long start, long ready) {
    System.out.printf("compile_ms=%.0f first_result_ms=%.0f ", (ready - start) / 1e6, (System.nanoTime() - start) / 1e6);
  }

  /// The largest resident set of this process so far, where the system tells.
  private static void printPeak() throws IOException {
    Path status = Path.of("/proc/self/status");
    String peak = !Files.exists(status) ? "unknown" : Files.readAllLines(status).stream()
        .filter(line -> line.startsWith("VmHWM:")).map(line -> line.replaceAll("[^0-9]", ""))
        .map(kilobytes -> String.valueOf(Long.parseLong(kilobytes) / 1024)).findFirst().orElse("unknown");
    System.out.println("peak_mb=" + peak);
  }
}
