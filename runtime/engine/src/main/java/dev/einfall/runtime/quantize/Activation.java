package dev.einfall.runtime.quantize;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What a product multiplies a weight with, as a tensor whose last rank is summed.
///
/// @param definition that of the tensor, where the program has no such tensor
/// @param ranks those of the product, at which the tensor is read
record Activation(Tensor tensor, Optional<Einsum> definition, List<Rank> ranks) {

  static Activation of(Product product) {
    return direct(product).orElseGet(() -> computed(product));
  }

  /// The indices of a point of the product in all dimensions but the last, which is summed.
  List<Expr> rows() {
    return new ArrayList<>(ranks.subList(0, ranks.size() - 1).stream().map(rank -> (Expr) new Expr.Coordinate(rank)).toList());
  }

  /// The element of a point of the product.
  Expr.Access element(Tensor of) {
    return new Expr.Access(of, ranks.stream().map(rank -> (Expr) new Expr.Coordinate(rank)).toList());
  }

  private static Optional<Activation> direct(Product product) {
    if (product.others().size() != 1 || !(product.others().getFirst() instanceof Expr.Access access) || access.outside().isPresent()) {
      return Optional.empty();
    }
    List<Rank> ranks = new ArrayList<>();
    for (Expr index : access.indices()) {
      if (!(index instanceof Expr.Coordinate(Rank rank)) || ranks.contains(rank) || !rank.size().equals(access.tensor().shape().get(ranks.size()))) {
        return Optional.empty();
      }
      ranks.add(rank);
    }
    boolean endsInSum = !ranks.isEmpty() && ranks.getLast() == product.rank();
    return endsInSum ? Optional.of(new Activation(access.tensor(), Optional.empty(), ranks)) : Optional.empty();
  }

  private static Activation computed(Product product) {
    Expr value = product.others().stream().reduce((left, right) -> new Expr.Binary(BinaryOp.MUL, left, right)).orElseThrow();
    Set<Rank> bound = new LinkedHashSet<>();
    Set<Rank> free = new LinkedHashSet<>();
    value.nodes().forEach(node -> {
      bound.addAll(node.bound());
      if (node instanceof Expr.Coordinate(Rank rank)) {
        free.add(rank);
      }
    });
    free.removeAll(bound);
    free.remove(product.rank());
    free.add(product.rank());
    Map<Rank, Rank> own = new LinkedHashMap<>();
    free.forEach(rank -> own.put(rank, new Rank(rank.name(), rank.size())));
    Tensor tensor = new Tensor(product.weight().tensor().name() + "_input", value.type(), free.stream().map(Rank::size).toList(), Span.NONE);
    Einsum einsum = new Einsum(tensor, List.copyOf(own.values()), Additions.renamed(value, own), Span.NONE);
    return new Activation(tensor, Optional.of(einsum), List.copyOf(free));
  }
}
