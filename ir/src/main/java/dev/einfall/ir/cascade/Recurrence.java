package dev.einfall.ir.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/// Tensors whose elements are written in order. Each state starts as a copy of another tensor or with one number everywhere;
/// then, for every point of `steps` in row-major order, the updates run one after the other. An access to a state reads what it holds at that moment.
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

  /// What a state holds before the first step.
  public sealed interface Start {

    /// The elements of `base`, which has the type and the shape of the state: `H from H0`.
    record Copy(Tensor base) implements Start {}

    /// A literal everywhere: `H: f32[N] from 0.0`.
    record Fill(Expr value) implements Start {}
  }

  /// A tensor that the recurrence defines, and what it starts as.
  public record State(Tensor tensor, Start start) {
    public State {
      boolean fits = switch (start) {
        case Start.Copy(Tensor base) -> tensor.type() == base.type() && tensor.shape().equals(base.shape());
        case Start.Fill(Expr value) ->
            tensor.type() == value.type() && (value instanceof Expr.FloatLiteral || value instanceof Expr.IntLiteral);
      };
      require(fits, tensor + " starts as " + start);
    }

    /// A state that starts as `base`.
    public State(Tensor tensor, Tensor base) {
      this(tensor, new Start.Copy(base));
    }

    /// The tensor that the state starts as a copy of, if it does.
    public Optional<Tensor> base() {
      return switch (start) {
        case Start.Copy(Tensor base) -> Optional.of(base);
        case Start.Fill _ -> Optional.empty();
      };
    }

    /// The same with other tensors for its own and its base.
    public State mapTensors(UnaryOperator<Tensor> change) {
      return new State(change.apply(tensor), switch (start) {
        case Start.Copy(Tensor base) -> new Start.Copy(change.apply(base));
        case Start.Fill fill -> fill;
      });
    }
  }

  /// For every point of `ranks` in row-major order, `tensor[indices]` becomes `value`, or what `combination` makes of the
  /// element and `value`. A combination has one component and is no `argmax` or `argmin`.
  ///
  /// ```
  /// Y[ids[t], d] = sum[t](X[t, d])
  /// R[p] = max(R[p], S[p, t]) where t <= p
  /// ```
  ///
  /// @param where a `bool`; points at which it is false are left out
  public record Update(
      Tensor tensor, List<Rank> ranks, List<Expr> indices, Optional<Combination> combination, Expr value,
      Optional<Expr> where, Span span) {
    public Update {
      ranks = List.copyOf(ranks);
      indices = List.copyOf(indices);
      require(indices.size() == tensor.shape().size(), tensor + " updated at " + indices.size() + " indices");
      indices.forEach(index -> require(index.type().isInteger(), "index of type " + index.type()));
      require(value.type() == tensor.type(), tensor + " updated by a value of type " + value.type());
      where.ifPresent(expr -> require(expr.type().isBool(), "points chosen by a value of type " + expr.type()));
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

    /// Whether its points may run in any order: each writes an element of its own and reads no other one of the tensor.
    public boolean isIndependent() {
      boolean differ = ranks.stream().allMatch(rank -> indices.stream().anyMatch(index -> differsAlong(index, rank)));
      return combination.isEmpty() && differ && exprs().flatMap(Expr::nodes).allMatch(node ->
          !(node instanceof Expr.Access access) || access.tensor() != tensor || access.indices().equals(indices));
    }

    /// Whether `index` is another one for each coordinate of `rank`, and depends on no other rank of the update: `t * 16 + rank`.
    private boolean differsAlong(Expr index, Rank rank) {
      return switch (index) {
        case Expr.Coordinate(Rank own) -> own == rank;
        case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.ADD ->
            differsAlong(left, rank) && isFixed(right) || differsAlong(right, rank) && isFixed(left);
        case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.SUB ->
            differsAlong(left, rank) && isFixed(right) || differsAlong(right, rank) && isFixed(left);
        case Expr _ -> false;
      };
    }

    private boolean isFixed(Expr expr) {
      return expr.nodes().noneMatch(node -> node instanceof Expr.Access
          || node instanceof Expr.Coordinate(Rank rank) && ranks.contains(rank));
    }

    /// The expressions in it: indices, value, and where it applies.
    public Stream<Expr> exprs() {
      return Stream.concat(Stream.concat(indices.stream(), Stream.of(value)), where.stream());
    }

    /// The same with each of [#exprs] replaced by what `change` makes of it; the same object if nothing changes.
    public Update mapExprs(UnaryOperator<Expr> change) {
      List<Expr> newIndices = indices.stream().map(change).toList();
      Expr newValue = change.apply(value);
      Optional<Expr> newWhere = where.map(change);
      boolean same = Expr.same(newIndices, indices) && newValue == value
          && (where.isEmpty() || newWhere.get() == where.get());
      return same ? this : new Update(tensor, ranks, newIndices, combination, newValue, newWhere, span);
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

  /// Whether a mapping may speak of the loops that write `tensor`: one update does, and its points may run in any order.
  public boolean isMappable(Tensor tensor) {
    List<Update> writers = updates.stream().filter(update -> update.tensor() == tensor).toList();
    return writers.size() == 1 && writers.getFirst().isIndependent();
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
