package dev.einfall.ir.cascade;

import dev.einfall.ir.Size;

/// An index variable of one Einsum and the range `0 <= coordinate < size` that it takes. Two ranks are the same
/// only if they are the same object; `name` is for people.
public final class Rank {
  private final String name;
  private final Size size;

  public Rank(String name, Size size) {
    this.name = name;
    this.size = size;
  }

  public String name() {
    return name;
  }

  public Size size() {
    return size;
  }

  @Override
  public String toString() {
    return name + " in 0.." + size;
  }
}
