package dev.einfall.runtime.quantize;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Makes the program whose caches hold what keys and values are computed of, of the one whose caches hold these (XQuant, Tomar et al., 2025).
///
/// ```
/// update K_1 from K {                           update x_1 from x_cache {
///   K_1[position[] + p, e] = k[p, e]              x_1[position[] + p, d] = x[p, d]
/// }                                      =>     }
/// update V_1 from V {                           K_1[n, e] = sum[d](x_1[n, d] * A[d, e])
///   V_1[position[] + p, e] = v[p, e]            V_1[n, e] = sum[d](x_1[n, d] * B[d, e])
/// }
/// ```
///
/// Caches whose rows come at the same places and are the same functions of the rows of one tensor share that tensor's cache, if a row of it has fewer elements than theirs
/// have together: of several such tensors the smallest. What is a function of its place, too, as turned keys are, is computed anew of the place.
final class Rematerialisation {
  private final Rewriting.Result program;
  private final List<CachedRows> caches;
  private final RowOrigins origins;
  private final CacheChange.Names names = new CacheChange.Names();
  private final List<Remade> remade = new ArrayList<>();
  private final Map<Tensor, Remade> byInput = new LinkedHashMap<>();

  /// A cache in the place of others.
  ///
  /// @param origin what it holds rows of
  /// @param caches those that are computed of it
  /// @param input it, as the program takes it
  /// @param versions it, by each of the caches and of what is made of these
  record Remade(RowOrigins.Rows origin, List<CachedRows> caches, Tensor input, Map<Tensor, Tensor> versions) {

    /// How it becomes what stands for `version` of one of the caches.
    private Definition change(CachedRows cache, Tensor version, CacheChange.Names names) {
      CacheChange change = cache.changes().get(cache.versions().indexOf(version) - 1);
      return change.of(origin, cache.versions().stream().map(versions::get).toList(), versions.get(version), names);
    }

    /// Those of a row.
    long elements() {
      return RowOrigins.elements(origin.tensor(), origin.dimension());
    }

    /// What a row of all the caches took.
    long bytesBefore() {
      return caches.stream().mapToLong(cache -> cache.input().type().bytes() * RowOrigins.elements(cache.input(), cache.dimension())).sum();
    }
  }

  /// @param remade the caches that took the places of others
  record Result(Rewriting.Result program, List<Remade> remade) {}

  private Rematerialisation(Rewriting.Result program, Caches all, String file) {
    this.program = program;
    this.origins = RowOrigins.of(program);
    List<String> reasons = new ArrayList<>();
    this.caches = program.cascade().inputs().stream().filter(input -> all.rows().containsKey(input))
        .flatMap(input -> CachedRows.of(input, all, program.cascade(), names, reasons).stream()).toList();
    Set<CachedRows> grouped = new HashSet<>();
    for (CachedRows cache : caches) {
      if (grouped.add(cache)) {
        List<CachedRows> group = new ArrayList<>(List.of(cache));
        caches.stream().filter(other -> !grouped.contains(other) && !common(List.of(cache, other)).isEmpty() && cache.comesWith(other)).forEach(group::add);
        grouped.addAll(group);
        add(group, reasons);
      }
    }
    if (remade.isEmpty()) {
      throw CompileException.of("no cache of " + file + " can be made anew of what is smaller: " + String.join("; ", reasons) + ". Expected caches whose rows are functions,"
          + " with weights, of the rows of another tensor of fewer elements; without rematerialise they are stored as they are");
    }
  }

  /// @param isKept whether the input of this name stays as it is
  /// @throws CompileException when there is no such cache
  static Result of(Rewriting.Result program, String file, Predicate<String> isKept) {
    return new Rematerialisation(program, Caches.of(program.cascade(), file, isKept), file).apply();
  }

  private List<RowOrigins.Rows> common(List<CachedRows> group) {
    List<RowOrigins.Rows> common = new ArrayList<>(origins(group.getFirst()));
    group.forEach(cache -> common.retainAll(origins(cache)));
    return common;
  }

  private List<RowOrigins.Rows> origins(CachedRows cache) {
    return origins.all(cache.value(), cache.row(), cache.place());
  }

