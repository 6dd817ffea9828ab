package dev.einfall.runtime.quantize;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Shorthand;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.runtime.Options;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/// Makes the program whose caches are in a format of the one whose caches are in floats.
///
/// ```
///                                               k_scale, k_code = encode_int8(k, 64)
/// update K_1 from K {                           update K_scale_1 from K_scale {
///   K_1[h, position[] + p, d] = k[h, p, d]  =>    K_scale_1[h, position[] + p, g] = k_scale[h, p, g]
/// }                                             }
///                                               update K_code_1 from K_code { ... }
///                                               K_1 = decode_int8(K_scale_1, K_code_1, 64)
/// S[h, m] = sum[d](q[h, d] * K_1[h, m, d])      S[h, m] = sum[d](q[h, d] * K_1[h, m, d])
/// ```
///
/// Rows that come are encoded, and those that were there are never decoded to be encoded again. What else reads a cache reads what it is decoded to. Where a cache was an
/// input or an output, there is one for each tensor that the format stores.
final class CacheRewriting {
  private final Caches caches;
  private final Encoding encoding;
  private final Options options;
  private final Map<Integer, CacheFormat> formats = new LinkedHashMap<>();
  private final Map<Tensor, Stored> stored = new LinkedHashMap<>();
  private final Map<Tensor, Tensor> decoded = new LinkedHashMap<>();
  private final Map<Tensor, List<Tensor>> encoded = new LinkedHashMap<>();
  private final Map<Tensor, Shorthand.Call> calls = new LinkedHashMap<>();
  private final List<Definition> definitions = new ArrayList<>();
  private final List<CacheInput> inputs = new ArrayList<>();
  private final Set<String> inputNames = new HashSet<>();
  private final Set<String> outputNames = new HashSet<>();

  /// A cache in the format: the dimensions that count its rows come first, in order.
  private record Stored(int dimension, CacheFormat format, List<Tensor> parts) {}

  /// @param inputs those that are in the format
  record Result(Rewriting.Result program, List<CacheInput> inputs) {

    /// @param remade the caches that stand for others
    Result with(List<Rematerialisation.Remade> remade) {
      return new Result(program, inputs.stream()
          .map(input -> input.with(remade.stream().filter(other -> other.input().name().equals(input.name())).findFirst())).toList());
    }
  }

  /// @throws CompileException when the format does not fit a cache
  CacheRewriting(Cascade cascade, Caches caches, Encoding encoding, Options options) {
    this.caches = caches;
    this.encoding = encoding;
    this.options = options;
    cascade.inputs().stream().filter(input -> !isCache(input)).map(Tensor::name).forEach(inputNames::add);
    cascade.weights().stream().map(weight -> weight.tensor().name()).forEach(inputNames::add);
    cascade.outputs().stream().filter(output -> !isCache(output.tensor())).map(Cascade.Output::name).forEach(outputNames::add);
    cascade.inputs().stream().filter(this::isCache).forEach(this::stored);
    caches.rows().keySet().forEach(this::stored);
  }

  Result apply(Rewriting.Result program) {
    Cascade cascade = program.cascade();
    List<Tensor> newInputs = new ArrayList<>();
    for (Tensor input : cascade.inputs()) {
      newInputs.addAll(isCache(input) ? input(input) : List.of(input));
    }
    for (Definition definition : cascade.definitions()) {
      switch (definition) {
        case Recurrence recurrence when isCache(recurrence.tensors().getFirst()) -> append(recurrence.mapExprs(this::read));
        case Einsum einsum when isCache(einsum.tensor()) -> choose(einsum);
        case Definition other -> definitions.add(based(other.mapExprs(this::read)));
      }
    }
    List<Cascade.Output> outputs = cascade.outputs().stream().flatMap(output -> outputs(output).stream()).toList();
    Cascade result = new Cascade(cascade.name(), newInputs, cascade.weights(), definitions, outputs, cascade.withDefinitions(definitions).mapping());
    calls.putAll(program.shorthand().calls());
    calls.replaceAll((_, call) -> new Shorthand.Call(call.results(), call.function(), call.arguments().stream().map(this::read).toList(), call.sizes()));
    return new Result(new Rewriting.Result(result, new Shorthand(program.shorthand().types(), calls)), inputs);
  }

  private boolean isCache(Tensor tensor) {
    return caches.rows().containsKey(tensor);
  }

  private List<Tensor> input(Tensor input) {
    Stored parts = stored(input);
    inputs.add(new CacheInput(input.name(), input.type(), parts.format, order(input, parts.dimension), parts.parts.stream().map(Tensor::name).toList(), Optional.empty()));
    return parts.parts;
  }

  /// The tensors that stand for a cache.
  private Stored stored(Tensor cache) {
    return stored.computeIfAbsent(cache, _ -> {
      int dimension = caches.rows().get(cache);
      CacheFormat format = formats.computeIfAbsent(cache.shape().get(dimension).constant().map(Long::intValue).orElse(0),
          _ -> CacheFormat.of(cache, dimension, encoding, options));
      return new Stored(dimension, format, parts(cache.name(), without(cache.shape(), dimension), format, inputNames));
    });
  }

