package dev.einfall.tests.programs.oracles;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/// What a program is given.
public record Inputs(Map<String, Doubles> arrays, Map<String, Integer> sizes) {

  /// The input of this name.
  public Doubles of(String name) {
    if (!arrays.containsKey(name)) {
      throw new IllegalArgumentException("no input " + name + " but " + arrays.keySet());
    }
    return arrays.get(name);
  }

  /// With the input `from` once more as `to`, in which its second dimension from the end, parts of blocks, and the one before it,
  /// blocks, are one.
  public Inputs flat(String from, String to) {
    int[] shape = of(from).shape();
    int last = shape.length - 1;
    int[] flat = Arrays.copyOf(shape, last);
    flat[last - 2] *= shape[last - 1];
    flat[last - 1] = shape[last];
    Map<String, Doubles> more = new LinkedHashMap<>(arrays);
    more.put(to, of(from).reshape(flat));
    return new Inputs(more, sizes);
  }

  /// The only element of the input of this name.
  public double scalar(String name) {
    return of(name).values()[0];
  }

  /// The number that this round gives to a size name.
  public int size(String name) {
    if (!sizes.containsKey(name)) {
      throw new IllegalArgumentException("no size " + name + " but " + sizes.keySet());
    }
    return sizes.get(name);
  }
}
