package dev.einfall.runtime.quantize;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// A sum over products of a weight's elements with others: `sum[k](X[m, k] * W[n, k])`.
///
/// @param definition what it stands in
/// @param access the weight's
/// @param position the dimension of the weight that is summed: the largest, of several
/// @param others the other factors
record Product(Definition definition, Expr.Reduce sum, Cascade.Weight weight, Expr.Access access, int position, List<Expr> others) {

  /// Those of `cascade`, in order.
  static List<Product> of(Cascade cascade) {
    Map<Tensor, Cascade.Weight> weights = cascade.weights().stream().collect(Collectors.toMap(Cascade.Weight::tensor, Function.identity()));
    List<Product> products = new ArrayList<>();
    for (Definition definition : cascade.definitions()) {
      definition.exprs().flatMap(Expr::nodes).distinct().forEach(node -> {
        if (node instanceof Expr.Reduce sum && sum.reduction() == Reduction.SUM) {
          of(definition, sum, weights).ifPresent(products::add);
        }
      });
    }
    return products;
  }

  private static Optional<Product> of(Definition definition, Expr.Reduce sum, Map<Tensor, Cascade.Weight> weights) {
    List<Expr> factors = factors(sum.body());
    for (Expr factor : factors) {
      List<Expr> others = factors.stream().filter(other -> other != factor).toList();
      Optional<Expr.Access> access = access(factor).filter(read -> weights.containsKey(read.tensor()) && isMatrix(read.tensor()));
      Optional<Integer> position = access.flatMap(read -> position(read, sum, others));
      if (position.isPresent()) {
        return Optional.of(new Product(definition, sum, weights.get(access.get().tensor()), access.get(), position.get(), others));
      }
    }
    return Optional.empty();
  }

  private static boolean isMatrix(Tensor tensor) {
    return tensor.type().isFloat() && tensor.shape().size() >= 2;
  }

  private static List<Expr> factors(Expr expr) {
    if (expr instanceof Expr.Binary(BinaryOp op, Expr left, Expr right) && op == BinaryOp.MUL) {
      List<Expr> factors = new ArrayList<>(factors(left));
      factors.addAll(factors(right));
      return factors;
    }
    return List.of(expr);
  }

  /// The tensor's element that a factor is, perhaps in another type.
  private static Optional<Expr.Access> access(Expr factor) {
    return switch (factor) {
      case Expr.Access access when access.outside().isEmpty() -> Optional.of(access);
      case Expr.Cast(_, Expr.Access access) when access.outside().isEmpty() -> Optional.of(access);
      case Expr _ -> Optional.empty();
    };
  }

  private static Optional<Integer> position(Expr.Access access, Expr.Reduce sum, List<Expr> others) {
    return IntStream.range(0, access.indices().size()).boxed()
        .filter(i -> access.indices().get(i) instanceof Expr.Coordinate(Rank rank) && sum.ranks().contains(rank)
            && others.stream().anyMatch(other -> reads(other, rank)))
        .max(Comparator.comparing((Integer i) -> access.tensor().shape().get(i).constant().orElse(0L)).thenComparing(Comparator.naturalOrder()));
  }

  private static boolean reads(Expr expr, Rank rank) {
    return expr.nodes().anyMatch(node -> node.equals(new Expr.Coordinate(rank)));
  }

  /// The rank that is summed along [#position].
  Rank rank() {
    return ((Expr.Coordinate) access.indices().get(position)).rank();
  }

  /// Whether [#activation] can be had: the product stands in an Einsum, and the other factors are no indices and no weights alone.
  boolean hasActivation() {
    return definition instanceof Einsum && sum.ranks().stream().noneMatch(rank -> rank != rank() && isBoundAgain(rank));
  }

  private boolean isBoundAgain(Rank rank) {
    return others.stream().flatMap(Expr::nodes).anyMatch(node -> node.bound().contains(rank));
  }
}
