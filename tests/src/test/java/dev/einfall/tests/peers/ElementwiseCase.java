package dev.einfall.tests.peers;

import ai.onnxruntime.OrtException;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/// What does little with each number that it moves.
///
/// @param kind what, without the size
/// @param bytes what any engine must move: each input that is needed, read once, and each output, written once
/// @param program ours, as anybody would write it
/// @param torch the expression of PyTorch, over the names of the inputs
/// @param onnx the operator of ONNX Runtime, with the same names
/// @param inputs makes the inputs
record ElementwiseCase(String kind, int elements, long bytes, String program, String torch, byte[] onnx,
    Supplier<Map<String, Tensor>> inputs) {
  /// The elements that the second-level cache of a core holds twice: 256 KB of `f32`.
  static final int IN_CACHE = 1 << 16;
  /// The elements that no cache holds: 64 MB.
  static final int IN_MEMORY = 1 << 24;

  String name() {
    return kind + (isInMemory() ? " memory" : " cache");
  }

  boolean isInMemory() {
    return elements >= IN_MEMORY;
  }

  /// All engines, which read their inputs from the same memory. It is freed with our contestant.
  Map<String, Contestant> contestants(Options options, int threads, boolean hasTorch) throws Exception {
    Map<String, Tensor> tensors = inputs.get();
    Map<String, Contestant> all = new LinkedHashMap<>();
    all.put(Bout.OURS, new EinfallContestant(program, tensors, options));
    all.put("ort", onnx(tensors, threads));
    if (hasTorch) {
      all.put("torch", torch(tensors, threads));
    }
    return all;
  }

  Contestant onnx(Map<String, Tensor> tensors, int threads) throws OrtException {
    OnnxContestant contestant = new OnnxContestant(onnx, threads);
    for (Map.Entry<String, Tensor> tensor : tensors.entrySet()) {
      contestant.with(tensor.getKey(), tensor.getValue());
    }
    return contestant;
  }

  private Contestant torch(Map<String, Tensor> tensors, int threads) throws Exception {
    TorchContestant contestant = new TorchContestant(torch, threads, tensors.keySet().toArray(String[]::new));
    tensors.values().forEach(contestant::with);
    return contestant;
  }
}
