package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The order in which the factors of a network are multiplied two by two, each sum done as soon as no other factor has its
/// rank. Of few factors all orders are compared; of more, those two are taken next whose product adds least.
///
/// The cost is the operations, and [#BYTE] for each byte read or written. What depends on weights alone is computed once and
/// costs nothing, but it is read.
final class ContractionOrder {
  /// The operations that take as long as moving a byte between a core and its caches.
  static final double BYTE = 2;
  /// There are `3 ^ n` ways to cut the subsets of `n` factors in two.
  private static final int MOST_COMPARED = 10;

  /// The factors multiplied, and in which order.
  sealed interface Tree {
    long factors();
  }

  record Leaf(int factor) implements Tree {
    @Override
    public long factors() {
      return 1L << factor;
    }
  }

  record Pair(Tree left, Tree right) implements Tree {
    @Override
    public long factors() {
      return left.factors() | right.factors();
    }
  }

  private record Best(Tree tree, double cost) {}

  private final ProductNetwork network;
  private final Set<Tensor> constant;

  private ContractionOrder(ProductNetwork network, Set<Tensor> constant) {
    this.network = network;
    this.constant = constant;
  }

  /// The cheapest order found.
  static Tree of(ProductNetwork network, Set<Tensor> constant) {
    ContractionOrder order = new ContractionOrder(network, constant);
    return network.factors().size() <= MOST_COMPARED ? order.compared() : order.greedy();
  }

  private Tree compared() {
    Map<Long, Best> best = new HashMap<>();
    for (int i = 0; i < network.factors().size(); i++) {
      best.put(1L << i, leaf(i));
    }
    for (long set = 1; set <= network.allFactors(); set++) {
      if (Long.bitCount(set) > 1) {
        best.put(set, best(set, best));
      }
    }
    return best.get(network.allFactors()).tree;
  }

  /// The best way to cut `set` in two. The first factor is on the left, so that each way is seen once.
  private Best best(long set, Map<Long, Best> smaller) {
    Best best = null;
    for (long left = set - 1 & set; left > 0; left = left - 1 & set) {
      if ((left & Long.lowestOneBit(set)) != 0) {
        Best pair = pair(smaller.get(left), smaller.get(set & ~left));
        best = best == null || pair.cost < best.cost ? pair : best;
      }
    }
    return best;
  }

  private Tree greedy() {
    List<Best> open = new ArrayList<>();
    for (int i = 0; i < network.factors().size(); i++) {
      open.add(leaf(i));
    }
    while (open.size() > 1) {
      int first = 0;
      int second = 1;
      double least = Double.POSITIVE_INFINITY;
      for (int i = 0; i < open.size(); i++) {
        for (int j = i + 1; j < open.size(); j++) {
          double added = pair(open.get(i), open.get(j)).cost - open.get(i).cost - open.get(j).cost;
          if (added < least) {
            least = added;
            first = i;
            second = j;
          }
        }
      }
      Best right = open.remove(second);
      open.set(first, pair(open.get(first), right));
    }
    return open.getFirst().tree;
  }

  private Best leaf(int factor) {
    long set = 1L << factor;
    long ranks = network.ranksOf(set);
    boolean reduced = ranks != network.keptRanks(set) && !isConstant(set);
    double cost = reduced ? network.points(ranks) + BYTE * (bytes(new Leaf(factor), false) + bytes(new Leaf(factor), true)) : 0;
    return new Best(new Leaf(factor), cost);
  }

  private Best pair(Best left, Best right) {
    Tree tree = new Pair(left.tree, right.tree);
    double cost = left.cost + right.cost;
    if (isConstant(tree.factors())) {
      return new Best(tree, cost);
    }
    long ranks = network.keptRanks(left.tree.factors()) | network.keptRanks(right.tree.factors());
    int operations = ranks == network.keptRanks(tree.factors()) ? 1 : 2;
    double moved = bytes(left.tree, true) + bytes(right.tree, true) + bytes(tree, true);
    return new Best(tree, cost + operations * network.points(ranks) + BYTE * moved);
  }

  /// The bytes of what `tree` makes, or of the factor that it is before any sum.
  private double bytes(Tree tree, boolean summed) {
    long set = tree.factors();
    double points = network.points(summed ? network.keptRanks(set) : network.ranksOf(set));
    boolean isElement = tree instanceof Leaf(int factor) && network.factors().get(factor).value() instanceof Expr.Access;
    if (isElement && network.keptRanks(set) == network.ranksOf(set)) {
      Tensor tensor = ((Expr.Access) network.factors().get(((Leaf) tree).factor).value()).tensor();
      points = Math.min(points, tensor.shape().stream().mapToDouble(size -> size.value()).reduce(1, (a, b) -> a * b));
    }
    return points * network.type().bytes();
  }

  private boolean isConstant(long set) {
    for (int i = 0; i < network.factors().size(); i++) {
      if ((set >> i & 1) != 0 && !Exprs.accesses(network.factors().get(i).value()).map(Expr.Access::tensor).allMatch(constant::contains)) {
        return false;
      }
    }
    return true;
  }
}
