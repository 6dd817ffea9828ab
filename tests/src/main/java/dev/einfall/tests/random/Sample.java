package dev.einfall.tests.random;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.stream.Collectors;

/// A cascade to try, with values for its symbolic sizes.
///
/// @param limits for each integer input that is used as an index, the size that its elements stay below
public record Sample(Cascade cascade, SortedMap<String, Long> sizes, Map<Tensor, Size> limits) {

  /// Pseudo-random arrays for the inputs. They depend on nothing but the tensor's name and shape, so that taking away
  /// other parts of the program does not change them.
  public Map<Tensor, Array> inputs() {
    Map<Tensor, Array> inputs = new LinkedHashMap<>();
    cascade.inputs().forEach(tensor -> inputs.put(tensor, array(tensor)));
    return inputs;
  }

  private Array array(Tensor tensor) {
    int[] shape = tensor.shape().stream().mapToInt(size -> (int) value(size)).toArray();
    Array array = Array.random(tensor.type(), tensor.name().hashCode(), shape);
    for (int i = 0; i < array.elements(); i++) {
      if (limits.containsKey(tensor)) {
        array.integers()[i] = Math.floorMod(array.integers()[i] * 5 + i, value(limits.get(tensor)));
      } else if (tensor.type().isInteger()) {
        array.integers()[i] = wide(tensor.type(), array.integers()[i], i);
      } else if (tensor.type().isFloat() && tensor.type().bytes() == Short.BYTES) {
        array.numbers()[i] = Math.rint(array.numbers()[i] * 16) / 16;
      }
    }
    return array;
  }

  /// Half of the integers stay small, the others are of any value.
  private static long wide(ElementType type, long small, int position) {
    long any = (small + 8L * position + 1) * 0x9E3779B97F4A7C15L >> 64 - 8 * type.bytes();
    return (position & 1) == 0 ? small : type == ElementType.U8 ? any & 0xFF : any;
  }

  long value(Size size) {
    return size.substitute(name -> Optional.ofNullable(sizes.get(name)).map(Size::of)).value();
  }

  Sample with(Cascade newCascade) {
    return new Sample(newCascade, sizes, limits);
  }

  Sample with(SortedMap<String, Long> newSizes) {
    return new Sample(cascade, newSizes, limits);
  }

  /// The comment of a case that binds the sizes.
  public String sizesLine() {
    return sizes.entrySet().stream().map(entry -> entry.getKey() + "=" + entry.getValue())
        .collect(Collectors.joining(" ", "# SIZES: ", "\n"));
  }
}
