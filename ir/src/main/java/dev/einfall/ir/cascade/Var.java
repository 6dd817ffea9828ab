package dev.einfall.ir.cascade;

import dev.einfall.ir.ElementType;

/// An operand of a [Combiner]. Two are the same only if they are the same object; `name` is for people.
public final class Var {
  private final String name;
  private final ElementType type;

  public Var(String name, ElementType type) {
    this.name = name;
    this.type = type;
  }

  public String name() {
    return name;
  }

  public ElementType type() {
    return type;
  }

  @Override
  public String toString() {
    return name + ": " + type;
  }
}
