package dev.einfall.tests.random;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/// A program that is being made, and what is known of its tensors.
final class Draft {
  private static final List<String> NAMES = List.of("K", "M", "N", "P");
  private static final List<Long> VALUES = List.of(1L, 2L, 3L, 4L, 5L, 7L, 8L, 9L, 16L, 17L, 31L, 33L);

  private static final int FIRST_INPUTS = 3;

  /// In most programs, so that they run fast.
  private static final int SMALL_VALUES = 8;

  private final Chance chance;
  private final SortedMap<String, Long> sizes = new TreeMap<>();
  private final Map<Tensor, Size> limits = new LinkedHashMap<>();
  private final List<Tensor> inputs = new ArrayList<>();
  private final List<Definition> definitions = new ArrayList<>();
  private final List<Tensor> tensors = new ArrayList<>();
  private final Map<Tensor, Double> bounds = new LinkedHashMap<>();
  private final Set<Tensor> inexact = new LinkedHashSet<>();
  private final long mostPoints;

  Draft(Chance chance) {
    this.chance = chance;
    boolean isLarge = chance.oneIn(8);
    this.mostPoints = isLarge ? 40_000 : 3_000;
    NAMES.forEach(name -> sizes.put(name, chance.any(VALUES.subList(0, isLarge ? VALUES.size() : SMALL_VALUES))));
  }

  Chance chance() {
    return chance;
  }

  /// How many points one definition may have, those of its reductions counted too.
  long mostPoints() {
    return mostPoints;
  }

  /// A size that the first inputs have; any size for these.
  Size anyName() {
    List<Size> known = inputs.stream().limit(FIRST_INPUTS).flatMap(tensor -> tensor.shape().stream()).toList();
    return inputs.size() < FIRST_INPUTS ? Size.named(chance.any(NAMES)) : chance.any(known);
  }

  List<Size> shape(int rank) {
    List<Size> shape = new ArrayList<>();
    for (int i = 0; i < rank; i++) {
      shape.add(anyName());
    }
    return shape;
  }

  long value(Size size) {
    return size.substitute(name -> Optional.ofNullable(sizes.get(name)).map(Size::of)).value();
  }

  long points(List<Size> shape) {
    return shape.stream().mapToLong(this::value).reduce(1, (a, b) -> Math.min(a * b, 1L << 31));
  }

  Tensor input(String name, ElementType type, List<Size> shape) {
    Tensor tensor = new Tensor(name, type, shape, Span.NONE);
    inputs.add(tensor);
    tensors.add(tensor);
    return tensor;
  }

  /// Keeps the elements of an input below a size.
  void limit(Tensor table, Size size) {
    limits.put(table, size);
  }

  Optional<Size> limit(Tensor table) {
    return Optional.ofNullable(limits.get(table));
  }

  void define(Definition definition) {
    definitions.add(definition);
    tensors.addAll(definition.tensors());
  }

  /// Says of a defined tensor how far from 0 its elements are, and whether they are the same in all precisions.
  void know(Tensor tensor, double bound, boolean exact) {
    bounds.put(tensor, bound);
    if (!exact) {
      inexact.add(tensor);
    }
  }

  /// How far from 0 the elements can be; those of inputs stay within 1.
  double bound(Tensor tensor) {
    return bounds.getOrDefault(tensor, 1.0);
  }

  /// Whether the elements are the same in all precisions, so that what jumps, such as comparisons, can be applied to them.
  boolean isExact(Tensor tensor) {
    return !inexact.contains(tensor);
  }

  boolean isDefined(Tensor tensor) {
    return definitions.stream().anyMatch(definition -> definition.tensors().contains(tensor));
  }

  List<Tensor> tensors() {
    return List.copyOf(tensors);
  }

  List<Tensor> inputs() {
    return inputs;
  }

  List<Definition> definitions() {
    return definitions;
  }

  String newName(String prefix) {
    return prefix + tensors.size();
  }

  Sample sample(dev.einfall.ir.cascade.Cascade cascade) {
    return new Sample(cascade, sizes, limits);
  }
}
