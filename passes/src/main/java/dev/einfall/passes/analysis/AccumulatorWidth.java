package dev.einfall.passes.analysis;

import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.Interval;
import java.util.ArrayList;
import java.util.List;

/// How wide the accumulators of sums of integers must be, by the ranges of what they add: of types, of constants, and of what `min` and `max` leave.
///
/// ```
/// S[m, n] = sum[k](i32(X[m, k]) * i32(W[k, n]))     X, W: i8, 384 of k     =>     S: 384 terms in -6242304..6291456: 24 bits
/// ```
///
/// Parts of a sum may be added in any order, so the range holds every sum of some of the terms.
public final class AccumulatorWidth {
  /// What numbers of types with fixed bits take at most, and one more.
  private static final int MORE_THAN_A_LONG = 65;

  /// A sum.
  ///
  /// @param tensor the one that it is in the definition of
  /// @param terms how many numbers it adds at most
  /// @param range what it and its parts are in
  public record Sum(Tensor tensor, Expr.Reduce reduce, long terms, Interval range) {

    /// How many bits the numbers of the range take, with their sign; more than 64 if they do not fit into an `i64`.
    public int bits() {
      return range.isBounded() ? 65 - Math.min(leadingZeros(range.low()), leadingZeros(range.high())) : MORE_THAN_A_LONG;
    }

    private static int leadingZeros(long number) {
      return Long.numberOfLeadingZeros(number < 0 ? ~number : number);
    }

    /// Whether the sum may leave its type, and come around at the other end.
    public boolean mayOverflow() {
      return !range.isBounded() || !Interval.of(reduce.type()).contains(range);
    }
  }

  private final ValueRanges ranges = new ValueRanges();
  private final List<Sum> sums = new ArrayList<>();

  private AccumulatorWidth() {}

  /// The sums of integers in `cascade`, all of whose sizes are known, in order.
  public static List<Sum> of(Cascade cascade) {
    AccumulatorWidth width = new AccumulatorWidth();
    cascade.definitions().forEach(width::add);
    return List.copyOf(width.sums);
  }

  private void add(Definition definition) {
    definition.exprs().flatMap(Expr::nodes).forEach(node -> {
      if (node instanceof Expr.Reduce reduce && reduce.reduction() == Reduction.SUM && reduce.type().isInteger()) {
        sums.add(sum(definition.tensors().getFirst(), reduce));
      }
    });
    switch (definition) {
      case Einsum einsum -> ranges.define(einsum);
      // What a recurrence writes is read in the next step: it may be anything.
      case Recurrence _ -> { }
    }
  }

  private Sum sum(Tensor tensor, Expr.Reduce reduce) {
    return new Sum(tensor, reduce, ValueRanges.points(reduce), ranges.parts(reduce));
  }
}
