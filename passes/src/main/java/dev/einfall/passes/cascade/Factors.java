package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// A product as its factors: `a * (b * c)` is `a`, `b` and `c`.
public final class Factors {
  private Factors() {}

  /// The factors of `product`, from left to right; itself, if it is none.
  public static Stream<Expr> of(Expr product) {
    return product instanceof Expr.Binary(BinaryOp op, Expr left, Expr right) && op == BinaryOp.MUL ? Stream.concat(of(left), of(right)) : Stream.of(product);
  }

  /// The product of one or more factors, from left to right.
  public static Expr product(List<Expr> factors) {
    return factors.stream().reduce((a, b) -> new Expr.Binary(BinaryOp.MUL, a, b)).orElseThrow();
  }

  /// The ranks that some of `factors` depend on.
  public static Set<Rank> ranks(List<Expr> factors) {
    Set<Rank> ranks = Exprs.identitySet();
    factors.forEach(factor -> ranks.addAll(Exprs.freeRanks(factor)));
    return ranks;
  }

  /// Whether `factor` reads nothing but what weights determine.
  ///
  /// @param constant the tensors that weights alone determine
  public static boolean isConstant(Expr factor, Set<Tensor> constant) {
    return Exprs.accesses(factor).map(Expr.Access::tensor).allMatch(constant::contains);
  }

  /// The sum of floats in `value`, if that has no other reduction.
  public static Optional<Expr.Reduce> onlySum(Expr value) {
    List<Expr.Reduce> reductions = Exprs.reductions(value).distinct().toList();
    return reductions.size() == 1 && !Exprs.hasFold(value) ? Optional.of(reductions.getFirst()).filter(sum -> sum.reduction() == Reduction.SUM && sum.type().isFloat())
        : Optional.empty();
  }
}
