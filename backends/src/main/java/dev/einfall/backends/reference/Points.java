package dev.einfall.backends.reference;

/// The points of a space of ranks, the last rank fastest. `slots` says where the frame holds each coordinate.
///
/// ```
/// for (boolean more = points.first(frame); more; more = points.next(frame)) { ... }
/// ```
record Points(int[] slots, int[] extents) {

  /// Goes to the first point, if there is one.
  boolean first(Frame frame) {
    boolean any = true;
    for (int i = 0; i < slots.length; i++) {
      frame.integers()[slots[i]] = 0;
      any &= extents[i] > 0;
    }
    return any;
  }

  /// Goes to the next point, if there is one.
  boolean next(Frame frame) {
    for (int i = slots.length - 1; i >= 0; i--) {
      if (++frame.integers()[slots[i]] < extents[i]) {
        return true;
      }
      frame.integers()[slots[i]] = 0;
    }
    return false;
  }
}
