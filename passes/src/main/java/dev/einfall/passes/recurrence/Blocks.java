package dev.einfall.passes.recurrence;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Steps in blocks of `length`: step `outer * length + inner`. The last block may have fewer.
///
/// @param outer the rank over blocks
/// @param inside the temporaries that hold a value for each step of a block, by those that hold one, and at which dimension the steps are
record Blocks(Rank step, Rank outer, int length, Map<Tensor, Tensor> inside, Map<Tensor, Integer> dimensions) {

  Blocks(Rank step, Rank outer, int length) {
    this(step, outer, length, new IdentityHashMap<>(), new IdentityHashMap<>());
  }

  /// The step that is number `inner` in this block.
  Expr time(Expr inner) {
    Expr first = new Expr.Binary(BinaryOp.MUL, new Expr.Coordinate(outer), Expr.index(length));
    return new Expr.Binary(BinaryOp.ADD, first, inner);
  }

  private boolean hasTail() {
    return step.size().value() != (long) outer.size().value() * length;
  }

  /// Whether there is a step number `inner` in this block; nothing if there always is.
  Optional<Expr> exists(Expr inner) {
    return hasTail() ? Optional.of(new Expr.Binary(BinaryOp.LT, time(inner), Expr.index(step.size().value()))) : Optional.empty();
  }

  /// `value` where there is a step number `inner`, and `other` else.
  Expr guarded(Expr inner, Expr value, Expr other) {
    return exists(inner).map(condition -> Terms.where(condition, value, other)).orElse(value);
  }

  /// A rank over the steps of a block.
  Rank inner(String suffix) {
    return new Rank(step.name() + suffix, Size.of(length));
  }

  /// `tensor` for each step of a block.
  Tensor widened(Tensor tensor) {
    Tensor wide = new Tensor(tensor.name(), tensor.type(),
        Recurrences.with(Size.of(length), place(tensor.shape()), tensor.shape()), tensor.span());
    inside.put(tensor, wide);
    dimensions.put(tensor, place(tensor.shape()));
    return wide;
  }

  /// Where the steps stand among dimensions or ranks: before the last, which is contiguous in memory.
  static int place(List<?> others) {
    return Math.max(0, others.size() - 1);
  }

  /// `expr` as it is at step number `inner` of this block, with temporaries read there.
  Expr at(Expr expr, Expr inner) {
    Map<Rank, Expr> values = new IdentityHashMap<>();
    values.put(step, time(inner));
    Expr moved = Exprs.rewrite(expr, node -> node instanceof Expr.Access access && inside.containsKey(access.tensor())
        ? new Expr.Access(inside.get(access.tensor()),
            Recurrences.with(inner, dimensions.get(access.tensor()), access.indices()), access.outside())
        : node);
    return Exprs.freshRanks(Exprs.substitute(moved, values));
  }
}