  private void add(List<CachedRows> group, List<String> reasons) {
    long before = group.stream().mapToLong(cache -> RowOrigins.elements(cache.input(), cache.dimension())).sum();
    Optional<RowOrigins.Rows> best = common(group).stream().filter(rows -> rows.tensor().type().isFloat())
        .min((left, right) -> Long.compare(size(left), size(right)));
    String names = String.join(" and ", group.stream().map(cache -> "'" + cache.input().name() + "'").toList());
    if (best.isEmpty()) {
      reasons.add("rows of " + names + " are computed of more than rows of one tensor and weights");
    } else if (size(best.get()) >= before) {
      reasons.add("a row of " + names + " has " + before + " elements, and one of '" + best.get().tensor().name() + "' " + size(best.get()));
    } else {
      Remade made = remade(best.get(), group);
      remade.add(made);
      group.forEach(cache -> byInput.put(cache.input(), made));
    }
  }

  private static long size(RowOrigins.Rows rows) {
    return RowOrigins.elements(rows.tensor(), rows.dimension());
  }

  private Remade remade(RowOrigins.Rows origin, List<CachedRows> group) {
    Set<String> taken = new HashSet<>();
    program.cascade().inputs().forEach(input -> taken.add(input.name()));
    program.cascade().weights().forEach(weight -> taken.add(weight.tensor().name()));
    remade.forEach(other -> taken.add(other.input.name()));
    String name = origin.tensor().name() + "_cache";
    String free = Stream.concat(Stream.of(name), IntStream.iterate(1, i -> i + 1).mapToObj(i -> name + "_" + i)).filter(found -> !taken.contains(found)).findFirst().orElseThrow();
    List<Tensor> versions = group.getFirst().versions().stream().map(version -> new Tensor(free, origin.tensor().type(),
        CachedRows.with(origin.tensor().shape(), origin.dimension(), version.shape().get(group.getFirst().dimension())), Span.NONE)).toList();
    Map<Tensor, Tensor> byVersion = new LinkedHashMap<>();
    for (CachedRows cache : group) {
      IntStream.range(0, versions.size()).forEach(i -> byVersion.put(cache.versions().get(i), versions.get(i)));
    }
    return new Remade(origin, group, versions.getFirst(), byVersion);
  }

  private Result apply() {
    Cascade cascade = program.cascade();
    List<Definition> definitions = new ArrayList<>();
    Set<Tensor> made = new HashSet<>();
    for (Definition definition : cascade.definitions()) {
      Optional<CachedRows> cache = caches.stream().filter(found -> byInput.containsKey(found.input()) && found.versions().contains(definition.tensors().getFirst())).findFirst();
      if (cache.isPresent()) {
        Remade remade = byInput.get(cache.get().input());
        if (made.add(remade.versions.get(definition.tensors().getFirst()))) {
          definitions.add(remade.change(cache.get(), definition.tensors().getFirst(), names));
        }
        anew(cache.get(), definition.tensors().getFirst(), remade, definitions);
      } else {
        definitions.add(definition);
      }
    }
    List<Tensor> inputs = new ArrayList<>(new LinkedHashSet<>(cascade.inputs().stream().map(input -> byInput.containsKey(input) ? byInput.get(input).input : input).toList()));
    List<Cascade.Output> outputs = outputs(cascade);
    List<Definition> alive = alive(definitions, outputs);
    Cascade result = new Cascade(cascade.name(), inputs, cascade.weights(), alive, outputs, cascade.withDefinitions(alive).mapping());
    return new Result(new Rewriting.Result(result, program.shorthand()), remade);
  }

  /// Defines a cache, or what was made of it, of the rows of its origin that are kept.
  private void anew(CachedRows cache, Tensor version, Remade remade, List<Definition> definitions) {
    Rank row = new Rank("n", version.shape().get(cache.dimension()));
    Map<RowOrigins.Rows, Tensor> copies = new LinkedHashMap<>(Map.of(remade.origin, remade.versions.get(version)));
    Expr value = anew(cache.value(), cache.row(), row, cache.place(), copies, definitions);
    List<Rank> ranks = new ArrayList<>(cache.ranks());
    ranks.set(cache.dimension(), row);
    definitions.add(new Einsum(version, ranks, value, Span.NONE));
  }

