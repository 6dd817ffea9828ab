package dev.einfall.tests;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.Source;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Runs a program as an application does: compiled to bytecode. Without warm-up, since it runs once.
public final class JvmRun {
  private JvmRun() {}

  /// The options for `threads` threads and vectors of `vectorBytes` bytes.
  public static Options options(int threads, int vectorBytes) {
    return Options.defaults().withBackend(Options.Backend.JVM)
        .withWarmUp(false).withThreads(threads).withVectorBytes(vectorBytes);
  }

  /// The outputs of the program `text` for `inputs`, both in the order of their declaration.
  public static List<Array> outputs(String text, List<Array> inputs, Options options) {
    try (Program program = Einfall.compile(new Source("test.ein", text), options)) {
      return outputs(program, inputs);
    }
  }

  /// The outputs of `program` for `inputs`, both in the order of their declaration.
  public static List<Array> outputs(Program program, List<Array> inputs) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    try {
      for (int i = 0; i < inputs.size(); i++) {
        tensors.put(program.inputs().get(i).name(), tensor(inputs.get(i)));
      }
      // The results of a second run lie where those of the first did: each element must be stored anew.
      program.run(tensors).values().forEach(JvmRun::spoil);
      Map<String, Tensor> results = program.run(tensors);
      try {
        return program.outputs().stream().map(port -> array(results.get(port.name()))).toList();
      } finally {
        results.values().forEach(Tensor::close);
      }
    } finally {
      tensors.values().forEach(Tensor::close);
    }
  }

  private static void spoil(Tensor tensor) {
    tensor.data().fill((byte) -1);
    tensor.close();
  }

  private static Tensor tensor(Array array) {
    Tensor tensor = Tensor.zeros(array.type(), Arrays.stream(array.shape()).asLongStream().toArray());
    MemorySegment data = tensor.data();
    if (data.byteSize() > 0) {
      array.write(data);
    }
    return tensor;
  }

  private static Array array(Tensor tensor) {
    List<Integer> shape = new ArrayList<>(tensor.shape().stream().map(Math::toIntExact).toList());
    return Array.read(tensor.type(), tensor.data(), shape.stream().mapToInt(Integer::intValue).toArray());
  }
}
