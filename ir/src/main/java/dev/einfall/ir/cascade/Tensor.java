package dev.einfall.ir.cascade;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import java.util.List;

/// A tensor of a cascade. Two tensors are the same only if they are the same object; `name` is for people, and
/// the printer makes it unique. Element `[i, j, ...]` exists for `0 <= i < shape[0]`, `0 <= j < shape[1]`, ...
public final class Tensor {
  private final String name;
  private final ElementType type;
  private final List<Size> shape;
  private final Span span;

  public Tensor(String name, ElementType type, List<Size> shape, Span span) {
    this.name = name;
    this.type = type;
    this.shape = List.copyOf(shape);
    this.span = span;
  }

  public String name() {
    return name;
  }

  public ElementType type() {
    return type;
  }

  public List<Size> shape() {
    return shape;
  }

  /// Where the tensor is declared or defined.
  public Span span() {
    return span;
  }

  /// The same tensor in another shape: a new identity.
  public Tensor withShape(List<Size> newShape) {
    return new Tensor(name, type, newShape, span);
  }

  @Override
  public String toString() {
    return name + ": " + type + shape;
  }
}
