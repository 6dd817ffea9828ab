package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.frontend.weights.WeightsFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The tensors of a file, and others. Who opened the file closes it.
record MoreWeights(WeightsFile file, Map<String, StoredTensor> more) implements WeightsFile {

  static MoreWeights of(WeightsFile file, Collection<StoredTensor> more) {
    Map<String, StoredTensor> byKey = new LinkedHashMap<>();
    more.forEach(tensor -> {
      MemorySegment data = Arena.ofAuto().allocate(tensor.data().byteSize(), Long.BYTES).copyFrom(tensor.data());
      byKey.put(tensor.key(), new StoredTensor(tensor.key(), tensor.type(), tensor.shape(), data));
    });
    return new MoreWeights(file, byKey);
  }

  @Override
  public String name() {
    return file.name();
  }

  @Override
  public Optional<StoredTensor> find(String key) {
    return Optional.ofNullable(more.get(key)).or(() -> file.find(key));
  }

  @Override
  public List<String> keys() {
    List<String> keys = new ArrayList<>(file.keys());
    keys.addAll(more.keySet());
    return keys;
  }

  @Override
  public void close() {
    // The file is not this one's.
  }
}
