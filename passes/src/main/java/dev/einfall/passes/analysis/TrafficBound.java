package dev.einfall.passes.analysis;

import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Work;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// How many bytes have to move between a cache and the memory behind it, whatever the mapping: at least what every input and
/// output has, and at least what the largest product of two operands needs. All sizes must be numbers.
///
/// A product of `i * j * k` points, whose operands and result are all in memory, moves `2 * i * j * k / sqrt(M)` elements
/// through a cache of M elements, less the cache itself (Hong and Kung, "I/O complexity: the red-blue pebble game", 1981; the
/// constant is that of Smith et al., 2019).
///
/// A result or an operand that only the cascade itself uses need not be in memory: each element of it can be made, used
/// and forgotten. But then all that goes into it meets in the cache. In the time in which M elements are moved, the cache sees
/// 2 M elements, so at most `(2 M / k) ^ 2` elements of a result get all of their `k` terms; for all `i * j` of them some `i * j * k ^ 2 / M`
/// elements move. Attention is two such products around scores that are never stored: `N * N` of them with `d` terms each, so
/// `N^2 * d^2 / M` (Dao et al., "FlashAttention", 2022; Saha and Ye, "The I/O complexity of attention", 2024: optimal for
/// `M >= d^2`; below that the bound of the product is). Nothing here knows of attention: whichever of the two bounds of a product is less, holds.
/// These are orders of magnitude, true but for a constant factor.
///
/// @param cacheBytes the size of the cache
/// @param compulsory the bytes of what is read and of the results, each once
/// @param products the bound of each product, in order
public record TrafficBound(long cacheBytes, long compulsory, List<Product> products) {
  public TrafficBound {
    products = List.copyOf(products);
  }

  /// The bound of one product, which defines `tensor` or is a part of what does.
  ///
  /// @param unstored what need not be in memory; empty where the bound is that of Hong and Kung
  /// @param formula the bound in elements, over the names of the ranks
  public record Product(Tensor tensor, Span span, Optional<Tensor> unstored, String formula, double bytes) {}

  /// A value, and the tensor that it is an element of. A state has another value in each of `steps`; one that is added to what
  /// it was sums over them, too.
  private record Result(Tensor tensor, Expr value, Span span, List<Rank> steps, List<Tensor> states) {
    static Stream<Result> of(Definition definition) {
      return switch (definition) {
        case Einsum einsum -> Stream.of(new Result(einsum.tensor(), einsum.value(), einsum.span(), List.of(), List.of()));
        case Recurrence recurrence -> recurrence.updates().stream().map(update ->
            new Result(update.tensor(), update.value(), update.span(), recurrence.steps(), recurrence.tensors()));
      };
    }

    Set<Rank> ranks(Expr.Access access) {
      Set<Rank> ranks = access.indices().stream().flatMap(Expr::nodes)
          .flatMap(node -> node instanceof Expr.Coordinate(Rank rank) ? Stream.of(rank) : Stream.empty())
          .collect(Collectors.toCollection(LinkedHashSet::new));
      ranks.addAll(states.contains(access.tensor()) ? steps : List.of());
      return ranks;
    }

    Set<Rank> reduced(Expr.Reduce reduce) {
      Set<Rank> reduced = new LinkedHashSet<>(reduce.ranks());
      boolean adds = value.nodes().anyMatch(node -> node instanceof Expr.Access access && access.tensor() == tensor);
      reduced.addAll(adds ? steps : List.of());
      return reduced;
    }
  }

  /// The bound for the definitions that `once` says nothing of: the other ones are computed before.
  public static TrafficBound of(Cascade cascade, long cacheBytes, Set<Tensor> once) {
    List<Definition> definitions = cascade.definitions().stream()
        .filter(definition -> !once.containsAll(definition.tensors())).toList();
    Set<Tensor> made = Collections.newSetFromMap(new IdentityHashMap<>());
    definitions.forEach(definition -> made.addAll(definition.tensors()));
    cascade.outputs().forEach(output -> made.remove(output.tensor()));
    List<Product> products = new ArrayList<>();
    definitions.stream().flatMap(Result::of).forEach(result -> result.value.nodes().distinct()
        .flatMap(node -> node instanceof Expr.Reduce reduce ? Contraction.of(reduce, result).stream() : Stream.empty())
        .forEach(product -> products.add(product.bound(result, made, cacheBytes))));
    return new TrafficBound(cacheBytes, compulsory(cascade, definitions, made), products);
  }

  /// The least bytes that move.
  public double bytes() {
    return Math.max(compulsory, products.stream().mapToDouble(Product::bytes).max().orElse(0));
  }

