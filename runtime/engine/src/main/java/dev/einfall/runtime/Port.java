package dev.einfall.runtime;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import java.util.List;
import java.util.stream.Collectors;

/// An input or output of a program. Sizes with names in them depend on the inputs of a run.
public record Port(String name, ElementType type, List<Size> shape) {
  public Port {
    shape = List.copyOf(shape);
  }

  /// As it is declared: `ids: i64[B, T]`.
  @Override
  public String toString() {
    return name + ": " + type + shape.stream().map(Size::toString).collect(Collectors.joining(", ", "[", "]"));
  }
}