  /// @param taken the names that these may not have, to which theirs are added
  private static List<Tensor> parts(String name, List<Size> rows, CacheFormat format, Set<String> taken) {
    return format.parts().stream().map(part -> {
      List<Size> shape = new ArrayList<>(rows);
      shape.addAll(part.shape());
      return new Tensor(fresh(name + "_" + part.name(), taken), part.type(), shape, Span.NONE);
    }).toList();
  }

  private static String fresh(String name, Set<String> taken) {
    String fresh = name;
    for (int i = 1; !taken.add(fresh); i++) {
      fresh = name + "_" + i;
    }
    return fresh;
  }

  private static <T> List<T> without(List<T> all, int place) {
    List<T> rest = new ArrayList<>(all);
    rest.remove(place);
    return rest;
  }

  /// The dimensions of a cache in the order in which it is stored.
  private static List<Integer> order(Tensor cache, int dimension) {
    List<Integer> order = without(IntStream.range(0, cache.shape().size()).boxed().toList(), dimension);
    order.add(dimension);
    return order;
  }

  private void append(Recurrence recurrence) {
    Tensor result = recurrence.tensors().getFirst();
    Stored before = stored(recurrence.states().getFirst().base().orElseThrow());
    Stored after = stored(result);
    List<List<Recurrence.Update>> updates = new ArrayList<>();
    recurrence.updates().forEach(update -> updates.add(updates(update, after)));
    for (int i = 0; i < after.parts.size(); i++) {
      int part = i;
      definitions.add(new Recurrence(List.of(), List.of(new Recurrence.State(after.parts.get(i), before.parts.get(i))),
          updates.stream().map(all -> all.get(part)).toList(), Optional.empty(), recurrence.span()));
    }
  }

  /// An update of rows for each of the stored tensors.
  private List<Recurrence.Update> updates(Recurrence.Update update, Stored cache) {
    Rank element = ((Expr.Coordinate) update.indices().get(cache.dimension)).rank();
    List<Rank> rows = update.ranks().stream().filter(rank -> rank != element).toList();
    List<Tensor> values = encoded(rows(update, rows, element), cache.format);
    List<Recurrence.Update> updates = new ArrayList<>();
    for (int i = 0; i < values.size(); i++) {
      List<Rank> inner = cache.format.parts().get(i).shape().stream().map(size -> new Rank("i", size)).toList();
      List<Rank> ranks = new ArrayList<>(rows);
      ranks.addAll(inner);
      List<Expr> indices = without(update.indices(), cache.dimension);
      indices.addAll(Additions.coordinates(inner));
      Expr value = new Expr.Access(values.get(i), Additions.coordinates(ranks));
      updates.add(new Recurrence.Update(cache.parts.get(i), ranks, indices, Optional.empty(), value, update.where(), update.span()));
    }
    return updates;
  }

  /// What an update writes, of `f32`, with a dimension for each of `rows`, and that of the elements behind them.
  private Tensor rows(Recurrence.Update update, List<Rank> rows, Rank element) {
    List<Rank> ranks = new ArrayList<>(rows);
    ranks.add(element);
    List<Size> shape = ranks.stream().map(Rank::size).toList();
    if (update.value() instanceof Expr.Access access && access.outside().isEmpty() && access.indices().equals(Additions.coordinates(ranks))
        && access.tensor().shape().equals(shape) && access.tensor().type() == ElementType.F32) {
      return access.tensor();
    }
    // An index may leave its bounds where nothing is written.
    Expr value = update.where().<Expr>map(where -> new Expr.Select(where, update.value(), Expr.literal(update.value().type(), 0))).orElse(update.value());
    return Additions.to(definitions).define(update.tensor().name() + "_new", ranks, Additions.floating(value));
  }

  /// What the format stores of a tensor whose last dimension has the elements of a row.
  private List<Tensor> encoded(Tensor rows, CacheFormat format) {
    return encoded.computeIfAbsent(rows, _ -> {
      List<Tensor> parts = parts(rows.name(), rows.shape().subList(0, rows.shape().size() - 1), format, new HashSet<>());
      call(new Tensor(rows.name() + "_encoded", ElementType.F32, List.of(), Span.NONE),
          new Shorthand.Call(parts, "encode_" + encoding.format().name(), List.of(rows), sizes(format)));
      return parts;
    });
  }

  private List<Size> sizes(CacheFormat format) {
    return encoding.sizes(format.length()).stream().map(Size::of).toList();
  }

  /// A call of a function of the format, whose text stands in the place of a definition of `tensor`.
  private void call(Tensor tensor, Shorthand.Call call) {
    List<Rank> ranks = Additions.ranks(tensor);
    definitions.add(new Einsum(tensor, ranks, Expr.literal(ElementType.F32, 0), Span.NONE));
    calls.put(tensor, call);
  }

