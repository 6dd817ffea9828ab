package dev.einfall.tests.peers;

import ai.onnxruntime.OnnxTensor;
import dev.einfall.frontend.onnx.OnnxFile;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import dev.einfall.runtime.quantize.Calibration;
import dev.einfall.runtime.quantize.Policy;
import dev.einfall.runtime.quantize.Quantizer;
import dev.einfall.tests.Cosine;
import dev.einfall.tests.runtime.Batch;
import dev.einfall.tests.runtime.MiniLm;
import dev.einfall.tests.runtime.ModelFile;
import dev.einfall.tests.runtime.OnnxPeer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// all-MiniLM-L6-v2 with rounded weights, ours as `einfall quantize` writes it, beside ours in `f32` and ONNX Runtime with its own weights of 8 bits.
final class QuantizedPeers {
  private static final String FLOATS = "all-minilm-l6-v2.onnx";
  private static final String BYTES = "all-minilm-l6-v2-q.onnx";
  private static final String USUAL = "w8a8";
  private static final double SECONDS = 6;

  private QuantizedPeers() {}

  /// Prints a line for each case, number of threads and policy, which are the words of `request`; ratios are times of others over ours.
  static void run(Request request) throws Exception {
    if (!ModelFile.exists(BYTES)) {
      System.err.println(BYTES + " could not be fetched");
      return;
    }
    for (String policy : request.words().isEmpty() ? List.of(USUAL) : request.words()) {
      Path directory = Files.createTempDirectory("einfall-quantized-");
      try (OnnxFile weights = OnnxFile.open(ModelFile.of(FLOATS))) {
        Quantizer.quantize(MiniLm.PROGRAM, Policy.parse(policy), Calibration.none(), directory, request.options(2).withWeights(weights), (_, _, _) -> { });
        for (int threads : request.threads()) {
          measure(policy, directory.resolve(MiniLm.PROGRAM.getFileName()), weights, threads, request);
        }
      } finally {
        delete(directory);
      }
    }
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private static void measure(String policy, Path quantized, OnnxFile weights, int threads, Request request) throws Exception {
    try (Program ours = Einfall.compile(quantized, request.options(threads));
        Program floats = Einfall.compile(MiniLm.PROGRAM, request.options(threads).withWeights(weights));
        OnnxPeer peer = new OnnxPeer(ModelFile.of(BYTES), threads); OnnxPeer exact = new OnnxPeer(ModelFile.of(FLOATS), threads)) {
      for (EmbeddingPeers.Case one : EmbeddingPeers.CASES) {
        Batch batch = Batch.random(one.size(), one.tokens());
        Map<String, Tensor> inputs = batch.inputs();
        Map<String, OnnxTensor> theirs = peer.inputs(batch);
        Map<String, Contest.Action> ways = new LinkedHashMap<>();
        ways.put("einfall", () -> ours.run(inputs).values().forEach(Tensor::close));
        ways.put("f32", () -> floats.run(inputs).values().forEach(Tensor::close));
        ways.put("onnxruntime", () -> peer.run(theirs).close());
        float[] state = exact.hidden(batch);
        double cosine = Cosine.of(state(ours, inputs), state);
        double theirCosine = Cosine.of(peer.hidden(batch), state);
        Contest times = Contest.measure(ways, SECONDS);
        System.out.printf("minilm %s b=%d s=%d t=%d einfall_ms=%.2f f32_ms=%.2f onnxruntime_ms=%.2f f32/ours=%.2f peer/ours=%.2f cosine=%.4f peer's=%.4f%n",
            policy, one.size(), one.tokens(), threads, times.millis("einfall"), times.millis("f32"), times.millis("onnxruntime"),
            times.millis("f32") / times.millis("einfall"), times.millis("onnxruntime") / times.millis("einfall"), cosine, theirCosine);
        inputs.values().forEach(Tensor::close);
        theirs.values().forEach(OnnxTensor::close);
      }
    }
  }

  private static float[] state(Program program, Map<String, Tensor> inputs) {
    program.prepareFor(inputs);
    Map<String, Tensor> outputs = program.run(inputs);
    float[] state = outputs.get("last_hidden_state").floats();
    outputs.values().forEach(Tensor::close);
    return state;
  }
}
