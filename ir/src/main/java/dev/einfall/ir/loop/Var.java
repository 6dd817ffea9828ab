package dev.einfall.ir.loop;

/// A loop's counter or a [Stmt.Let]'s name. Two are the same only if they are the same object; `name` is for people,
/// and the printer makes it unique. Never assigned to.
public final class Var {
  private final String name;
  private final ValueType type;

  public Var(String name, ValueType type) {
    this.name = name;
    this.type = type;
  }

  /// A counter of a loop: an `i32`.
  public static Var counter(String name) {
    return new Var(name, ValueType.scalar(dev.einfall.ir.ElementType.I32));
  }

  public String name() {
    return name;
  }

  public ValueType type() {
    return type;
  }

  /// A new variable of the same name and type.
  public Var copy() {
    return new Var(name, type);
  }

  @Override
  public String toString() {
    return name + ": " + type;
  }
}
