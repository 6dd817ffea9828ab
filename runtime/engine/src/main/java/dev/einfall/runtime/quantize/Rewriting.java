package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.StoredTensor;
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
/// What has steps before it is rounded has them first, each a definition or two. A weight that is stored scaled for itself has what it is divided by beside it,
/// and `X_scaled[m, k] = X[m, k] * W_factor[k]` is multiplied with it. Columns that stay as they are have a product of their own, which is added.
/// With a low rank, the product has `+ sum[r](P[m, r] * f32(W_up[n, r]))`, with `P[m, r] = sum[k](X[m, k] * f32(W_down[r, k]))`.
final class Rewriting {
  /// The names of the thin matrices, behind the key of their weight.
  static final String UP = ".up";
  static final String DOWN = ".down";

  private final Policy policy;
  private final Map<Tensor, Target> targets = new LinkedHashMap<>();
  private final Map<Tensor, Tensor> stored = new LinkedHashMap<>();
  private final Map<Tensor, List<Tensor>> thin = new LinkedHashMap<>();
  private final Map<Tensor, Tensor> outliers = new LinkedHashMap<>();
  private final Map<Product, Activation> activations;
  private final Map<Tensor, String> types = new LinkedHashMap<>();
  private final Map<Tensor, Shorthand.Call> calls = new LinkedHashMap<>();
  private final Map<Tensor, Tensor> rounded = new LinkedHashMap<>();
  private final Map<Tensor, Tensor> projected = new LinkedHashMap<>();
  private final Map<List<Object>, Tensor> scaled = new LinkedHashMap<>();
  private final Map<StaticScales.Input, Prepared> inputs = new LinkedHashMap<>();
  private final Preparation preparation;
  private final StaticScales scales;

  /// What is multiplied with stored weights.
  ///
  /// @param outliers the columns that have a product of their own, if there are some
  private record Prepared(Tensor tensor, Optional<Tensor> outliers) {}

  /// @param activations those of products that have one
  /// @param scales those of activations that are known
  Rewriting(List<Target> targets, Map<Product, Activation> activations, Preparation preparation, StaticScales scales, Policy policy) {
    this.policy = policy;
    this.preparation = preparation;
    this.scales = scales;
    this.activations = activations;
    targets.forEach(target -> this.targets.put(target.weight().tensor(), target));
  }

  /// @param shorthand what the cascade's text says in other words
  record Result(Cascade cascade, Shorthand shorthand) {}

