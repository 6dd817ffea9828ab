package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Writes a network in the order of a tree: an Einsum for each product of two, the last of which defines the root's tensor.
/// What an Einsum of the source computes already is read from there.
final class ContractionWriter {
  private final Einsum root;
  private final ProductNetwork network;
  private final List<Einsum> written = new ArrayList<>();

  /// A value, or what is divided by.
  private record Operand(Expr value, boolean isDivisor) {}

  private ContractionWriter(Einsum root, ProductNetwork network) {
    this.root = root;
    this.network = network;
  }

  /// The Einsums in an order in which each comes before those that need it; `root` is the last.
  static List<Einsum> write(Einsum root, ProductNetwork network, ContractionOrder.Tree tree) {
    ContractionWriter writer = new ContractionWriter(root, network);
    Expr value = writer.value(tree);
    if (network.scale() != 1) {
      // One reduction is an Einsum, as everywhere.
      value = value instanceof Expr.Reduce ? writer.define(value, network.allFactors()) : value;
      value = new Expr.Binary(BinaryOp.MUL, value, Expr.literal(network.type(), network.scale()));
    }
    writer.written.add(root.withValue(Exprs.freshRanks(value)));
    return writer.written;
  }

  /// The product of `tree`, in terms of the network's ranks.
  private Expr value(ContractionOrder.Tree tree) {
    return switch (tree) {
      case ContractionOrder.Leaf leaf -> summed(multiplied(one(), factor(leaf)), tree.factors(), network.ranksOf(tree.factors()));
      case ContractionOrder.Pair(ContractionOrder.Tree left, ContractionOrder.Tree right) -> {
        long ranks = network.keptRanks(left.factors()) | network.keptRanks(right.factors());
        Operand a = operand(left, ranks);
        Operand b = operand(right, ranks);
        Expr product = a.isDivisor ? multiplied(multiplied(one(), b), a) : multiplied(a.value, b);
        yield summed(product, tree.factors(), ranks);
      }
    };
  }

  private Expr one() {
    return Expr.literal(network.type(), 1);
  }

  private static Expr multiplied(Expr product, Operand factor) {
    boolean isOne = product instanceof Expr.FloatLiteral && !factor.isDivisor;
    return isOne ? factor.value : new Expr.Binary(factor.isDivisor ? BinaryOp.DIV : BinaryOp.MUL, product, factor.value);
  }

  private Expr summed(Expr product, long factors, long ranks) {
    List<Rank> reduced = network.list(ranks & ~network.keptRanks(factors));
    return reduced.isEmpty() ? product : new Expr.Reduce(Reduction.SUM, reduced, product);
  }

  private Operand factor(ContractionOrder.Leaf leaf) {
    ProductNetwork.Factor factor = network.factors().get(leaf.factor());
    return new Operand(factor.value(), factor.isDivisor());
  }

  /// `tree` as an operand of a product over `ranks`: an element of what it computes, or a factor as it stands, unless that would
  /// be computed again for ranks that it does not depend on.
  private Operand operand(ContractionOrder.Tree tree, long ranks) {
    long set = tree.factors();
    Set<Rank> kept = Exprs.identitySet();
    kept.addAll(network.list(network.keptRanks(set)));
    Optional<Expr.Access> same = network.parts().stream().filter(part -> part.factors() == set).map(ProductNetwork.Part::access)
        .filter(access -> Exprs.freeRanks(access).equals(kept)).findFirst();
    if (same.isPresent()) {
      return new Operand(same.get(), false);
    }
    if (tree instanceof ContractionOrder.Leaf leaf && network.ranksOf(set) == network.keptRanks(set)) {
      Operand factor = factor(leaf);
      boolean cheap = ranks == network.ranksOf(set) || Exprs.operations(factor.value) == 0;
      return cheap ? factor : new Operand(define(factor.value, set), factor.isDivisor);
    }
    return new Operand(define(value(tree), set), false);
  }

  /// Adds an Einsum for `value` and gives the access to it.
  private Expr define(Expr value, long factors) {
    long kept = network.keptRanks(factors);
    List<Rank> outer = inOrder(kept, factors);
    Map<Rank, Expr> renamed = new IdentityHashMap<>();
    List<Rank> ranks = outer.stream().map(rank -> new Rank(rank.name(), rank.size())).toList();
    for (int i = 0; i < ranks.size(); i++) {
      renamed.put(outer.get(i), new Expr.Coordinate(ranks.get(i)));
    }
    Tensor tensor = new Tensor(root.tensor().name() + "_product", network.type(), ranks.stream().map(Rank::size).toList(), root.span());
    written.add(new Einsum(tensor, ranks, Exprs.freshRanks(Exprs.substitute(value, renamed)), root.span()));
    return new Expr.Access(tensor, Exprs.coordinates(outer));
  }

  /// The ranks of the result but its last one, then those that are summed over later, in the order in which the factors have them,
  /// then the last: rows of the operands of a product lie so that it reads them in order.
  private List<Rank> inOrder(long ranks, long factors) {
    List<Rank> wanted = network.list(ranks);
    Set<Rank> result = new LinkedHashSet<>(wanted.stream().filter(root.ranks()::contains).toList());
    Optional<Rank> last = root.ranks().isEmpty() ? Optional.empty() : Optional.of(root.ranks().getLast()).filter(wanted::contains);
    last.ifPresent(result::remove);
    for (int i = 0; i < network.factors().size(); i++) {
      if ((factors >> i & 1) != 0) {
        network.factors().get(i).value().nodes().flatMap(node -> node instanceof Expr.Coordinate(Rank rank) ? Stream.of(rank) : Stream.empty())
            .filter(wanted::contains).filter(rank -> last.isEmpty() || rank != last.get()).forEach(result::add);
      }
    }
    last.ifPresent(result::add);
    return List.copyOf(result);
  }
}