  private static long compulsory(Cascade cascade, List<Definition> definitions, Set<Tensor> made) {
    Map<Tensor, Long> read = new IdentityHashMap<>();
    for (Definition definition : definitions) {
      Work.of(definition).reads().forEach((tensor, bytes) -> read.merge(tensor, (long) bytes.value(), Math::max));
    }
    Set<Tensor> given = Collections.newSetFromMap(new IdentityHashMap<>());
    given.addAll(read.keySet());
    given.removeAll(made);
    cascade.outputs().forEach(output -> given.remove(output.tensor()));
    long written = cascade.outputs().stream().mapToLong(output -> elements(output.tensor()) * output.tensor().type().bytes()).sum();
    return written + given.stream().mapToLong(read::get).sum();
  }

  private static long elements(Tensor tensor) {
    return tensor.shape().stream().mapToLong(size -> size.constant().orElseThrow()).reduce(1, Math::multiplyExact);
  }

  /// A sum of products of two accesses: `batch` are the ranks that both and the result have, `left` and `right` those that
  /// one of them and the result have, `reduced` those that are summed.
  private record Contraction(
      Expr.Access first, Expr.Access second, Set<Rank> batch, Set<Rank> left, Set<Rank> right, Set<Rank> reduced) {

    /// The product that `reduce` is, if it is one.
    static Optional<Contraction> of(Expr.Reduce reduce, Result result) {
      List<Expr.Access> accesses = reduce.body().nodes()
          .flatMap(node -> node instanceof Expr.Access access ? Stream.of(access) : Stream.empty()).toList();
      Optional<Contraction> best = Optional.empty();
      for (int i = 0; reduce.reduction() == Reduction.SUM && i < accesses.size(); i++) {
        for (int j = i + 1; j < accesses.size(); j++) {
          Contraction found = of(result.reduced(reduce), result, accesses.get(i), accesses.get(j));
          boolean isProduct = !found.left.isEmpty() && !found.right.isEmpty() && !found.reduced.isEmpty();
          best = isProduct && best.filter(other -> other.points() >= found.points()).isEmpty() ? Optional.of(found) : best;
        }
      }
      return best;
    }

    private static Contraction of(Set<Rank> bound, Result result, Expr.Access first, Expr.Access second) {
      Set<Rank> mine = result.ranks(first);
      Set<Rank> theirs = result.ranks(second);
      return new Contraction(first, second,
          select(mine, rank -> theirs.contains(rank) && !bound.contains(rank)),
          select(mine, rank -> !theirs.contains(rank) && !bound.contains(rank)),
          select(theirs, rank -> !mine.contains(rank) && !bound.contains(rank)),
          select(mine, rank -> theirs.contains(rank) && bound.contains(rank)));
    }

    private static Set<Rank> select(Collection<Rank> ranks, Predicate<Rank> keep) {
      return ranks.stream().filter(keep).collect(Collectors.toCollection(LinkedHashSet::new));
    }

    private double points() {
      return volume(batch) * volume(left) * volume(right) * volume(reduced);
    }

    /// The least of the bounds that hold.
    Product bound(Result result, Set<Tensor> made, long cacheBytes) {
      double cache = cacheBytes / (double) first.tensor().type().bytes();
      Product best = product(result, Optional.empty(), "2 * " + text(List.of(batch, left, right, reduced)) + " / sqrt(M)",
          Math.max(0, 2 * points() / Math.sqrt(cache) - 2 * cache));
      if (made.contains(result.tensor)) {
        best = least(best, forgotten(result, result.tensor, reduced, left, right, cache));
      }
      if (made.contains(first.tensor())) {
        best = least(best, forgotten(result, first.tensor(), right, left, reduced, cache));
      }
      return made.contains(second.tensor()) ? least(best, forgotten(result, second.tensor(), left, right, reduced, cache)) : best;
    }

    /// The bound where each element of `unstored`, over the ranks `own` and `others`, meets all points of `terms` in the cache.
    private Product forgotten(Result result, Tensor unstored, Set<Rank> terms, Set<Rank> own, Set<Rank> others, double cache) {
      double elements = volume(batch) * volume(own) * volume(others);
      return product(result, Optional.of(unstored), text(List.of(batch, own, others)) + " * " + squares(terms) + " / M",
          elements * volume(terms) * volume(terms) / cache);
    }

    private Product product(Result result, Optional<Tensor> unstored, String formula, double elements) {
      return new Product(result.tensor, result.span, unstored, formula, elements * first.tensor().type().bytes());
    }

    private static Product least(Product a, Product b) {
      return b.bytes() < a.bytes() ? b : a;
    }

    private static String text(List<Set<Rank>> ranks) {
      return ranks.stream().flatMap(Set::stream).map(Rank::name).collect(Collectors.joining(" * "));
    }

    private static String squares(Set<Rank> ranks) {
      return ranks.stream().map(rank -> rank.name() + "^2").collect(Collectors.joining(" * "));
    }

    private static double volume(Set<Rank> ranks) {
      return ranks.stream().mapToDouble(rank -> rank.size().value()).reduce(1, (a, b) -> a * b);
    }
  }
}