  private Expr anew(Expr expr, Rank old, Rank row, Optional<RowOrigins.Place> place, Map<RowOrigins.Rows, Tensor> copies, List<Definition> definitions) {
    if (place.isPresent() && place.get().is(expr, old)) {
      return expr.type() == new Expr.Coordinate(row).type() ? new Expr.Coordinate(row) : new Expr.Cast(expr.type(), new Expr.Coordinate(row));
    }
    return switch (expr) {
      case Expr.Access access when origins.dimension(access, old).isPresent() -> {
        int dimension = origins.dimension(access, old).get();
        Tensor tensor = copy(new RowOrigins.Rows(access.tensor(), dimension), row, place, copies, definitions);
        List<Expr> indices = new ArrayList<>(access.indices().stream().map(index -> anew(index, old, row, place, copies, definitions)).toList());
        indices.set(dimension, new Expr.Coordinate(row));
        yield new Expr.Access(tensor, indices);
      }
      case Expr.Coordinate(Rank rank) when rank == old -> new Expr.Coordinate(row);
      case Expr other -> other.mapChildren(child -> anew(child, old, row, place, copies, definitions));
    };
  }

  /// The rows of a tensor, computed for all that are kept.
  private Tensor copy(RowOrigins.Rows rows, Rank row, Optional<RowOrigins.Place> place, Map<RowOrigins.Rows, Tensor> copies, List<Definition> definitions) {
    if (!copies.containsKey(rows)) {
      Einsum einsum = origins.definitions().get(rows.tensor());
      Expr value = anew(einsum.value(), einsum.ranks().get(rows.dimension()), row, place, copies, definitions);
      Tensor tensor = new Tensor(rows.tensor().name() + "_past", rows.tensor().type(), CachedRows.with(rows.tensor().shape(), rows.dimension(), row.size()), Span.NONE);
      List<Rank> ranks = new ArrayList<>(einsum.ranks());
      ranks.set(rows.dimension(), row);
      definitions.add(new Einsum(tensor, ranks, value, einsum.span()));
      copies.put(rows, tensor);
    }
    return copies.get(rows);
  }

  /// In the place of the first of the caches of one origin, it.
  private List<Cascade.Output> outputs(Cascade cascade) {
    Map<Tensor, Cascade.Output> outputs = new LinkedHashMap<>();
    Set<String> taken = new HashSet<>(cascade.outputs().stream().map(Cascade.Output::name).toList());
    for (Cascade.Output output : cascade.outputs()) {
      Optional<Remade> found = remade.stream().filter(remade -> remade.versions.containsKey(output.tensor())).findFirst();
      Tensor tensor = found.map(remade -> remade.versions.get(output.tensor())).orElse(output.tensor());
      if (!outputs.containsKey(tensor)) {
        String name = found.map(remade -> fresh(remade.origin.tensor().name() + "_cached", taken)).orElse(output.name());
        outputs.put(tensor, new Cascade.Output(name, tensor));
      }
    }
    return List.copyOf(outputs.values());
  }

  private static String fresh(String name, Set<String> taken) {
    String fresh = name;
    for (int i = 1; !taken.add(fresh); i++) {
      fresh = name + "_" + i;
    }
    return fresh;
  }

  /// Without what only the rows that were stored needed.
  private List<Definition> alive(List<Definition> definitions, List<Cascade.Output> outputs) {
    Set<Tensor> read = new HashSet<>();
    outputs.forEach(output -> read.add(output.tensor()));
    program.shorthand().calls().values().forEach(call -> read.addAll(call.arguments()));
    List<Definition> alive = new ArrayList<>();
    for (Definition definition : definitions.reversed()) {
      Stream<Tensor> defined = Stream.concat(definition.tensors().stream(), definition.tensors().stream().map(program.shorthand().calls()::get)
          .flatMap(call -> call == null ? Stream.empty() : call.results().stream()));
      if (defined.anyMatch(read::contains)) {
        alive.addFirst(definition);
        definition.exprs().flatMap(Expr::nodes).forEach(node -> {
          if (node instanceof Expr.Access access) {
            read.add(access.tensor());
          }
        });
        if (definition instanceof Recurrence recurrence) {
          recurrence.states().forEach(state -> state.base().ifPresent(read::add));
        }
      }
    }
    return alive;
  }
}
