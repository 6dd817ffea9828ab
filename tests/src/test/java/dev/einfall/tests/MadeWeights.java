package dev.einfall.tests;

import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.ElementType;
import dev.einfall.runtime.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Weights that are in memory and nowhere else.
public final class MadeWeights implements WeightsFile {
  private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();

  public MadeWeights with(String key, float[] values, long... shape) {
    return with(key, ElementType.F32, MemorySegment.ofArray(values), shape);
  }

  public MadeWeights with(String key, byte[] values, long... shape) {
    return with(key, ElementType.I8, MemorySegment.ofArray(values), shape);
  }

  /// A copy of `tensor`.
  public MadeWeights with(String key, Tensor tensor) {
    return with(key, tensor.type(), tensor.data(), tensor.shape().stream().mapToLong(Long::longValue).toArray());
  }

  public MadeWeights with(String key, ElementType type, MemorySegment values, long... shape) {
    MemorySegment memory = Arena.ofAuto().allocate(values.byteSize(), Long.BYTES * 8L);
    memory.copyFrom(values);
    tensors.put(key, new StoredTensor(key, type, Arrays.stream(shape).boxed().toList(), memory));
    return this;
  }

  @Override
  public String name() {
    return "made weights";
  }

  @Override
  public Optional<StoredTensor> find(String key) {
    return Optional.ofNullable(tensors.get(key));
  }

  @Override
  public List<String> keys() {
    return List.copyOf(tensors.keySet());
  }

  @Override
  public void close() {}
}
