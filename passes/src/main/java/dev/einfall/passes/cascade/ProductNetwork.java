package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/// A sum of products of many factors, which the products of a chain are together:
///
/// ```
/// P[m, k] = sum[j](A[m, j] * B[j, k])
/// Y[m] = sum[k](P[m, k] * v[k])           sum[j, k](A[m, j] * B[j, k] * v[k])
/// ```
///
/// Sets of factors and of ranks are bits of a `long`, by their places in the lists.
///
/// @param ranks those of the result, then those summed over
/// @param outputs how many of them are those of the result
/// @param factors what is multiplied, but for numbers
/// @param scale the product of the numbers, 1 if there are none
/// @param expanded the Einsums whose values stand in place of their tensors
/// @param parts the factors that each of these is the product of
record ProductNetwork(
    ElementType type, List<Rank> ranks, int outputs, List<Factor> factors, double scale, List<Einsum> expanded, List<Part> parts) {

  /// One factor, or what is divided by, and the ranks that it depends on.
  record Factor(Expr value, boolean isDivisor, long ranks) {}

  /// What `access` reads: the product of `factors`, summed over the ranks that nothing else has.
  record Part(Expr.Access access, long factors) {}

  private static final int MOST_RANKS = 60;

  /// The network of `root`, with the values of the Einsums that `expand` gives for accesses in it; empty if it is no product.
  static Optional<ProductNetwork> of(Einsum root, Function<Expr.Access, Optional<Einsum>> expand) {
    Builder builder = new Builder(root, expand);
    builder.add(root.value(), false);
    return builder.network();
  }

  /// Whether `value` is of the form that a network takes apart: a sum, a product, a quotient, or a view of another tensor.
  static boolean isProduct(Expr value) {
    return switch (value) {
      case Expr.Reduce reduce -> reduce.reduction() == Reduction.SUM;
      case Expr.Binary binary -> binary.op() == BinaryOp.MUL || binary.op() == BinaryOp.DIV && binary.type().isFloat();
      case Expr.Unary unary -> unary.op() == UnaryOp.NEG && unary.type().isFloat();
      case Expr.Access access -> isView(access);
      case Expr _ -> false;
    };
  }

  /// Whether `value` is an element of another tensor at indices that do not depend on data.
  static boolean isView(Expr value) {
    return value instanceof Expr.Access access && access.outside().isEmpty()
        && access.indices().stream().allMatch(index -> Exprs.accesses(index).findAny().isEmpty());
  }

  long allFactors() {
    return (1L << factors.size()) - 1;
  }

  long outputRanks() {
    return (1L << outputs) - 1;
  }

  /// The ranks that the factors in `set` depend on.
  long ranksOf(long set) {
    long found = 0;
    for (int i = 0; i < factors.size(); i++) {
      found |= (set >> i & 1) == 0 ? 0 : factors.get(i).ranks;
    }
    return found;
  }

  /// The ranks that the product of `set` must keep: those of the result and of other factors.
  long keptRanks(long set) {
    return ranksOf(set) & (outputRanks() | ranksOf(allFactors() & ~set));
  }

  /// The number of points of a set of ranks.
  double points(long rankSet) {
    double points = 1;
    for (int i = 0; i < ranks.size(); i++) {
      points *= (rankSet >> i & 1) == 0 ? 1 : ranks.get(i).size().value();
    }
    return points;
  }

  List<Rank> list(long rankSet) {
    List<Rank> result = new ArrayList<>();
    for (int i = 0; i < ranks.size(); i++) {
      if ((rankSet >> i & 1) != 0) {
        result.add(ranks.get(i));
      }
    }
    return result;
  }

  private static final class Builder {
    private final Einsum root;
    private final Function<Expr.Access, Optional<Einsum>> expand;
    private final List<Rank> ranks = new ArrayList<>();
    private final List<Expr> values = new ArrayList<>();
    private final List<Boolean> divisors = new ArrayList<>();
    private final List<Einsum> expanded = new ArrayList<>();
    private final List<Part> parts = new ArrayList<>();
    private double scale = 1;

    Builder(Einsum root, Function<Expr.Access, Optional<Einsum>> expand) {
      this.root = root;
      this.expand = expand;
      ranks.addAll(root.ranks());
    }

    void add(Expr value, boolean isDivisor) {
      switch (value) {
        case Expr.Reduce reduce when reduce.reduction() == Reduction.SUM && !isDivisor -> {
          // The same reduction may stand in several places.
          Expr.Reduce own = reduce.ranks().stream().anyMatch(ranks::contains) ? (Expr.Reduce) Exprs.freshRanks(reduce) : reduce;
          ranks.addAll(own.ranks());
          add(own.body(), false);
        }
        case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.MUL -> {
          add(left, isDivisor);
          add(right, isDivisor);
        }
        case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.DIV && value.type().isFloat() -> {
          add(left, isDivisor);
          add(right, !isDivisor);
        }
        case Expr.Unary(UnaryOp op, Expr operand) when op == UnaryOp.NEG && value.type().isFloat() -> {
          scale = -scale;
          add(operand, isDivisor);
        }
        case Expr.FloatLiteral(_, double number) -> scale = isDivisor ? scale / number : scale * number;
        case Expr.Access access when !isDivisor && expand.apply(access).isPresent() -> expand(access, expand.apply(access).get());
        case Expr _ -> {
          values.add(value);
          divisors.add(isDivisor);
        }
      }
    }

    private void expand(Expr.Access access, Einsum producer) {
      int first = values.size();
      double outer = scale;
      scale = 1;
      expanded.add(producer);
      add(inlined(access, producer), false);
      if (scale == 1 && values.size() > first && values.size() < Long.SIZE - 1) {
        parts.add(new Part(access, (1L << values.size()) - (1L << first)));
      }
      scale *= outer;
    }

    Optional<ProductNetwork> network() {
      splitRanks();
      boolean fits = ranks.size() <= MOST_RANKS && values.size() <= MOST_RANKS && !values.isEmpty() && hasRange(root.value().type());
      if (!fits) {
        return Optional.empty();
      }
      List<Factor> factors = new ArrayList<>();
      for (int i = 0; i < values.size(); i++) {
        factors.add(new Factor(values.get(i), divisors.get(i), bits(values.get(i))));
      }
      ProductNetwork network = new ProductNetwork(root.tensor().type(), List.copyOf(ranks), root.ranks().size(), List.copyOf(factors),
          scale, List.copyOf(expanded), List.copyOf(parts));
      // What is summed and in no factor is a factor itself.
      boolean complete = (network.ranksOf(network.allFactors()) | network.outputRanks()) == (1L << ranks.size()) - 1;
      return complete ? Optional.of(network) : Optional.empty();
    }

    /// Takes ranks apart that factors read by their quotients and remainders, so that these can be summed over one by one: the
    /// blocks of a block-diagonal matrix and the coordinates inside of them.
    private void splitRanks() {
      for (Rank rank : List.copyOf(ranks.subList(root.ranks().size(), ranks.size()))) {
        List<Long> divisors = values.stream().flatMap(Expr::nodes).flatMap(node -> divisor(node, rank).stream()).distinct().toList();
        if (divisors.size() == 1 && divisors.getFirst() > 1 && rank.size().value() % divisors.getFirst() == 0) {
          split(rank, divisors.getFirst());
        }
      }
    }

    /// The number by which `node` divides the coordinate of `rank`.
    private static Optional<Long> divisor(Expr node, Rank rank) {
      return node instanceof Expr.Binary(BinaryOp op, Expr left, Expr right) && (op == BinaryOp.DIV || op == BinaryOp.MOD)
          && left.equals(new Expr.Coordinate(rank)) && right instanceof Expr.IntLiteral literal ? Optional.of(literal.value()) : Optional.empty();
    }

    private void split(Rank rank, long size) {
      Rank block = new Rank(rank.name() + "1", Size.of(rank.size().value() / size));
      Rank inside = new Rank(rank.name() + "0", Size.of(size));
      Map<Rank, Expr> joined = new IdentityHashMap<>();
      joined.put(rank, new Expr.Binary(BinaryOp.ADD,
          new Expr.Binary(BinaryOp.MUL, new Expr.Coordinate(block), Expr.index(size)), new Expr.Coordinate(inside)));
      ranks.addAll(ranks.indexOf(rank), List.of(block, inside));
      ranks.remove(rank);
      values.replaceAll(value -> IndexForm.withSimpleIndices(Exprs.substitute(value, joined)));
      parts.replaceAll(part -> new Part(
          (Expr.Access) IndexForm.withSimpleIndices(Exprs.substitute(part.access, joined)), part.factors));
    }

    /// Whether products and sums in another order overflow no more easily: the scale of a half may be what keeps it finite.
    private static boolean hasRange(ElementType type) {
      return type == ElementType.F32 || type == ElementType.F64;
    }

    private long bits(Expr value) {
      Set<Rank> free = Exprs.freeRanks(value);
      long bits = 0;
      for (int i = 0; i < ranks.size(); i++) {
        bits |= free.contains(ranks.get(i)) ? 1L << i : 0;
      }
      return bits;
    }
  }

  /// The value of `producer` at the indices of `access`, with ranks of its own.
  static Expr inlined(Expr.Access access, Einsum producer) {
    Map<Rank, Expr> values = new IdentityHashMap<>();
    for (int i = 0; i < producer.ranks().size(); i++) {
      values.put(producer.ranks().get(i), access.indices().get(i));
    }
    return IndexForm.withSimpleIndices(Exprs.substitute(Exprs.freshRanks(producer.value()), values));
  }

  /// The tensors read by the factors.
  List<Tensor> reads() {
    return factors.stream().flatMap(factor -> Exprs.accesses(factor.value)).map(Expr.Access::tensor).distinct().toList();
  }
}