  /// A choice of rows is one of what is stored of them.
  private void choose(Einsum einsum) {
    Rank element = Caches.chosen(einsum, caches.rows()).orElseThrow();
    Stored cache = stored(einsum.tensor());
    List<Rank> rows = einsum.ranks().stream().filter(rank -> rank != element).toList();
    for (int i = 0; i < cache.parts.size(); i++) {
      List<Rank> inner = cache.format.parts().get(i).shape().stream().map(size -> new Rank("i", size)).toList();
      List<Rank> ranks = new ArrayList<>(rows);
      ranks.addAll(inner);
      Expr value = chosen(einsum.value(), element, cache.format, i, inner);
      definitions.add(new Einsum(cache.parts.get(i), ranks, value, einsum.span()));
    }
  }

  private Expr chosen(Expr value, Rank element, CacheFormat format, int part, List<Rank> inner) {
    return switch (value) {
      case Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) ->
          new Expr.Select(read(condition), chosen(whenTrue, element, format, part, inner), chosen(whenFalse, element, format, part, inner));
      case Expr.Access access -> {
        int dimension = Caches.dimension(access, element).orElseThrow();
        boolean isStored = isCache(access.tensor()) && stored(access.tensor()).dimension == dimension;
        List<Tensor> parts = isStored ? stored(access.tensor()).parts : encoded(turned(read(access.tensor()), dimension), format);
        List<Expr> indices = new ArrayList<>(without(access.indices(), dimension).stream().map(this::read).toList());
        indices.addAll(Additions.coordinates(inner));
        yield new Expr.Access(parts.get(part), indices);
      }
      case Expr _ -> throw new IllegalStateException("a choice of " + value);
    };
  }

  /// With the elements of rows in the last dimension, as `f32`.
  private Tensor turned(Tensor tensor, int dimension) {
    if (dimension == tensor.shape().size() - 1 && tensor.type() == ElementType.F32) {
      return tensor;
    }
    List<Rank> ranks = Additions.ranks(tensor);
    Expr element = Additions.floating(new Expr.Access(tensor, Additions.coordinates(ranks)));
    return Additions.to(definitions).define(tensor.name() + "_rows", order(tensor, dimension).stream().map(ranks::get).toList(), element);
  }

  private Expr read(Expr expr) {
    return switch (expr) {
      case Expr.Access access when isCache(access.tensor()) ->
          new Expr.Access(read(access.tensor()), access.indices().stream().map(this::read).toList(), access.outside().map(this::read));
      case Expr other -> other.mapChildren(this::read);
    };
  }

  /// What a cache is decoded to; another tensor is itself.
  private Tensor read(Tensor tensor) {
    return isCache(tensor) ? decoded.computeIfAbsent(tensor, this::decode) : tensor;
  }

  private Tensor decode(Tensor cache) {
    Stored parts = stored(cache);
    List<Integer> order = order(cache, parts.dimension);
    boolean isAsStored = parts.dimension == cache.shape().size() - 1 && cache.type() == ElementType.F32;
    Tensor rows = new Tensor(cache.name() + (isAsStored ? "" : "_rows"), ElementType.F32, order.stream().map(cache.shape()::get).toList(), Span.NONE);
    call(rows, new Shorthand.Call(List.of(rows), "decode_" + encoding.format().name(), parts.parts, sizes(parts.format)));
    if (isAsStored) {
      return rows;
    }
    Tensor result = new Tensor(cache.name(), cache.type(), cache.shape(), Span.NONE);
    List<Rank> ranks = Additions.ranks(result);
    Expr element = new Expr.Access(rows, Additions.coordinates(order.stream().map(ranks::get).toList()));
    definitions.add(new Einsum(result, ranks, cache.type() == ElementType.F32 ? element : new Expr.Cast(cache.type(), element), Span.NONE));
    return result;
  }

  /// A recurrence that starts with a cache, and is none itself.
  private Definition based(Definition definition) {
    return definition instanceof Recurrence recurrence ? new Recurrence(recurrence.steps(), recurrence.states().stream()
        .map(state -> new Recurrence.State(state.tensor(), switch (state.start()) {
          case Recurrence.Start.Copy(Tensor base) -> new Recurrence.Start.Copy(read(base));
          case Recurrence.Start.Fill fill -> fill;
        })).toList(), recurrence.updates(), recurrence.condition(), recurrence.span()) : definition;
  }

  private List<Cascade.Output> outputs(Cascade.Output output) {
    if (!isCache(output.tensor())) {
      return List.of(output);
    }
    Stored cache = stored(output.tensor());
    return IntStream.range(0, cache.parts.size())
        .mapToObj(i -> new Cascade.Output(fresh(output.name() + "_" + cache.format.parts().get(i).name(), outputNames), cache.parts.get(i))).toList();
  }
}
