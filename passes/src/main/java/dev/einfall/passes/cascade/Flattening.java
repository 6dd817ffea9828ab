package dev.einfall.passes.cascade;

import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/// An Einsum with one rank in place of neighbours that stand side by side wherever one of them does, so that they have the strides of one:
/// tiles of rows then go on from one row of an image to the next.
///
/// ```
/// Y[p, q, m] = sum[c](X[p, q, c] * W[c, m])     =>     Y[pq, m] = sum[c](X[pq, c] * W[c, m])     flatten p q
/// for 7 x 7 pixels                                     for 49
/// ```
///
/// @param einsum what it looks like, over tensors that stand for those with more dimensions
/// @param flattened the ranks that are one
/// @param originals what stands for what
record Flattening(Einsum einsum, List<Mapping.Flatten> flattened, Map<Tensor, Tensor> originals) {

  /// `einsum` as it is.
  static Flattening none(Einsum einsum) {
    return new Flattening(einsum, List.of(), new IdentityHashMap<>());
  }

  /// `einsum` with as few ranks as possible; empty if none are more than one.
  static Optional<Flattening> of(Einsum einsum) {
    Flattening flat = none(einsum);
    for (List<Rank> run : runs(einsum)) {
      flat = flat.with(run);
    }
    return Optional.of(flat).filter(some -> !some.flattened.isEmpty());
  }

  /// The longest runs of output ranks that can be one and of which several have more than one coordinate.
  private static List<List<Rank>> runs(Einsum einsum) {
    List<List<Rank>> runs = new ArrayList<>();
    for (Rank rank : einsum.ranks()) {
      if (!runs.isEmpty() && areOne(runs.getLast().getLast(), rank, einsum.value())) {
        runs.getLast().add(rank);
      } else {
        runs.add(new ArrayList<>(List.of(rank)));
      }
    }
    return runs.stream().filter(run -> run.stream().filter(rank -> rank.size().value() > 1).count() > 1 && isFree(run, einsum)).toList();
  }

  private static boolean isFree(List<Rank> run, Einsum einsum) {
    String name = flatten(run).name();
    return einsum.ranks().stream().noneMatch(rank -> rank.name().equals(name))
        && einsum.value().nodes().flatMap(node -> node.bound().stream()).noneMatch(rank -> rank.name().equals(name));
  }

  private static Mapping.Flatten flatten(List<Rank> run) {
    return new Mapping.Flatten(run.stream().map(Rank::name).toList());
  }

  /// Whether `outer` and `inner` are only used side by side, as two indices of which the second goes along a whole dimension.
  private static boolean areOne(Rank outer, Rank inner, Expr value) {
    long pairs = Exprs.accesses(value).filter(access -> position(access, outer, inner).isPresent()).count();
    return count(value, outer) == pairs && count(value, inner) == pairs;
  }

  private static long count(Expr value, Rank rank) {
    return value.nodes().filter(node -> node instanceof Expr.Coordinate(Rank other) && other == rank).count();
  }

  /// The index of `access` that is `outer`, if the next one is `inner`.
  private static Optional<Integer> position(Expr.Access access, Rank outer, Rank inner) {
    return IntStream.range(0, access.indices().size() - 1).filter(i -> isCoordinate(access.indices().get(i), outer)
        && isCoordinate(access.indices().get(i + 1), inner) && access.tensor().shape().get(i + 1).equals(inner.size())).boxed().findFirst();
  }

  private static boolean isCoordinate(Expr index, Rank rank) {
    return index instanceof Expr.Coordinate(Rank other) && other == rank;
  }

  private Flattening with(List<Rank> run) {
    Rank flat = new Rank(flatten(run).name(), Size.of(Exprs.volume(run)));
    Map<Tensor, Tensor> sources = new IdentityHashMap<>(originals);
    Map<Expr.Access, Expr.Access> seen = new LinkedHashMap<>();
    Expr value = Exprs.rewrite(einsum.value(), node -> !(node instanceof Expr.Access access) ? node
        : seen.computeIfAbsent(access, _ -> merged(access, run, flat, sources)));
    List<Rank> ranks = new ArrayList<>(einsum.ranks());
    int first = ranks.indexOf(run.getFirst());
    ranks.subList(first, first + run.size()).clear();
    ranks.add(first, flat);
    Tensor output = einsum.tensor().withShape(ranks.stream().map(Rank::size).toList());
    List<Mapping.Flatten> all = new ArrayList<>(flattened);
    all.add(flatten(run));
    return new Flattening(new Einsum(output, ranks, value, einsum.span()), all, sources);
  }

  private static Expr.Access merged(Expr.Access access, List<Rank> run, Rank flat, Map<Tensor, Tensor> sources) {
    Optional<Integer> position = position(access, run.getFirst(), run.get(1));
    if (position.isEmpty()) {
      return access;
    }
    List<Expr> indices = new ArrayList<>(access.indices());
    List<Size> shape = new ArrayList<>(access.tensor().shape());
    List<Size> merged = shape.subList(position.get(), position.get() + run.size());
    Size extent = merged.stream().reduce(Size.of(1), Size::times);
    merged.clear();
    shape.add(position.get(), extent);
    indices.subList(position.get(), position.get() + run.size()).clear();
    indices.add(position.get(), new Expr.Coordinate(flat));
    Tensor view = access.tensor().withShape(shape);
    sources.put(view, sources.getOrDefault(access.tensor(), access.tensor()));
    return new Expr.Access(view, indices, access.outside());
  }

  /// Whether `rank` stands for several.
  boolean isFlat(Rank rank) {
    return flattened.stream().anyMatch(flatten -> flatten.name().equals(rank.name()));
  }

  /// `tensors` and what stands for them.
  Set<Tensor> withViews(Set<Tensor> tensors) {
    Set<Tensor> all = Exprs.identitySet();
    all.addAll(tensors);
    originals.forEach((view, original) -> {
      if (tensors.contains(original)) {
        all.add(view);
      }
    });
    return all;
  }
}
