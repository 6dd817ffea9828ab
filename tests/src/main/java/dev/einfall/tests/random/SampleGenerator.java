package dev.einfall.tests.random;

import static dev.einfall.ir.ElementType.BOOL;
import static dev.einfall.ir.ElementType.F32;
import static dev.einfall.ir.ElementType.I32;
import static dev.einfall.ir.ElementType.I64;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.SharedReductions;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;

/// Makes well-typed cascades at random: several Einsums with nested reductions, affine indices with `or`, gathers, `where`,
/// casts and broadcasts, over sizes that fit no vector.
public final class SampleGenerator {
  private static final List<String> NAMES = List.of("K", "M", "N", "P");
  private static final long[] VALUES = {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 33};

  private final SplittableRandom random;
  private final SortedMap<String, Long> sizes = new TreeMap<>();
  private final Map<Tensor, Size> limits = new LinkedHashMap<>();
  private final Map<Tensor, Double> bounds = new LinkedHashMap<>();
  private final List<Tensor> tensors = new ArrayList<>();

  private SampleGenerator(long seed) {
    this.random = new SplittableRandom(seed);
  }

  /// The program of number `seed`: always the same.
  public static Sample sample(long seed) {
    return new SampleGenerator(seed).run();
  }

  private Sample run() {
    NAMES.forEach(name -> sizes.put(name, VALUES[random.nextInt(VALUES.length)]));
    for (int i = 0; i < 3; i++) {
      tensors.add(new Tensor("X" + i, F32, i == 0 ? shape(2) : shape(random.nextInt(3) + 1), Span.NONE));
    }
    Tensor table = new Tensor("I", random.nextBoolean() ? I32 : I64, shape(1), Span.NONE);
    tensors.add(table);
    limits.put(table, Size.named(any(NAMES)));
    Sample inputs = new Sample(cascade(tensors, List.of()), sizes, limits);
    List<Einsum> einsums = new ArrayList<>();
    int count = random.nextInt(5) + 1;
    for (int i = 0; i < count; i++) {
      einsums.add(einsum("T" + i, i == count - 1 ? F32 : anyType(), inputs));
    }
    return inputs.with(cascade(inputs.cascade().inputs(), einsums));
  }

  private ElementType anyType() {
    return switch (random.nextInt(10)) {
      case 0 -> I32;
      case 1 -> BOOL;
      default -> F32;
    };
  }

  private Einsum einsum(String name, ElementType type, Sample inputs) {
    List<Size> known = inputs.cascade().inputs().stream().flatMap(tensor -> tensor.shape().stream()).toList();
    List<Size> shape = new ArrayList<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      shape.add(any(known));
    }
    List<Rank> ranks = new ArrayList<>();
    for (int i = 0; i < shape.size(); i++) {
      ranks.add(new Rank("abc".substring(i, i + 1), shape.get(i)));
    }
    ExprGenerator generator = new ExprGenerator(random, inputs, List.copyOf(tensors), bounds, ranks);
    Bounded value = generator.value(type, random.nextInt(3) + 2);
    Tensor tensor = new Tensor(name, type, shape, Span.NONE);
    bounds.put(tensor, value.bound());
    tensors.add(tensor);
    return new Einsum(tensor, ranks, SharedReductions.of(value.expr()), Span.NONE);
  }

  private List<Size> shape(int rank) {
    List<Size> shape = new ArrayList<>();
    for (int i = 0; i < rank; i++) {
      shape.add(Size.named(any(NAMES)));
    }
    return shape;
  }

  /// Einsums that no other reads are outputs; inputs that none reads are left out.
  private static Cascade cascade(List<Tensor> inputs, List<Einsum> einsums) {
    return Pruning.prune(new Cascade("f", inputs, List.of(), List.copyOf(einsums), outputs(einsums), Mapping.NONE), einsums.isEmpty());
  }

  private static List<Cascade.Output> outputs(List<Einsum> einsums) {
    Set<Tensor> read = new LinkedHashSet<>();
    einsums.forEach(einsum -> einsum.reads().forEach(read::add));
    return einsums.stream().map(Einsum::tensor).filter(tensor -> !read.contains(tensor))
        .map(tensor -> new Cascade.Output(tensor.name(), tensor)).toList();
  }

  private <T> T any(List<T> choices) {
    return choices.get(random.nextInt(choices.size()));
  }
}
