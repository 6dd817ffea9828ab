package dev.einfall.tests.peers;

import ai.onnxruntime.OnnxTensor;
import dev.einfall.frontend.onnx.OnnxFile;
import dev.einfall.passes.Compute;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import dev.einfall.tests.Cosine;
import dev.einfall.tests.runtime.Batch;
import dev.einfall.tests.runtime.MiniLm;
import dev.einfall.tests.runtime.ModelFile;
import dev.einfall.tests.runtime.OnnxPeer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Models that turn sentences into vectors, in Einfall and in ONNX Runtime: the latency of a run.
enum EmbeddingPeers {
  MINILM(MiniLm.PROGRAM, "all-minilm-l6-v2.onnx"),
  BGE(Path.of("..", "grammar", "examples", "bge-small.ein"), "bge-small-en-v1.5.onnx");

  private static final double SECONDS = 6;
  /// How far states may be apart that are a few units large.
  private static final double TOLERANCE = 2e-4;
  /// The same for factors of 16 bits: the cosine of all states.
  private static final double LEAST_COSINE = 0.999;
  static final List<Case> CASES = List.of(new Case(1, 16), new Case(1, 128), new Case(1, 256), new Case(8, 128));

  private final Path program;
  private final String weights;

  EmbeddingPeers(Path program, String weights) {
    this.program = program;
    this.weights = weights;
  }

  /// A batch of `size` texts of `tokens` tokens each.
  record Case(int size, int tokens) {}

  /// Prints a line for each case and number of threads; the ratio is their time over ours.
  void run(Request request) throws Exception {
    if (!ModelFile.exists(weights)) {
      System.err.println(weights + " could not be fetched");
      return;
    }
    for (int threads : request.threads()) {
      try (OnnxFile file = OnnxFile.open(ModelFile.of(weights));
          Program ours = Einfall.compile(program, request.options(threads).withWeights(file));
          OnnxPeer peer = new OnnxPeer(ModelFile.of(weights), threads)) {
        for (Case one : CASES) {
          measure(one, request.compute(), threads, ours, peer);
        }
      }
    }
  }

  private void measure(Case one, Compute compute, int threads, Program program, OnnxPeer peer) throws Exception {
    Batch batch = Batch.random(one.size, one.tokens);
    Map<String, Tensor> ours = batch.inputs();
    Map<String, OnnxTensor> theirs = peer.inputs(batch);
    program.prepareFor(ours);
    double error = error(program, compute, ours, peer.hidden(batch));
    Map<String, Contest.Action> ways = new LinkedHashMap<>();
    ways.put("einfall", () -> program.run(ours).values().forEach(Tensor::close));
    ways.put("onnxruntime", () -> peer.run(theirs).close());
    Contest times = Contest.measure(ways, SECONDS);
    double einfall = times.millis("einfall");
    double onnxRuntime = times.millis("onnxruntime");
    System.out.printf("%s %s b=%d s=%d t=%d einfall_ms=%.2f onnxruntime_ms=%.2f ratio=%.2f error=%.1e%n",
        name().toLowerCase(Locale.ROOT), compute.name().toLowerCase(Locale.ROOT), one.size, one.tokens, threads, einfall, onnxRuntime, onnxRuntime / einfall, error);
    ours.values().forEach(Tensor::close);
    theirs.values().forEach(OnnxTensor::close);
  }

  /// The largest difference of a number in the last state from `wanted`; an error if it is more than rounding gives.
  private double error(Program program, Compute compute, Map<String, Tensor> inputs, float[] wanted) {
    Map<String, Tensor> outputs = program.run(inputs);
    float[] state = outputs.get("last_hidden_state").floats();
    outputs.values().forEach(Tensor::close);
    double error = 0;
    for (int i = 0; i < wanted.length; i++) {
      error = Math.max(error, Math.abs(state[i] - wanted[i]));
    }
    double cosine = Cosine.of(state, wanted);
    if (compute == Compute.F32 ? !(error <= TOLERANCE) : !(cosine >= LEAST_COSINE)) {
      throw new IllegalStateException(name() + " differs from ONNX Runtime by " + error + ", with a cosine of " + cosine);
    }
    return error;
  }
}
