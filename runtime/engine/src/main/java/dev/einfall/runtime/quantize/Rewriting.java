package dev.einfall.runtime.quantize;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Shorthand;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Makes the program that reads quantized weights of the one that reads the weights.
///
/// ```
/// weight W: f32[K, N] = "w"                     weight W: int4(group = 64)[N, K] = "w"
/// Y[m, n] = sum[k](X[m, k] * W[k, n])           X_scale, X_code = encode_int8(X, 384)
///                                        =>     X_int8 = decode_int8(X_scale, X_code, 384)
///                                               Y[m, n] = sum[k](X_int8[m, k] * W[n, k])
/// ```
///
/// A weight that is stored scaled has what it is divided by beside it, and `X_scaled[m, k] = X[m, k] * W_factor[k]` is multiplied with it.
/// With a low rank, the product has `+ sum[r](P[m, r] * f32(W_up[n, r]))`, with `P[m, r] = sum[k](X[m, k] * f32(W_down[r, k]))`.
final class Rewriting {
  /// The names of the thin matrices, behind the key of their weight.
  static final String UP = ".up";
  static final String DOWN = ".down";
  /// The name of what is multiplied with the other factor of a weight that is stored scaled.
  static final String FACTOR = ".factor";

  private final Policy policy;
  private final Map<Tensor, Target> targets = new LinkedHashMap<>();
  private final Map<Tensor, Tensor> stored = new LinkedHashMap<>();
  private final Map<Tensor, List<Tensor>> thin = new LinkedHashMap<>();
  private final Map<Tensor, Tensor> factors = new LinkedHashMap<>();
  private final Map<Product, Activation> activations;
  private final Map<Tensor, String> types = new LinkedHashMap<>();
  private final Map<Tensor, Shorthand.Call> calls = new LinkedHashMap<>();
  private final Map<Tensor, Tensor> rounded = new LinkedHashMap<>();
  private final Map<Tensor, Tensor> projected = new LinkedHashMap<>();
  private final Map<List<Tensor>, Tensor> scaled = new LinkedHashMap<>();

  /// @param activations those of products that have one
  Rewriting(List<Target> targets, Map<Product, Activation> activations, Policy policy) {
    this.policy = policy;
    this.activations = activations;
    targets.forEach(target -> this.targets.put(target.weight().tensor(), target));
  }

  /// @param shorthand what the cascade's text says in other words
  record Result(Cascade cascade, Shorthand shorthand) {}

  Result apply(Cascade cascade) {
    List<Cascade.Weight> weights = new ArrayList<>();
    cascade.weights().forEach(weight -> weights.addAll(weights(weight)));
    List<Definition> definitions = new ArrayList<>();
    for (Definition definition : cascade.definitions()) {
      Definition changed = definition.mapExprs(expr -> change(expr, definition, definitions));
      definitions.add(changed);
    }
    Cascade result = new Cascade(cascade.name(), cascade.inputs(), weights, definitions, cascade.outputs(), cascade.mapping());
    return new Result(result, new Shorthand(types, calls));
  }

  private List<Cascade.Weight> weights(Cascade.Weight weight) {
    Target target = targets.get(weight.tensor());
    if (target == null) {
      return List.of(weight);
    }
    Tensor tensor = new Tensor(weight.tensor().name(), ElementType.F32, target.shape(), weight.tensor().span());
    stored.put(weight.tensor(), tensor);
    types.put(tensor, target.encoding().type(target.length()));
    List<Cascade.Weight> weights = new ArrayList<>(List.of(new Cascade.Weight(tensor, weight.key())));
    if (target.scaled()) {
      Tensor factor = new Tensor(tensor.name() + "_factor", ElementType.F32, List.of(Size.of(target.length())), Span.NONE);
      factors.put(weight.tensor(), factor);
      weights.add(new Cascade.Weight(factor, weight.key() + FACTOR));
    }
    if (target.lowRank()) {
      Tensor up = new Tensor(tensor.name() + "_up", ElementType.F16, List.of(Size.of(target.rows()), Size.of(rank(target))), Span.NONE);
      Tensor down = new Tensor(tensor.name() + "_down", ElementType.F16, List.of(Size.of(rank(target)), Size.of(target.length())), Span.NONE);
      thin.put(weight.tensor(), List.of(up, down));
      weights.add(new Cascade.Weight(up, weight.key() + UP));
      weights.add(new Cascade.Weight(down, weight.key() + DOWN));
    }
    return weights;
  }

  private int rank(Target target) {
    return LowRank.rank(policy, target);
  }

  private Expr change(Expr expr, Definition definition, List<Definition> before) {
    Optional<Product> product = expr instanceof Expr.Reduce sum ? product(sum, definition) : Optional.empty();
    return product.isPresent() ? product(product.get(), before) : switch (expr) {
      case Expr.Access access when stored.containsKey(access.tensor()) -> typed(element(access, definition, before), access.tensor().type());
      case Expr.Cast(ElementType type, Expr.Access access) when type == ElementType.F32 && stored.containsKey(access.tensor()) ->
          element(access, definition, before);
      case Expr other -> other.mapChildren(child -> change(child, definition, before));
    };
  }

  /// The product that `sum` is, if its other factors can be rounded or it has a low rank.
  private Optional<Product> product(Expr.Reduce sum, Definition definition) {
    return activations.keySet().stream().filter(product -> product.definition() == definition && product.sum().equals(sum))
        .filter(product -> policy.activations().isPresent() || isChanged(targets.get(product.weight().tensor()))).findFirst();
  }

  private static boolean isChanged(Target target) {
    return target.lowRank() || target.scaled();
  }

