package dev.einfall.frontend.weights;

import dev.einfall.ir.ElementType;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// A tensor of a weights file: `data` holds its elements in row-major order and little-endian, and is read-only. It
/// starts at any address: files do not align their tensors.
public record StoredTensor(String key, ElementType type, List<Long> shape, MemorySegment data) {
  public StoredTensor {
    shape = List.copyOf(shape);
    long bytes = shape.stream().reduce((long) type.bytes(), Math::multiplyExact);
    if (data.byteSize() != bytes) {
      throw new IllegalArgumentException(key + " of type " + type + shape + " in " + data.byteSize() + " bytes");
    }
  }
}
