package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.loop.Interval;
import dev.einfall.passes.cascade.Exprs;
import dev.einfall.passes.cascade.Factors;
import dev.einfall.passes.cascade.IndexForm;
import dev.einfall.passes.cascade.Uses;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A factor of a product as a multiple of a line through codes of few bits: `(step * code + offset + shared) * scales`.
///
/// ```
/// f32(2 * (C[n, k] && 3) - i32(Z[n, k / 64])) * T[n]        code C[n, k] && 3, step 2, shared i32(Z[n, k / 64]) * -1, scales T[n]
/// ```
///
/// @param name what its codes are called by
/// @param code from 0 up, an `i32`
/// @param bits how many bits that has
/// @param shared terms of the line that neighbours share, each an `i32`
record FewBits(String name, Expr code, int bits, long step, long offset, List<Expr> shared, List<Expr> scales) {
  /// Products of codes of more bits are more operations than any other way to compute them takes.
  private static final int MOST_BITS = 3;

  /// `factor` of a product that is summed along `rank`, if it is such a line along that, and nothing but scales that groups share else. What defines its elements is looked into.
  static Optional<FewBits> of(Uses uses, Inlining inlining, Expr factor, Rank rank) {
    Codes codes = new Codes(rank, List.of());
    List<Expr> factors = Factors.of(opened(uses, inlining, factor)).toList();
    List<Expr> fine = factors.stream().filter(codes::isFine).toList();
    List<Expr> scales = factors.stream().filter(one -> !codes.isFine(one)).toList();
    String name = factor instanceof Expr.Access access ? access.tensor().name() : Exprs.accesses(factor).map(access -> access.tensor().name()).findFirst().orElse("c");
    return fine.size() != 1 || Exprs.hasReduction(fine.getFirst()) ? Optional.empty()
        : Line.of(fine.getFirst(), codes).flatMap(line -> of(name, line, scales));
  }

  private static Optional<FewBits> of(String name, Line line, List<Expr> scales) {
    Interval range = line.code().map(Codes::range).orElse(Interval.ALL);
    if (line.code().isEmpty() || Codes.bits(range) > MOST_BITS) {
      return Optional.empty();
    }
    Expr code = range.low() == 0 ? line.code().get() : new Expr.Binary(BinaryOp.ADD, line.code().get(), Expr.index(-range.low()));
    return Optional.of(new FewBits(name, code, Codes.bits(range), line.step(), line.offset() + line.step() * range.low(), line.shared(), scales));
  }

  /// What computes `factor`, if that is an element that weights determine, or one that is computed from others at its place.
  private static Expr opened(Uses uses, Inlining inlining, Expr factor) {
    if (inlining.isConstant(factor)) {
      return inlining.inlined(factor);
    }
    Einsum producer = factor instanceof Expr.Access access && access.outside().isEmpty() ? uses.einsums().get(access.tensor()) : null;
    if (producer == null || Exprs.hasReduction(producer.value()) || factor.children().flatMap(Exprs::accesses).findAny().isPresent()) {
      return factor;
    }
    Map<Rank, Expr> places = new IdentityHashMap<>();
    for (int i = 0; i < producer.ranks().size(); i++) {
      places.put(producer.ranks().get(i), ((Expr.Access) factor).indices().get(i));
    }
    return IndexForm.withSimpleIndices(Exprs.substitute(producer.value(), places));
  }

  /// Whether the numbers are a number and its negative.
  boolean isSigns() {
    return bits == 1 && shared.isEmpty() && step == -2 * offset;
  }

  /// What the steps of a group may not differ in.
  Stream<Expr> ofGroups() {
    return Stream.concat(scales.stream(), shared.stream());
  }

  /// What numbers are more than their multiples of codes, an `i32`; nothing if that is 0.
  Optional<Expr> added() {
    return Stream.concat(shared.stream(), offset == 0 ? Stream.of() : Stream.of(Expr.index(offset))).reduce((a, b) -> new Expr.Binary(BinaryOp.ADD, a, b));
  }

  /// What the numbers over their scales are in.
  Interval range() {
    Interval codes = Interval.of(0).union(Interval.of((1L << bits) - 1)).times(step);
    return added().map(Codes::range).map(codes::plus).orElse(codes);
  }
}
