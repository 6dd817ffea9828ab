package dev.einfall.command.explain;

import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.analysis.PassCount;
import dev.einfall.passes.analysis.PassCount.Count;
import dev.einfall.passes.cascade.Constants;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// A cascade before or after passes, with the names that it is printed with.
record Stage(Cascade cascade, CascadePrinter printer, PassCount passes, Set<Tensor> once, Map<Tensor, Definition> definitions) {

  static Stage of(Cascade cascade) {
    Map<Tensor, Definition> definitions = new IdentityHashMap<>();
    cascade.definitions().forEach(definition -> definition.tensors().forEach(tensor -> definitions.put(tensor, definition)));
    return new Stage(cascade, CascadePrinter.of(cascade), PassCount.of(cascade), Constants.of(cascade), definitions);
  }

  /// All tensors: inputs, weights, and what is defined, in order.
  List<Tensor> tensors() {
    return Stream.of(cascade.inputs().stream(), cascade.weights().stream().map(Cascade.Weight::tensor),
        cascade.definitions().stream().flatMap(definition -> definition.tensors().stream())).flatMap(all -> all).toList();
  }

  String name(Tensor tensor) {
    return printer.name(tensor);
  }

  /// The tensor that is printed as `name`.
  Optional<Tensor> named(String name) {
    return tensors().stream().filter(tensor -> name(tensor).equals(name)).findFirst();
  }

  boolean isInput(Tensor tensor) {
    return cascade.inputs().contains(tensor);
  }

  boolean isOutput(Tensor tensor) {
    return cascade.outputs().stream().anyMatch(output -> output.tensor() == tensor);
  }

  /// What a dimension is called: the rank of who writes it or, of one that is given, of who reads it first.
  String rank(Count count) {
    return Optional.ofNullable(definitions.get(count.tensor())).flatMap(definition -> written(definition, count))
        .or(() -> count.walks().stream().findFirst().map(walk -> walk.rank().name()))
        .orElse("dimension " + count.dimension());
  }

  private static Optional<String> written(Definition definition, Count count) {
    return switch (definition) {
      case Einsum einsum -> Optional.of(einsum.ranks().get(count.dimension()).name());
      case Recurrence recurrence -> recurrence.updates().stream()
          .filter(update -> update.tensor() == count.tensor())
          .flatMap(update -> update.indices().get(count.dimension()).nodes())
          .flatMap(node -> node instanceof Expr.Coordinate(Rank rank) ? Stream.of(rank.name()) : Stream.empty()).findFirst();
    };
  }

  /// `file:line:column`, with the last part of the file's name.
  static String place(Span span) {
    if (span.isNone()) {
      return "made by a pass";
    }
    String text = span.toString();
    return text.startsWith("std/") ? text : text.substring(text.lastIndexOf('/') + 1);
  }
}
