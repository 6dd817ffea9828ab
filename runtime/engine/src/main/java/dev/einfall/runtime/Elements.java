package dev.einfall.runtime;

import java.lang.foreign.MemorySegment;
import java.util.function.Function;

/// The memory of a tensor.
sealed interface Elements permits Elements.OnHost, DeviceElements {

  /// The elements in the memory of the host, where they stay from now on.
  MemorySegment data();

  /// What `reader` makes of the elements, which it must not change or keep; they stay where they are.
  <T> T read(Function<MemorySegment, T> reader);

  /// Those in the memory of the host.
  record OnHost(MemorySegment data) implements Elements {
    @Override
    public <T> T read(Function<MemorySegment, T> reader) {
      return reader.apply(data);
    }
  }
}
