package dev.einfall.ir.cascade;

/// The coordinates of one member of a fusion group that a coordinate `t` of the last member needs: from `stride * t + low` on,
/// `extent` of them. A tile needs those of all its coordinates, which overlap with those of the next tile if `extent` is
/// more than `stride`.
///
/// ```
/// Y[y] = B[2 * y] + B[2 * y + 1] + B[2 * y + 2]        for B: stride 2, low 0, extent 3
/// ```
///
/// Some of them may lie outside of the tensor: these are left out.
public record Window(long stride, long low, long extent) {

  /// Just the coordinate itself.
  public static final Window POINT = new Window(1, 0, 1);

  /// How many coordinates a tile of `width` needs.
  public long extent(long width) {
    return stride * (width - 1) + extent;
  }

  /// The first coordinate that a tile from `start` on needs.
  public long first(long start) {
    return stride * start + low;
  }

  /// What this needs of a tensor that is read, at coordinate `x`, from `factor * x + from` to `factor * x + to`.
  Window reading(long factor, long from, long to) {
    return new Window(factor * stride, factor * low + from, factor * (extent - 1) + to - from + 1);
  }

  /// What this or another of the same stride needs.
  Window or(Window other) {
    long start = Math.min(low, other.low);
    return new Window(stride, start, Math.max(low + extent, other.low + other.extent) - start);
  }
}
