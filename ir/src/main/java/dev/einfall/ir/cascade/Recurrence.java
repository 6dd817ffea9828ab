package dev.einfall.ir.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/// Tensors whose elements are written in order. Each state starts as a copy of its base; then, for every point of `steps`
/// in row-major order, the updates run one after the other. An access to a state reads what it holds at that moment.
///
/// ```
/// update H from H0 for t in 0..T {
///   G[t, d] = tanh(H[t, d] * W[d])
///   H[t + 1, d] = G[t, d] + X[t, d]
/// }
/// ```
///
/// Without steps the updates run once: that is a scatter, or a change of some elements.
///
/// @param condition a `bool` that may read the one step `t`. Once it is false before a step, that step and all later ones
///     repeat the state: each update writes, at each of its places, the element whose indices are those of step `t - 1`, and
///     nothing where that lies outside of the tensor.
public record Recurrence(
    List<Rank> steps, List<State> states, List<Update> updates, Optional<Expr> condition, Span span) implements Definition {

  /// A tensor that the recurrence defines, and the one of the same type and shape that it starts as.
  public record State(Tensor tensor, Tensor base) {
    public State {
      if (tensor.type() != base.type() || !tensor.shape().equals(base.shape())) {
        throw new IllegalArgumentException(tensor + " starts as " + base);
      }
    }
  }

  /// For every point of `ranks` in row-major order, `tensor[indices]` becomes `value`, or what `combination` makes of the
  /// element and `value`. A combination has one component and is no `argmax` or `argmin`.
  ///
  /// ```
  /// Y[ids[t], d] = sum[t](X[t, d])
  /// ```
  public record Update(
      Tensor tensor, List<Rank> ranks, List<Expr> indices, Optional<Combination> combination, Expr value, Span span) {
    public Update {
      ranks = List.copyOf(ranks);
      indices = List.copyOf(indices);
      require(indices.size() == tensor.shape().size(), tensor + " updated at " + indices.size() + " indices");
      indices.forEach(index -> require(index.type().isInteger(), "index of type " + index.type()));
      require(value.type() == tensor.type(), tensor + " updated by a value of type " + value.type());
      combination.ifPresent(with -> require(switch (with) {
        case Reduction reduction -> !reduction.isPosition() && reduction.accepts(tensor.type());
        case Combiner combiner -> combiner.types().equals(List.of(tensor.type()));
      }, tensor + " cannot be combined so"));
    }

    /// The ranks that do not stand alone as an index on the left: those that the text writes in the brackets of the
    /// combination.
    public List<Rank> inner() {
      return ranks.stream().filter(rank -> !indices.contains(new Expr.Coordinate(rank))).toList();
    }

    /// The indices at the step before, where `step` is one less.
    public List<Expr> indicesBefore(Rank step) {
      return indices.stream().map(index -> before(index, step)).toList();
    }

    private static Expr before(Expr index, Rank step) {
      return index instanceof Expr.Coordinate(Rank rank) && rank == step
          ? new Expr.Binary(BinaryOp.SUB, index, Expr.index(1)) : index.mapChildren(child -> before(child, step));
    }

    private Stream<Expr> exprs() {
      return Stream.concat(indices.stream(), Stream.of(value));
    }

    private Update mapExprs(UnaryOperator<Expr> change) {
      List<Expr> newIndices = indices.stream().map(change).toList();
      Expr newValue = change.apply(value);
      return Expr.same(newIndices, indices) && newValue == value ? this
          : new Update(tensor, ranks, newIndices, combination, newValue, span);
    }
  }

  public Recurrence {
    steps = List.copyOf(steps);
    states = List.copyOf(states);
    updates = List.copyOf(updates);
    require(!states.isEmpty() && !updates.isEmpty(), "a recurrence of nothing");
    require(condition.isEmpty() || steps.size() == 1, "a condition on " + steps.size() + " step ranks");
    condition.ifPresent(expr -> require(expr.type().isBool(), "condition of type " + expr.type()));
  }

  @Override
  public List<Tensor> tensors() {
    return states.stream().map(State::tensor).toList();
  }

  @Override
  public Stream<Expr> exprs() {
    return Stream.concat(updates.stream().flatMap(Update::exprs), condition.stream());
  }

  @Override
  public Recurrence mapExprs(UnaryOperator<Expr> change) {
    List<Update> newUpdates = new ArrayList<>();
    boolean same = true;
    for (Update update : updates) {
      Update changed = update.mapExprs(change);
      same &= changed == update;
      newUpdates.add(changed);
    }
    Optional<Expr> newCondition = condition.map(change);
    same &= newCondition.isEmpty() || newCondition.get() == condition.get();
    return same ? this : new Recurrence(steps, states, newUpdates, newCondition, span);
  }

  private static void require(boolean holds, String message) {
    if (!holds) {
      throw new IllegalArgumentException(message);
    }
  }
}
