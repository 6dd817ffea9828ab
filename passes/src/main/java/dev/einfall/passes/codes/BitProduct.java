package dev.einfall.passes.codes;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.Interval;
import dev.einfall.passes.Compute;
import dev.einfall.passes.Target;
import dev.einfall.passes.cascade.Exprs;
import dev.einfall.passes.cascade.Factors;
import dev.einfall.passes.cascade.Uses;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// One product of [MultiplyBits], before it is known whether counting bits is worth it.
///
/// @param constants the tensors that weights alone determine
/// @param sum its reduction
/// @param rank the rank of that along which both factors are codes
/// @param group how many neighbours along the rank share scales, and what is added to codes
/// @param left one factor
/// @param right the other
/// @param scales what is multiplied by them, for both
record BitProduct(Set<Tensor> constants, Einsum einsum, Expr.Reduce sum, Rank rank, int group, FewBits left, FewBits right, List<Expr> scales) {
  /// The bits of a word.
  static final int WORD = Integer.SIZE;

  /// The product that `einsum` is, if it sums products of two lines through codes of few bits.
  static Optional<BitProduct> of(Uses uses, Inlining inlining, Einsum einsum) {
    Optional<Expr.Reduce> only = Factors.onlySum(einsum.value()).filter(sum -> sum.type() == ElementType.F32 && !inlining.isConstant(einsum.tensor()));
    return only.flatMap(sum -> sum.ranks().reversed().stream().flatMap(rank -> along(uses, inlining, einsum, sum, rank).stream()).findFirst());
  }

  private static Optional<BitProduct> along(Uses uses, Inlining inlining, Einsum einsum, Expr.Reduce sum, Rank rank) {
    Codes codes = new Codes(rank, List.of());
    List<FewBits> lines = new ArrayList<>();
    List<Expr> scales = new ArrayList<>();
    for (Expr factor : Factors.of(sum.body()).toList()) {
      Optional<FewBits> line = codes.isFine(factor) ? FewBits.of(uses, inlining, factor, rank) : Optional.empty();
      if (line.isEmpty() && codes.isFine(factor)) {
        return Optional.empty();
      }
      line.ifPresentOrElse(lines::add, () -> scales.add(factor));
    }
    if (lines.size() != 2 || !lines.stream().allMatch(line -> Exprs.freeRanks(line.code()).containsAll(sum.ranks()))) {
      return Optional.empty();
    }
    lines.forEach(line -> scales.addAll(line.scales()));
    List<Expr> shared = Stream.concat(scales.stream(), lines.stream().flatMap(line -> line.shared().stream())).toList();
    int group = shared.stream().flatMap(codes::groups).reduce(rank.size().value(), BitProduct::divisor);
    return Optional.of(new BitProduct(uses.constants(), einsum, sum, rank, group, lines.getFirst(), lines.getLast(), scales));
  }

  private static int divisor(int a, int b) {
    return b == 0 ? a : divisor(b, a % b);
  }

  /// Why it stays as it is on `target`, if it does.
  Optional<String> declined(Target target, Compute compute) {
    if (group % WORD != 0) {
      return Optional.of("groups are of " + group + " steps along " + rank.name() + "; expected a multiple of " + WORD);
    }
    Interval sums = left.range().union(Interval.of(0)).times(right.range().union(Interval.of(0))).times(Exprs.volume(sum.ranks()));
    if (!new Interval(Integer.MIN_VALUE / 2, Integer.MAX_VALUE / 2).contains(sums)) {
      return Optional.of("its sums may not fit into 32 bits");
    }
    BitCosts costs = new BitCosts(this, target, compute);
    return Optional.of(costs).filter(cost -> cost.counting() >= cost.otherwise()).map(BitCosts::toString);
  }

  /// How many points of the result `factor` is the same for.
  long served(FewBits factor) {
    return Exprs.volume(einsum.ranks().stream().filter(other -> !Exprs.freeRanks(factor.code()).contains(other)).toList());
  }

  boolean isConstant(FewBits factor) {
    return Factors.isConstant(factor.code(), constants);
  }
}
