package dev.einfall.runtime;

import dev.einfall.ir.Size;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/// Finds the numbers that size names stand for, from the shapes of tensors that are declared with these names. A name is
/// bound where it stands alone, or where it is the only unknown of a linear expression such as `2 * N - 1`.
final class SizeBinding {

  /// The number of a name and the tensor that gave it.
  private record Bound(long value, String by) {}

  /// A dimension of a tensor, as declared and as it is.
  private record Dimension(String tensor, int index, Size declared, long actual) {}

  private final SortedMap<String, Bound> names = new TreeMap<>();
  private final List<Dimension> open = new ArrayList<>();

  /// A binding that knows what this one does, and goes on by itself.
  SizeBinding copy() {
    SizeBinding copy = new SizeBinding();
    copy.names.putAll(names);
    copy.open.addAll(open);
    return copy;
  }

  /// Binds what the shape of `tensor` (a name for messages, such as `input 'X'`) tells.
  ///
  /// @throws IllegalArgumentException when the shape does not fit; the message names what bound a size otherwise
  void add(String tensor, List<Size> declared, List<Long> actual) {
    if (declared.size() != actual.size()) {
      throw new IllegalArgumentException(tensor + " has the shape " + actual + ", but " + declared.size()
          + " ranks are declared: " + declared);
    }
    for (int i = 0; i < declared.size(); i++) {
      if (actual.get(i) < 1) {
        throw new IllegalArgumentException(tensor + " has the shape " + actual + "; every size is at least 1");
      }
      open.add(new Dimension(tensor, i, declared.get(i), actual.get(i)));
    }
    settle();
  }

  /// Checks and removes the open dimensions whose names are known, until none is left or nothing changes.
  private void settle() {
    while (open.removeIf(this::isSettled)) {}
  }

  private boolean isSettled(Dimension dimension) {
    Size size = dimension.declared.substitute(this::value);
    Optional<Long> known = size.constant();
    if (known.isPresent()) {
      require(dimension, known.get());
      return true;
    }
    if (size.names().size() > 1 || !isLinear(size)) {
      return false;
    }
    long solution = solve(size, dimension.actual).orElseThrow(() -> noNumbers(dimension));
    names.put(size.names().iterator().next(), new Bound(solution, dimension.tensor));
    return true;
  }

  private Optional<Size> value(String name) {
    return Optional.ofNullable(names.get(name)).map(bound -> Size.of(bound.value));
  }

  private void require(Dimension dimension, long expected) {
    if (dimension.actual == expected) {
      return;
    }
    List<String> reasons = dimension.declared.names().stream()
        .map(name -> name + " is " + names.get(name).value + " by " + names.get(name).by)
        .toList();
    throw new IllegalArgumentException(dimension.tensor + " has " + dimension.actual + " at dimension " + dimension.index
        + ", which is declared " + dimension.declared
        + (reasons.isEmpty() ? "" : ", that is " + expected + ": " + String.join(", ", reasons)));
  }

  /// Whether `size`, which has one name in it, is linear in that as far as 0, 1 and 2 show.
  private static boolean isLinear(Size size) {
    Optional<Long> atZero = at(size, 0);
    Optional<Long> atOne = at(size, 1);
    Optional<Long> atTwo = at(size, 2);
    return atZero.isPresent() && atOne.isPresent() && atTwo.isPresent() && !atZero.equals(atOne)
        && atTwo.get() - atOne.get() == atOne.get() - atZero.get();
  }

  /// The number for the one name in the linear `size` that makes it `actual`.
  private static Optional<Long> solve(Size size, long actual) {
    long atZero = at(size, 0).orElseThrow();
    long solution = (actual - atZero) / (at(size, 1).orElseThrow() - atZero);
    boolean fits = solution >= 1 && at(size, solution).equals(Optional.of(actual));
    return fits ? Optional.of(solution) : Optional.empty();
  }

  private static Optional<Long> at(Size size, long value) {
    return size.substitute(_ -> Optional.of(Size.of(value))).constant();
  }

  /// The numbers of all names that are bound.
  SortedMap<String, Long> sizes() {
    SortedMap<String, Long> sizes = new TreeMap<>();
    names.forEach((name, bound) -> sizes.put(name, bound.value));
    return sizes;
  }

  /// Checks that every dimension was understood.
  ///
  /// @throws IllegalArgumentException when one does not fit, or its names are not known
  void finish() {
    for (Dimension dimension : open) {
      throw noNumbers(dimension);
    }
  }

  private static IllegalArgumentException noNumbers(Dimension dimension) {
    return new IllegalArgumentException(dimension.tensor + " has " + dimension.actual + " at dimension "
        + dimension.index + ", which is declared " + dimension.declared + ": no numbers for "
        + String.join(", ", dimension.declared.names()) + " make it so");
  }
}
