package dev.einfall.tests.runtime;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// all-MiniLM-L6-v2, or another model of sentences with the same inputs, in ONNX Runtime.
public final class OnnxPeer implements AutoCloseable {
  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;

  /// all-MiniLM-L6-v2.
  ///
  /// @param threads how many threads share a run
  public OnnxPeer(int threads) throws OrtException {
    this(MiniLm.weights(), threads);
  }

  /// @param model the ONNX file
  /// @param threads how many threads share a run
  public OnnxPeer(Path model, int threads) throws OrtException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(threads);
      options.setInterOpNumThreads(1);
      options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
      this.session = environment.createSession(model.toString(), options);
    }
  }

  /// The inputs of `batch` as tensors of ONNX Runtime, to be closed by the caller.
  public Map<String, OnnxTensor> inputs(Batch batch) throws OrtException {
    long[] shape = {batch.size(), batch.tokens()};
    Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
    inputs.put("input_ids", OnnxTensor.createTensor(environment, LongBuffer.wrap(batch.ids()), shape));
    inputs.put("attention_mask", OnnxTensor.createTensor(environment, LongBuffer.wrap(batch.mask()), shape));
    inputs.put("token_type_ids", OnnxTensor.createTensor(environment, LongBuffer.wrap(batch.kinds()), shape));
    return inputs;
  }

  /// The output `last_hidden_state` for `inputs`.
  public OrtSession.Result run(Map<String, OnnxTensor> inputs) throws OrtException {
    return session.run(inputs);
  }

  /// The last hidden state of `batch`, `[size, tokens, 384]` in row-major order.
  public float[] hidden(Batch batch) throws OrtException {
    Map<String, OnnxTensor> inputs = inputs(batch);
    try (OrtSession.Result result = run(inputs)) {
      var buffer = ((OnnxTensor) result.get(0)).getFloatBuffer();
      float[] values = new float[buffer.remaining()];
      buffer.get(values);
      return values;
    } finally {
      inputs.values().forEach(OnnxTensor::close);
    }
  }

  @Override
  public void close() throws OrtException {
    session.close();
  }
}
