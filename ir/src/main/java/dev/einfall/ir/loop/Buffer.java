package dev.einfall.ir.loop;

import dev.einfall.ir.ElementType;
import java.util.List;

/// A dense array in row-major order: element `[i, j]` of extents `[M, N]` lies at `i * N + j`. Two buffers are the same
/// only if they are the same object; `name` is for people, and the printer makes it unique.
public final class Buffer {

  /// Where a buffer lives.
  public enum Space {
    /// Memory that the caller of the kernel provides.
    GLOBAL,
    /// Memory of one task, or of one thread of a block, undefined until stored to: a [Stmt.Alloc].
    LOCAL,
    /// Memory of one block of threads, which all of them use, undefined until stored to: a [Stmt.Alloc].
    SHARED,
    /// Registers: every access has constant indices, and any two are of the same elements or of disjoint ones.
    REGISTER
  }

  private final String name;
  private final ElementType type;
  private final List<Integer> extents;
  private final Space space;

  public Buffer(String name, ElementType type, List<Integer> extents, Space space) {
    this.name = name;
    this.type = type;
    this.extents = List.copyOf(extents);
    this.space = space;
  }

  public String name() {
    return name;
  }

  public ElementType type() {
    return type;
  }

  public List<Integer> extents() {
    return extents;
  }

  public Space space() {
    return space;
  }

  /// The number of elements.
  public long elements() {
    return extents.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
  }

  /// The size in bytes.
  public long bytes() {
    return Math.multiplyExact(elements(), type.bytes());
  }

  /// How many elements apart two neighbours along `dimension` are.
  public long stride(int dimension) {
    return extents.subList(dimension + 1, extents.size()).stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
  }

  @Override
  public String toString() {
    return name + ": " + type + extents;
  }
}
