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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// all-MiniLM-L6-v2 in Einfall and in ONNX Runtime: the latency of a run.
final class MiniLmPeers {
  private static final double SECONDS = 6;

  /// A batch of `size` texts of `tokens` tokens each.
  private record Case(int size, int tokens) {}

  private static final List<Case> CASES = List.of(new Case(1, 16), new Case(1, 128), new Case(1, 256), new Case(8, 128));

  private MiniLmPeers() {}

  /// Prints a line for each case and number of threads; the ratio is their time over ours.
  static void run() throws Exception {
    for (int threads : new int[] {1, 2}) {
      try (OnnxFile weights = OnnxFile.open(MiniLm.weights());
          Program program = Einfall.compile(MiniLm.PROGRAM, Options.defaults().withThreads(threads).withWeights(weights));
          OnnxPeer peer = new OnnxPeer(threads)) {
        for (Case one : CASES) {
          measure(one, threads, program, peer);
        }
      }
    }
  }

  private static void measure(Case one, int threads, Program program, OnnxPeer peer) throws Exception {
    Batch batch = Batch.random(one.size, one.tokens);
    Map<String, Tensor> ours = batch.inputs();
    Map<String, OnnxTensor> theirs = peer.inputs(batch);
    program.prepareFor(ours);
    Map<String, Contest.Action> ways = new LinkedHashMap<>();
    ways.put("einfall", () -> program.run(ours).values().forEach(Tensor::close));
    ways.put("onnxruntime", () -> peer.run(theirs).close());
    Contest times = Contest.measure(ways, SECONDS);
    double einfall = times.millis("einfall");
    double onnxRuntime = times.millis("onnxruntime");
    System.out.printf("minilm f32 b=%d s=%d t=%d einfall_ms=%.2f onnxruntime_ms=%.2f ratio=%.2f%n",
        one.size, one.tokens, threads, einfall, onnxRuntime, onnxRuntime / einfall);
    ours.values().forEach(Tensor::close);
    theirs.values().forEach(OnnxTensor::close);
  }
}