  private static Expr typed(Expr value, ElementType type) {
    return value.type() == type ? value : new Expr.Cast(type, value);
  }

  private Expr element(Expr.Access access, Definition definition, List<Definition> before) {
    Target target = targets.get(access.tensor());
    return new Expr.Access(stored.get(access.tensor()),
        target.order().stream().map(access.indices()::get).map(index -> change(index, definition, before)).toList());
  }

  private Expr product(Product product, List<Definition> before) {
    Activation activation = activations.get(product);
    Target target = targets.get(product.weight().tensor());
    activation.definition().filter(einsum -> before.stream().noneMatch(definition -> definition == einsum)).ifPresent(before::add);
    Tensor input = target.scaled() ? scaled.computeIfAbsent(List.of(activation.tensor(), factors.get(target.weight().tensor())),
        both -> scaled(both.getFirst(), both.getLast(), before)) : activation.tensor();
    Tensor factor = policy.activations().map(encoding -> rounded.computeIfAbsent(input, _ -> rounded(input, encoding, before))).orElse(input);
    Expr weight = typed(element(product.access(), product.definition(), before), product.access().tensor().type());
    Expr body = new Expr.Binary(BinaryOp.MUL, typed(activation.element(factor), product.sum().type()), typed(weight, product.sum().type()));
    Expr.Reduce sum = new Expr.Reduce(Reduction.SUM, product.sum().ranks(), body);
    return target.lowRank() ? new Expr.Binary(BinaryOp.ADD, sum, thin(product, activation, target, before)) : sum;
  }

  /// `input` as a format stores it, by calls of the format's functions.
  private Tensor rounded(Tensor input, Encoding encoding, List<Definition> before) {
    List<Size> sizes = encoding.sizes(input.shape().getLast().value()).stream().map(Size::of).toList();
    List<Tensor> codes = encoding.format().stored().stream()
        .map(name -> new Tensor(input.name() + "_" + name, ElementType.F32, List.of(), Span.NONE)).toList();
    Tensor result = new Tensor(input.name() + "_" + encoding.format().name(), ElementType.F32, input.shape(), Span.NONE);
    Tensor encoded = new Tensor(input.name() + "_encoded", ElementType.F32, input.shape(), Span.NONE);
    // Copies stand for the calls, whose text says what they are.
    before.add(copy(encoded, input));
    before.add(copy(result, encoded));
    calls.put(encoded, new Shorthand.Call(codes, "encode_" + encoding.format().name(), List.of(input), sizes));
    calls.put(result, new Shorthand.Call(List.of(result), "decode_" + encoding.format().name(), codes, sizes));
    return result;
  }

  private static Tensor scaled(Tensor input, Tensor factor, List<Definition> before) {
    Tensor result = new Tensor(input.name() + "_scaled", ElementType.F32, input.shape(), Span.NONE);
    Einsum copy = copy(result, input);
    Expr scale = new Expr.Access(factor, List.of(new Expr.Coordinate(copy.ranks().getLast())));
    before.add(copy.withValue(new Expr.Binary(BinaryOp.MUL, copy.value(), scale)));
    return result;
  }

  private static Einsum copy(Tensor tensor, Tensor of) {
    List<Rank> ranks = tensor.shape().stream().map(size -> new Rank("i", size)).toList();
    Expr element = new Expr.Access(of, ranks.stream().map(rank -> (Expr) new Expr.Coordinate(rank)).toList());
    return new Einsum(tensor, ranks, typed(element, tensor.type()), Span.NONE);
  }

  private Expr thin(Product product, Activation activation, Target target, List<Definition> before) {
    Tensor up = thin.get(target.weight().tensor()).getFirst();
    Tensor projection = projected.computeIfAbsent(thin.get(target.weight().tensor()).getLast(), down -> projection(activation, down, before));
    Rank rank = new Rank("r", up.shape().getLast());
    List<Expr> indices = activation.rows();
    indices.add(new Expr.Coordinate(rank));
    Expr row = product.access().indices().get(target.order().getFirst());
    Expr factor = new Expr.Cast(ElementType.F32, new Expr.Access(up, List.of(row, new Expr.Coordinate(rank))));
    Expr body = new Expr.Binary(BinaryOp.MUL, new Expr.Access(projection, indices), factor);
    return typed(new Expr.Reduce(Reduction.SUM, List.of(rank), body), product.sum().type());
  }

  private static Tensor projection(Activation activation, Tensor down, List<Definition> before) {
    List<Rank> ranks = new ArrayList<>();
    activation.ranks().subList(0, activation.ranks().size() - 1).forEach(rank -> ranks.add(new Rank(rank.name(), rank.size())));
    Rank summed = new Rank(activation.ranks().getLast().name(), down.shape().getLast());
    Rank rank = new Rank("r", down.shape().getFirst());
    List<Expr> indices = new ArrayList<>(ranks.stream().map(index -> (Expr) new Expr.Coordinate(index)).toList());
    indices.add(new Expr.Coordinate(summed));
    ranks.add(rank);
    Expr factor = new Expr.Cast(ElementType.F32, new Expr.Access(down, List.of(new Expr.Coordinate(rank), new Expr.Coordinate(summed))));
    Expr element = typed(new Expr.Access(activation.tensor(), indices), ElementType.F32);
    Tensor tensor = new Tensor(down.name() + "_product", ElementType.F32, ranks.stream().map(Rank::size).toList(), Span.NONE);
    Expr sum = new Expr.Reduce(Reduction.SUM, List.of(summed), new Expr.Binary(BinaryOp.MUL, element, factor));
    before.add(new Einsum(tensor, ranks, sum, Span.NONE));
    return tensor;
  }
}