  Result apply(Cascade cascade) {
    List<Cascade.Weight> weights = new ArrayList<>();
    cascade.weights().forEach(weight -> weights.addAll(weights(weight)));
    List<Definition> definitions = new ArrayList<>();
    Additions additions = Additions.to(definitions);
    for (Definition definition : cascade.definitions()) {
      Definition changed = definition.mapExprs(expr -> change(expr, definition, additions));
      definitions.add(changed);
    }
    weights.addAll(additions.weights().values());
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
    int kept = maps(target).stream().mapToInt(map -> map instanceof OutlierColumns(_, int[] columns) ? columns.length : 0).sum();
    if (kept > 0) {
      List<Size> shape = new ArrayList<>(target.shape().subList(0, target.shape().size() - 1));
      shape.add(Size.of(kept));
      Tensor columns = new Tensor(tensor.name() + "_outliers", ElementType.F16, shape, Span.NONE);
      outliers.put(weight.tensor(), columns);
      weights.add(new Cascade.Weight(columns, weight.key() + OutlierColumns.OUTLIERS));
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

  private Expr change(Expr expr, Definition definition, Additions additions) {
    Optional<Product> product = expr instanceof Expr.Reduce sum ? product(sum, definition) : Optional.empty();
    return product.isPresent() ? product(product.get(), additions) : switch (expr) {
      case Expr.Access access when stored.containsKey(access.tensor()) -> typed(element(access, definition, additions), access.tensor().type());
      case Expr.Cast(ElementType type, Expr.Access access) when type == ElementType.F32 && stored.containsKey(access.tensor()) ->
          element(access, definition, additions);
      case Expr other -> other.mapChildren(child -> change(child, definition, additions));
    };
  }

  /// The product that `sum` is, if its other factors can be rounded or it has a low rank.
  private Optional<Product> product(Expr.Reduce sum, Definition definition) {
    return activations.keySet().stream().filter(product -> product.definition() == definition && product.sum().equals(sum))
        .filter(product -> policy.activations().isPresent() || isChanged(targets.get(product.weight().tensor()))).findFirst();
  }

  private boolean isChanged(Target target) {
    return target.lowRank() || target.scaled() || !maps(target).isEmpty();
  }

  /// What the program does to what a weight is multiplied with.
  private List<ChannelMap> maps(Target target) {
    return preparation.inProgram(target, activations);
  }

  private static Expr typed(Expr value, ElementType type) {
    return value.type() == type ? value : new Expr.Cast(type, value);
  }

  private Expr element(Expr.Access access, Definition definition, Additions additions) {
    Target target = targets.get(access.tensor());
    return new Expr.Access(stored.get(access.tensor()),
        target.order().stream().map(access.indices()::get).map(index -> change(index, definition, additions)).toList());
  }

  private Expr product(Product product, Additions additions) {
    Activation activation = activations.get(product);
    Target target = targets.get(product.weight().tensor());
    activation.definition().filter(einsum -> additions.definitions().stream().noneMatch(definition -> definition == einsum))
        .ifPresent(additions.definitions()::add);
    StaticScales.Input place = new StaticScales.Input(activation.tensor(), preparation.has(target));
    Prepared prepared = inputs.computeIfAbsent(place, _ -> prepared(target, activation, additions));
    Tensor input = target.scaled() ? scaled.computeIfAbsent(List.of(prepared.tensor, target.weight()), _ -> scaled(prepared.tensor, target, additions))
        : prepared.tensor;
    Tensor factor = policy.activations().map(encoding -> rounded.computeIfAbsent(input, _ -> rounded(input, encoding, scales.scales().get(place), additions)))
        .orElse(input);
    Expr weight = typed(element(product.access(), product.definition(), additions), product.access().tensor().type());
    Expr body = new Expr.Binary(BinaryOp.MUL, typed(activation.element(factor), product.sum().type()), typed(weight, product.sum().type()));
    Expr sum = new Expr.Reduce(Reduction.SUM, product.sum().ranks(), body);
    Expr whole = prepared.outliers.map(taken -> plus(sum, outliers(product, activation, target, taken))).orElse(sum);
    return target.lowRank() ? plus(whole, thin(product, activation, input, target, additions)) : whole;
  }

  private static Expr plus(Expr left, Expr right) {
    return new Expr.Binary(BinaryOp.ADD, left, right);
  }

  private Prepared prepared(Target target, Activation activation, Additions additions) {
    Tensor tensor = activation.tensor();
    Optional<Tensor> taken = Optional.empty();
    for (ChannelMap map : maps(target)) {
      ChannelMap.Owner owner = preparation.inputs().get(activation.tensor()).owner();
      if (map instanceof OutlierColumns columns) {
        taken = Optional.of(columns.taken(tensor, owner, additions));
      }
      tensor = map.applied(tensor, owner, additions);
    }
    return new Prepared(tensor, taken);
  }

  private Tensor scaled(Tensor input, Target target, Additions additions) {
    Tensor weight = stored.get(target.weight().tensor());
    return ChannelScales.aware(target.length()).applied(input, new ChannelMap.Owner(target.weight().key(), weight.name()), additions);
  }

  /// The product with columns that stay as they are.
  private Expr outliers(Product product, Activation activation, Target target, Tensor taken) {
    Rank column = new Rank("o", taken.shape().getLast());
    List<Rank> ranks = new ArrayList<>(product.sum().ranks().stream().filter(rank -> rank != product.rank()).toList());
    ranks.add(column);
    List<Expr> left = activation.rows();
    left.add(new Expr.Coordinate(column));
    List<Expr> right = new ArrayList<>(target.order().subList(0, target.order().size() - 1).stream().map(product.access().indices()::get).toList());
    right.add(new Expr.Coordinate(column));
    Expr body = new Expr.Binary(BinaryOp.MUL, new Expr.Access(taken, left),
        Additions.floating(new Expr.Access(outliers.get(target.weight().tensor()), right)));
    return typed(new Expr.Reduce(Reduction.SUM, ranks, body), product.sum().type());
  }

  /// `input` as a format stores it, by calls of the format's functions.
  ///
  /// @param known the scales, if they are
  private Tensor rounded(Tensor input, Encoding encoding, List<StoredTensor> known, Additions additions) {
    List<Size> sizes = encoding.sizes(input.shape().getLast().value()).stream().map(Size::of).toList();
    String name = encoding.format().name();
    List<String> names = encoding.format().stored().stream().map(part -> input.name() + "_" + part).toList();
    Tensor result = new Tensor(input.name() + "_" + name, ElementType.F32, input.shape(), Span.NONE);
    Tensor encoded = new Tensor(input.name() + "_encoded", ElementType.F32, input.shape(), Span.NONE);
    List<Tensor> codes = new ArrayList<>();
    boolean isKnown = known != null && !known.isEmpty();
    if (isKnown) {
      known.forEach(scale -> codes.add(repeated(names.get(codes.size()), input, scale, additions)));
    }
    List<Tensor> arguments = new ArrayList<>(List.of(input));
    arguments.addAll(codes);
    List<Tensor> computed = names.subList(codes.size(), names.size()).stream().map(part -> new Tensor(part, ElementType.F32, List.of(), Span.NONE)).toList();
    codes.addAll(computed);
    // Copies stand for the calls, whose text says what they are.
    additions.definitions().add(copy(encoded, input));
    additions.definitions().add(copy(result, encoded));
    calls.put(encoded, new Shorthand.Call(computed, (isKnown ? "code_" : "encode_") + name, arguments, sizes));
    calls.put(result, new Shorthand.Call(List.of(result), "decode_" + name, codes, sizes));
    return result;
  }

  /// The same scales for every row of `input`.
  private static Tensor repeated(String name, Tensor input, StoredTensor scale, Additions additions) {
    List<Integer> shape = scale.shape().stream().map(Math::toIntExact).toList();
    Tensor weight = additions.weight(scale.key(), name + "_known", scale.type(), shape);
    List<Rank> ranks = new ArrayList<>(Additions.ranks(input).subList(0, input.shape().size() - 1));
    List<Rank> own = Additions.ranks(weight);
    ranks.addAll(own);
    Tensor repeated = new Tensor(name, scale.type(), ranks.stream().map(Rank::size).toList(), Span.NONE);
    additions.definitions().add(new Einsum(repeated, ranks, new Expr.Access(weight, Additions.coordinates(own)), Span.NONE));
    return repeated;
  }

  private static Einsum copy(Tensor tensor, Tensor of) {
    List<Rank> ranks = tensor.shape().stream().map(size -> new Rank("i", size)).toList();
    Expr element = new Expr.Access(of, ranks.stream().map(rank -> (Expr) new Expr.Coordinate(rank)).toList());
    return new Einsum(tensor, ranks, typed(element, tensor.type()), Span.NONE);
  }

  private Expr thin(Product product, Activation activation, Tensor input, Target target, Additions additions) {
    Tensor up = thin.get(target.weight().tensor()).getFirst();
    Tensor projection = projected.computeIfAbsent(thin.get(target.weight().tensor()).getLast(), down -> projection(activation, input, down, additions));
    Rank rank = new Rank("r", up.shape().getLast());
    List<Expr> indices = activation.rows();
    indices.add(new Expr.Coordinate(rank));
    Expr row = product.access().indices().get(target.order().getFirst());
    Expr factor = new Expr.Cast(ElementType.F32, new Expr.Access(up, List.of(row, new Expr.Coordinate(rank))));
    Expr body = new Expr.Binary(BinaryOp.MUL, new Expr.Access(projection, indices), factor);
    return typed(new Expr.Reduce(Reduction.SUM, List.of(rank), body), product.sum().type());
  }

  private static Tensor projection(Activation activation, Tensor input, Tensor down, Additions additions) {
    List<Rank> ranks = new ArrayList<>();
    activation.ranks().subList(0, activation.ranks().size() - 1).forEach(rank -> ranks.add(new Rank(rank.name(), rank.size())));
    Rank summed = new Rank(activation.ranks().getLast().name(), down.shape().getLast());
    Rank rank = new Rank("r", down.shape().getFirst());
    List<Expr> indices = new ArrayList<>(ranks.stream().map(index -> (Expr) new Expr.Coordinate(index)).toList());
    indices.add(new Expr.Coordinate(summed));
    ranks.add(rank);
    Expr factor = new Expr.Cast(ElementType.F32, new Expr.Access(down, List.of(new Expr.Coordinate(rank), new Expr.Coordinate(summed))));
    Expr element = Additions.floating(new Expr.Access(input, indices));
    Tensor tensor = new Tensor(down.name() + "_product", ElementType.F32, ranks.stream().map(Rank::size).toList(), Span.NONE);
    Expr sum = new Expr.Reduce(Reduction.SUM, List.of(summed), new Expr.Binary(BinaryOp.MUL, element, factor));
    additions.definitions().add(new Einsum(tensor, ranks, sum, Span.NONE));
    return tensor;
  }
}
