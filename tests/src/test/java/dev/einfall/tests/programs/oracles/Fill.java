package dev.einfall.tests.programs.oracles;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.ElementType;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.IntToDoubleFunction;

/// How an input is filled. Floats are exact in `f32`.
@FunctionalInterface
public interface Fill {

  /// @param sizes the numbers of the case's size names
  Array array(ElementType type, int[] shape, SplittableRandom random, Map<String, Integer> sizes);

  /// Floats in -1..1, nearly always distinct; integers in 0..7, and `bool` of either kind.
  static Fill any() {
    return (type, shape, random, _) -> type == ElementType.F32 || type == ElementType.F64
        ? each(type, shape, _ -> (float) random.nextDouble(-1, 1)) : Array.random(type, random.nextLong(), shape);
  }

  /// Floats from `low` to `high`.
  static Fill between(double low, double high) {
    return (type, shape, random, _) -> each(type, shape, _ -> (float) random.nextDouble(low, high));
  }

  /// Normal numbers, of which one channel in eight lies around `centre`, above or below 0, as the channels of activations do. Channels are along the last dimension.
  static Fill channels(double centre) {
    return (type, shape, random, _) -> each(type, shape, i -> {
      int channel = i % shape[shape.length - 1];
      return (float) (random.nextGaussian() + (channel % 8 == 3 ? channel % 16 == 3 ? centre : -centre : 0));
    });
  }

  /// Floats that are whole numbers from `first` to `limit`, exclusively: sums of their products are exact.
  static Fill whole(int first, int limit) {
    return from(first, limit);
  }

  /// Integers from 0 to `limit`, exclusively.
  static Fill below(int limit) {
    return (type, shape, random, _) -> each(type, shape, _ -> random.nextInt(limit));
  }

  /// Integers from `first` to `limit`, exclusively.
  static Fill from(int first, int limit) {
    return (type, shape, random, _) -> each(type, shape, _ -> random.nextInt(first, limit));
  }

  /// Indices into a dimension of size `size`.
  static Fill below(String size) {
    return (type, shape, random, sizes) -> each(type, shape, _ -> random.nextInt(sizes.get(size)));
  }

  /// Truth, or 0 and 1, where each element is 1 with probability `probability`.
  static Fill bits(double probability) {
    return (type, shape, random, _) -> each(type, shape, _ -> random.nextDouble() < probability ? 1 : 0);
  }

  /// 0, then numbers that never fall, and at last the value of `size`: the offsets of groups, of which some are empty.
  static Fill offsets(String size) {
    return (type, shape, random, sizes) -> {
      int total = sizes.get(size);
      int[] sorted = random.ints(shape[0], 0, total + 1).sorted().toArray();
      sorted[0] = 0;
      sorted[shape[0] - 1] = total;
      return each(type, shape, i -> sorted[i]);
    };
  }

  /// Every number below the extent of the only dimension once, in any order.
  static Fill permutation() {
    return (type, shape, random, _) -> {
      int[] order = new int[shape[0]];
      for (int i = 0; i < order.length; i++) {
        int j = random.nextInt(i + 1);
        order[i] = order[j];
        order[j] = i;
      }
      return each(type, shape, i -> order[i]);
    };
  }

  /// The numbers in row-major order, again and again.
  static Fill values(double... values) {
    return (type, shape, _, _) -> each(type, shape, i -> values[i % values.length]);
  }

  private static Array each(ElementType type, int[] shape, IntToDoubleFunction value) {
    Array array = new Array(type, shape);
    if (type.isFloat()) {
      Arrays.setAll(array.numbers(), value);
    } else {
      Arrays.setAll(array.integers(), i -> (long) value.applyAsDouble(i));
    }
    return array;
  }
}
