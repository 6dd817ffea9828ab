package dev.einfall.tests;

import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.ElementType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;

/// A file with one matrix, `W`.
public record OneWeight(ElementType type, MemorySegment values, int rows, int columns) implements WeightsFile {

  @Override
  public String name() {
    return "made";
  }

  @Override
  public Optional<StoredTensor> find(String key) {
    MemorySegment memory = Arena.ofAuto().allocate(values.byteSize(), 64);
    MemorySegment.copy(values, ValueLayout.JAVA_BYTE, 0, memory, ValueLayout.JAVA_BYTE, 0, values.byteSize());
    return key.equals("W") ? Optional.of(new StoredTensor(key, type, List.of((long) rows, (long) columns), memory)) : Optional.empty();
  }

  @Override
  public List<String> keys() {
    return List.of("W");
  }

  @Override
  public void close() {}
}
