package dev.einfall.passes.recurrence;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The products of the decays of a state within a block: from its start to each step, and between any two.
///
/// ```
/// P[a, t0] = decay[a, t0] * where(t0 == 0, 1.0, P[a, t0 - 1])
/// D[a, t0, s] = where(s < t0, decay[a, t0] * D[a, t0 - 1, s], 1.0)     of the steps after s, for s <= t0
/// ```
///
/// @param fromStart `P`; nothing for a state that does not decay
/// @param between `D`
/// @param ranks the ranks `a` of the state that the decay differs in
/// @param place where the steps stand among them: before the last, if work inside of a block goes over that
record BlockDecays(LinearSteps.Step step, Optional<Tensor> fromStart, Optional<Tensor> between, List<Rank> ranks, int place) {

  /// Those of a state that does not decay.
  static BlockDecays none(LinearSteps.Step step) {
    return new BlockDecays(step, Optional.empty(), Optional.empty(), List.of(), 0);
  }

  /// Computes them in `block`.
  static BlockDecays in(Block block, LinearSteps.Step step, int place, Blocks blocks) {
    Rank row = blocks.inner("0");
    Expr t = new Expr.Coordinate(row);
    List<Rank> gateRanks = Recurrences.with(row, place, step.decayRanks());
    Expr gate = blocks.guarded(t, blocks.at(step.decay(), t), Terms.one(step.state().type()));
    Expr once = Exprs.operations(gate) == 0 ? gate : block.named(step.state().name() + "_gate", gateRanks, gate, Optional.empty());
    return products(block, step, place, once, row);
  }

  /// Computes them before all blocks, for a decay that is the same for each step. In a last block with fewer steps, they go on.
  static BlockDecays before(LinearSteps.Step step, int place, Blocks blocks, Recurrence like, List<Definition> before) {
    Block block = new Block(like);
    BlockDecays decays = products(block, step, place, step.decay(), blocks.inner("0"));
    before.add(new Recurrence(List.of(), block.states(), block.updates(), Optional.empty(), like.span()));
    return decays;
  }

  private static BlockDecays products(Block block, LinearSteps.Step step, int place, Expr gate, Rank row) {
    List<Rank> ranks = step.decayRanks();
    Rank column = new Rank("s", row.size());
    Expr t = new Expr.Coordinate(row);
    Expr s = new Expr.Coordinate(column);
    Expr one = Terms.one(step.state().type());
    List<Expr> places = Exprs.coordinates(ranks);
    List<Rank> rows = Recurrences.with(row, place, ranks);
    Tensor fromStart = block.tensor(step.state().name() + "_decay", step.state().type(), rows);
    List<Expr> previous = Recurrences.with(Indices.plus(t, -1), place, places);
    block.update(fromStart, rows, Exprs.coordinates(rows),
        Terms.times(gate, Terms.where(isFirst(t), one, new Expr.Access(fromStart, previous))), Optional.empty());
    List<Rank> pairs = Recurrences.with(column, place + 1, rows);
    Tensor between = block.tensor(step.state().name() + "_decays", step.state().type(), pairs);
    Expr above = new Expr.Access(between, Recurrences.with(s, place + 1, previous));
    block.update(between, pairs, Exprs.coordinates(pairs),
        Terms.where(new Expr.Binary(BinaryOp.LT, s, t), Terms.times(gate, above), one), Optional.empty());
    return new BlockDecays(step, Optional.of(fromStart), Optional.of(between), ranks, place);
  }

  private static Expr isFirst(Expr t) {
    return new Expr.Binary(BinaryOp.EQ, t, Expr.index(0));
  }

  /// The product of the decays of the element `access` from the start of the block to step `t`, or to the one before.
  Expr fromStart(Expr.Access access, Expr t, boolean after) {
    Expr one = Terms.one(access.type());
    return fromStart.<Expr>map(products -> after ? access(products, access, t)
        : Terms.where(isFirst(t), one, access(products, access, Indices.plus(t, -1)))).orElse(one);
  }

  /// The product of the decays of the element `access` after step `s` to step `t`, or to the one before.
  Expr between(Expr.Access access, Expr t, Expr s, boolean after) {
    Expr one = Terms.one(access.type());
    return between.<Expr>map(products -> after ? access(products, access, t, s)
        : Terms.where(isFirst(t), one, access(products, access, Indices.plus(t, -1), s))).orElse(one);
  }

  private Expr access(Tensor products, Expr.Access state, Expr... steps) {
    List<Expr> indices = new ArrayList<>(ranks.stream().map(step.places(state)::get).toList());
    indices.addAll(place, List.of(steps));
    return new Expr.Access(products, indices);
  }
}
