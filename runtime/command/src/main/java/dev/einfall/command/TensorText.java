package dev.einfall.command;

import dev.einfall.backends.reference.Array;
import dev.einfall.runtime.Tensor;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// A tensor as a line of text: its type and shape, and its first elements.
final class TensorText {
  private static final int SHOWN = 8;

  private TensorText() {}

  static String of(Tensor tensor) {
    int shown = (int) Math.min(SHOWN, tensor.elements());
    Array first = Array.read(tensor.type(), tensor.data(), shown);
    String elements = IntStream.range(0, shown).mapToObj(i -> element(first, i)).collect(Collectors.joining(", "));
    return tensor + " = " + elements + (tensor.elements() > shown ? ", ..." : "");
  }

  private static String element(Array array, int index) {
    return array.type().isFloat()
        ? String.format(Locale.ROOT, "%.6g", array.numbers()[index]) : String.valueOf(array.integers()[index]);
  }
}
