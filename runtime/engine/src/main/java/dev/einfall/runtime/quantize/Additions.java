package dev.einfall.runtime.quantize;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What comes into a cascade when it is quantized.
///
/// @param definitions those so far, in order
/// @param weights new ones, by key
record Additions(List<Definition> definitions, Map<String, Cascade.Weight> weights) {

  static Additions to(List<Definition> definitions) {
    return new Additions(definitions, new LinkedHashMap<>());
  }

  /// The weight with this key.
  Tensor weight(String key, String name, ElementType type, List<Integer> shape) {
    return weights.computeIfAbsent(key, _ -> {
      List<Size> sizes = shape.stream().map(Size::of).toList();
      return new Cascade.Weight(new Tensor(name, type, sizes, Span.NONE), key);
    }).tensor();
  }

  /// Ranks of a tensor of this shape.
  static List<Rank> ranks(Tensor tensor) {
    return tensor.shape().stream().map(size -> new Rank("i", size)).toList();
  }

  /// The element of `tensor` at `rows`, and at `last` in its last dimension, as an `f32`.
  static Expr element(Tensor tensor, List<Rank> rows, Expr last) {
    List<Expr> indices = new ArrayList<>(coordinates(rows));
    indices.add(last);
    return floating(new Expr.Access(tensor, indices));
  }

  static List<Expr> coordinates(List<Rank> ranks) {
    return ranks.stream().map(rank -> (Expr) new Expr.Coordinate(rank)).toList();
  }

  static Expr floating(Expr value) {
    return value.type() == ElementType.F32 ? value : new Expr.Cast(ElementType.F32, value);
  }

  /// Defines a tensor of `f32`.
  Tensor define(String name, List<Rank> ranks, Expr value) {
    Tensor tensor = new Tensor(name, ElementType.F32, ranks.stream().map(Rank::size).toList(), Span.NONE);
    definitions.add(new Einsum(tensor, ranks, value, Span.NONE));
    return tensor;
  }

  /// With other ranks in the place of some.
  static Expr renamed(Expr expr, Map<Rank, Rank> names) {
    return switch (expr) {
      case Expr.Coordinate(Rank rank) when names.containsKey(rank) -> new Expr.Coordinate(names.get(rank));
      case Expr other -> other.mapChildren(child -> renamed(child, names));
    };
  }
}
