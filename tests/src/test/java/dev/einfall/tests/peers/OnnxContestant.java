package dev.einfall.tests.peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.einfall.runtime.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/// A model in ONNX Runtime. The result is its output `Y`.
final class OnnxContestant implements Contestant {
  private static final OrtEnvironment ENVIRONMENT = OrtEnvironment.getEnvironment();

  private final OrtSession session;
  private final Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
  private final Map<String, OnnxTensor> pinned = new LinkedHashMap<>();

  OnnxContestant(byte[] model, int threads) throws OrtException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(threads);
      options.setInterOpNumThreads(1);
      options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
      this.session = ENVIRONMENT.createSession(model, options);
    }
  }

  OnnxContestant with(String name, float[] values, long... shape) throws OrtException {
    FloatBuffer direct =
        ByteBuffer.allocateDirect(values.length * Float.BYTES).order(ByteOrder.nativeOrder()).asFloatBuffer().put(values).flip();
    inputs.put(name, OnnxTensor.createTensor(ENVIRONMENT, direct, shape));
    return this;
  }

  OnnxContestant with(String name, int value, long... shape) throws OrtException {
    inputs.put(name, OnnxTensor.createTensor(ENVIRONMENT, IntBuffer.wrap(new int[] {value}), shape));
    return this;
  }

  /// An input that is read from where `tensor` lies, as long as that is open.
  OnnxContestant with(String name, Tensor tensor) throws OrtException {
    ByteBuffer memory = tensor.data().asByteBuffer().order(ByteOrder.nativeOrder());
    long[] shape = tensor.shape().stream().mapToLong(Long::longValue).toArray();
    inputs.put(name, switch (tensor.type()) {
      case F32 -> OnnxTensor.createTensor(ENVIRONMENT, memory.asFloatBuffer(), shape);
      case I64 -> OnnxTensor.createTensor(ENVIRONMENT, memory.asLongBuffer(), shape);
      case I32 -> OnnxTensor.createTensor(ENVIRONMENT, memory.asIntBuffer(), shape);
      case F64, F16, BF16, I16, I8, U8, BOOL -> throw new IllegalArgumentException("no peer is given " + tensor);
    });
    return this;
  }

  /// The output `output` takes the memory of the input `input`: a cache that grows in place.
  OnnxContestant inPlace(String output, String input) {
    pinned.put(output, inputs.get(input));
    return this;
  }

  private OrtSession.Result compute() throws OrtException {
    return session.run(inputs, pinned.isEmpty() ? session.getOutputNames() : Set.of("Y"), pinned);
  }

  @Override
  public void run() throws OrtException {
    compute().close();
  }

  @Override
  public float[] result() throws OrtException {
    try (OrtSession.Result result = compute()) {
      FloatBuffer buffer = ((OnnxTensor) result.get("Y").orElseThrow()).getFloatBuffer();
      float[] values = new float[buffer.remaining()];
      buffer.get(values);
      return values;
    }
  }

  @Override
  public void close() {
    inputs.values().forEach(OnnxTensor::close);
    try {
      session.close();
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
  }
}
