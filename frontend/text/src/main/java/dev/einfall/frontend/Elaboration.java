package dev.einfall.frontend;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Combiner;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.SharedReductions;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/// The cascade under construction, and what all functions of a program share.
final class Elaboration {
  /// Bounds what a small file can grow to by loops and calls.
  private static final int MOST_STEPS = 20_000;

  /// Bounds the stack that reading needs.
  private static final int MOST_NESTED = 300;

  private final Diagnostics diagnostics;
  private final boolean generic;
  private final List<Definition> definitions = new ArrayList<>();
  private final Map<String, Cascade.Weight> weights = new LinkedHashMap<>();
  private final List<Mapping.Nest> nests = new ArrayList<>();
  private final List<Mapping.Group> groups = new ArrayList<>();
  private final List<Mapping.Layout> layouts = new ArrayList<>();
  private final List<Mapping.Schedule> schedules = new ArrayList<>();
  private final Set<Routine> called = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Nicknames nicknames = new Nicknames();
  private final Combiners combiners;
  private int steps;
  private int depth;

  /// @param generic whether sizes that only a call gives are taken to be what the function needs
  Elaboration(Diagnostics diagnostics, boolean generic) {
    this.diagnostics = diagnostics;
    this.generic = generic;
    this.combiners = new Combiners(this);
  }

  Diagnostics diagnostics() {
    return diagnostics;
  }

  /// The functions that were read.
  Set<Routine> called() {
    return called;
  }

  /// Counts a statement; hostile programs end here.
  void step(Span span) {
    if (++steps > MOST_STEPS) {
      diagnostics.report(span, "the program grows to more than " + MOST_STEPS + " statements here");
      diagnostics.throwIfAny();
    }
  }

  /// Reads what is nested in other things, with a bound on how deep it may be: calls and expressions together.
  <T> T nested(Span span, Supplier<T> reading) {
    if (++depth > MOST_NESTED) {
      diagnostics.report(span, "calls in expressions are nested more than " + MOST_NESTED + " deep here");
      diagnostics.throwIfAny();
    }
    try {
      return reading.get();
    } finally {
      depth--;
    }
  }

  boolean same(Size left, Size right) {
    boolean known = left.constant().isPresent() && right.constant().isPresent();
    return left.equals(right) || generic && !known;
  }

  Tensor define(Syntax.Name name, List<Rank> ranks, Expr value, Span span) {
    return define(name.text(), name.span(), ranks, value, span);
  }

  Tensor define(String name, Span nameSpan, List<Rank> ranks, Expr value, Span span) {
    Tensor tensor = new Tensor(name, value.type(), ranks.stream().map(Rank::size).toList(), nameSpan);
    tensor.shape().forEach(size -> requireSize(size, nameSpan));
    definitions.add(new Einsum(tensor, ranks, SharedReductions.of(value), span));
    return tensor;
  }

  private void requireSize(Size size, Span span) {
    if (size.constant().filter(value -> value > Integer.MAX_VALUE).isPresent()) {
      throw diagnostics.reject(span, "a size is at most " + Integer.MAX_VALUE + ", and a dimension of this tensor has " + size);
    }
  }

  /// The reduction `name` that `file` sees, if there is one.
  ///
  /// @throws Diagnostics.Rejection if its definition is wrong
  Optional<Combiner> combiner(Syntax.Name name, FileScope file) {
    return combiners.combiner(name, file);
  }

  void define(Definition definition) {
    definitions.add(definition.mapExprs(SharedReductions::of));
  }

  /// The weight `key`; the same tensor for one that is named so twice.
  Tensor weight(Syntax.Name name, ElementType type, List<Size> shape, String key) {
    Cascade.Weight weight = weights.computeIfAbsent(key + " " + type + shape,
        _ -> new Cascade.Weight(new Tensor(name.text(), type, shape, name.span()), key));
    return weight.tensor();
  }

  /// Names a tensor that a function has made.
  void rename(Tensor tensor, String name) {
    if (definition(tensor).isPresent()) {
      nicknames.name(tensor, name);
    }
  }

  void map(Mapping.Nest nest) {
    nests.add(nest);
  }

  void map(Mapping.Group group) {
    groups.add(group);
  }

  void map(Mapping.Layout layout) {
    layouts.add(layout);
  }

  void map(Mapping.Schedule schedule) {
    schedules.add(schedule);
  }

  Optional<Mapping.Nest> nest(Tensor tensor) {
    return mapping().nest(tensor);
  }

  Optional<Definition> definition(Tensor tensor) {
    return definitions.stream().filter(definition -> definition.tensors().contains(tensor)).findFirst();
  }

  List<Definition> definitions() {
    return definitions;
  }

  Mapping mapping() {
    return new Mapping(nests, groups, layouts, schedules);
  }

  /// What has been defined, as a cascade.
  Cascade cascade(String name, List<Tensor> inputs, List<Cascade.Output> outputs) {
    return nicknames.apply(
        new Cascade(name, inputs, List.copyOf(weights.values()), definitions, outputs, mapping()));
  }
}
