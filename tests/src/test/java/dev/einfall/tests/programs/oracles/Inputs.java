package dev.einfall.tests.programs.oracles;

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
