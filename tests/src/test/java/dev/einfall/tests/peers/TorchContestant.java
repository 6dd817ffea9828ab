package dev.einfall.tests.peers;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import dev.einfall.runtime.Tensor;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// An expression of TorchScript in PyTorch for CPUs, through DJL. Its native libraries are on the class path of `tests/peers` only.
final class TorchContestant implements Contestant {
  private static final String ENGINE = "PyTorch";

  private final Model model = Model.newInstance("expression", ENGINE);
  private final NDManager manager = NDManager.newBaseManager(ENGINE);
  private final NDList inputs = new NDList();

  /// @param threads of the whole process, until another contestant is made: setting it anew makes new threads
  /// @param names the names of the tensors in the expression, in the order in which they will be given
  TorchContestant(String expression, int threads, String... names) throws Exception {
    setThreads(threads);
    Path directory = Files.createTempDirectory("torch");
    Path file = directory.resolve("expression.pt");
    TorchScript.write(file, expression, names);
    model.load(directory);
    Files.delete(file);
    Files.delete(directory);
  }

  /// Why PyTorch does not run here, if it does not.
  static Optional<String> missing() {
    try {
      Engine.getEngine(ENGINE);
      return Optional.empty();
    } catch (Exception | LinkageError e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  TorchContestant with(float[] values, long... shape) {
    inputs.add(manager.create(values, new Shape(shape)));
    return this;
  }

  /// The next input, which is read from where `tensor` lies, as long as that is open.
  TorchContestant with(Tensor tensor) {
    DataType type = switch (tensor.type()) {
      case F32 -> DataType.FLOAT32;
      case I64 -> DataType.INT64;
      case I32 -> DataType.INT32;
      case F64, F16, BF16, I16, I8, U8, BOOL -> throw new IllegalArgumentException("no peer is given " + tensor);
    };
    long[] shape = tensor.shape().stream().mapToLong(Long::longValue).toArray();
    inputs.add(manager.create(tensor.data().asByteBuffer().order(ByteOrder.nativeOrder()), new Shape(shape), type));
    return this;
  }

  private NDList compute() {
    return model.getBlock().forward(new ParameterStore(manager, false), inputs, false);
  }

  /// DJL has no public method for it.
  private static void setThreads(int threads) throws ReflectiveOperationException {
    Class.forName("ai.djl.pytorch.jni.JniUtils").getMethod("setNumThreads", int.class).invoke(null, threads);
  }

  @Override
  public void run() {
    compute().close();
  }

  @Override
  public float[] result() {
    try (NDList result = compute()) {
      return result.head().toFloatArray();
    }
  }

  @Override
  public void close() {
    model.close();
    manager.close();
  }
}
