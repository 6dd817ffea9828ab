package dev.einfall.tests.random;

import static dev.einfall.ir.ElementType.BOOL;
import static dev.einfall.ir.ElementType.F16;
import static dev.einfall.ir.ElementType.F32;
import static dev.einfall.ir.ElementType.F64;
import static dev.einfall.ir.ElementType.I16;
import static dev.einfall.ir.ElementType.I32;
import static dev.einfall.ir.ElementType.I64;
import static dev.einfall.ir.ElementType.I8;
import static dev.einfall.ir.ElementType.U8;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Combination;
import dev.einfall.ir.cascade.Combiner;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Makes recurrences, scatters, and changes of parts of tensors: one, two or no step ranks, several states, updates that
/// read any element of any state, along dimensions of the kinds that [Dimension] lists.
final class Recurrences {
  private final Draft draft;
  private final Chance chance;
  private final List<Rank> steps = new ArrayList<>();
  private final List<Layout> layouts = new ArrayList<>();

  /// A state, its dimensions, and whether its elements are the same in all precisions.
  private record Layout(Recurrence.State state, List<Dimension> dimensions, boolean exact) {}

  Recurrences(Draft draft) {
    this.draft = draft;
    this.chance = draft.chance();
  }

  void define() {
    int stepRanks = chance.of(0, 0, 1, 1, 1, 2);
    for (int i = 0; i < stepRanks; i++) {
      steps.add(new Rank("ts".substring(i, i + 1), draft.anyName()));
    }
    int states = chance.of(1, 1, 1, 2, 2, 3);
    for (int i = 0; i < states; i++) {
      layouts.add(layout());
    }
    boolean hasCondition = steps.size() == 1 && chance.oneIn(4);
    List<Recurrence.Update> updates = new ArrayList<>();
    for (Layout layout : layouts) {
      for (int i = chance.oneIn(4) ? 2 : 1; i > 0; i--) {
        updates.add(new Updates(layout.state.tensor(), layout.dimensions, layout.exact, hasCondition).make());
      }
    }
    Optional<Expr> condition = hasCondition ? Optional.of(condition()) : Optional.empty();
    List<Recurrence.State> all = layouts.stream().map(Layout::state).toList();
    draft.define(new Recurrence(steps, all, chance.shuffled(updates), condition, Span.NONE));
    double bound = layouts.stream().mapToDouble(layout -> draft.bound(layout.state.base().orElseThrow())).max().orElseThrow();
    layouts.forEach(layout -> draft.know(layout.state.tensor(), bound + 32, layout.exact));
  }

  private Layout layout() {
    ElementType type = chance.of(F32, F32, F32, F32, F64, chance.of(F32, F16), I32, I32, I64, I16, I8, U8, BOOL);
    List<Dimension> dimensions = dimensions();
    boolean exact = !type.isFloat() || type != F16 && chance.oneIn(3);
    Tensor base = base(type, dimensions, exact);
    Tensor tensor = new Tensor(draft.newName("S") + "abc".charAt(layouts.size()), type, base.shape(), Span.NONE);
    if (!exact) {
      // It has no bound before it is made, but no other value may depend on it as if it were exact.
      draft.know(tensor, 0, false);
    }
    return new Layout(new Recurrence.State(tensor, base), dimensions, exact);
  }

  private List<Dimension> dimensions() {
    List<Dimension> dimensions = new ArrayList<>();
    for (Rank step : steps) {
      if (!chance.oneIn(4)) {
        dimensions.add(new Dimension.Step(step, chance.of(0, 1, 1, 1, 2), chance.oneIn(3)));
      }
    }
    for (int i = chance.of(0, 1, 1, 2); i > 0; i--) {
      dimensions.add(switch (chance.below(8)) {
        case 0 -> new Dimension.Interleaved(draft.anyName());
        case 1 -> new Dimension.Joined(draft.anyName(), draft.anyName());
        case 2 -> new Dimension.Scattered(draft.anyName());
        default -> new Dimension.Whole(draft.anyName());
      });
    }
    boolean isSmall = draft.points(steps.stream().map(Rank::size).toList())
        * draft.points(dimensions.stream().map(Dimension::size).toList()) <= draft.mostPoints();
    return isSmall ? chance.shuffled(dimensions) : dimensions();
  }

  /// Some tensor of this shape, or a new one.
  private Tensor base(ElementType type, List<Dimension> dimensions, boolean exact) {
    List<dev.einfall.ir.Size> shape = dimensions.stream().map(Dimension::size).toList();
    Optional<Tensor> known = chance.pick(draft.tensors().stream().filter(tensor -> tensor.type() == type
        && tensor.shape().equals(shape) && draft.limit(tensor).isEmpty() && (!exact || draft.isExact(tensor))).toList());
    if (known.isPresent() && !chance.oneIn(4)) {
      return known.get();
    }
    if (chance.oneIn(3)) {
      return draft.input(draft.newName("X"), type, shape);
    }
    Tensor tensor = new Tensor(draft.newName("B"), type, shape, Span.NONE);
    List<Rank> ranks = shape.stream().map(size -> new Rank("i", size)).toList();
    Scope scope = new Scope(draft, draft.tensors(), ranks);
    Bounded value = chance.oneIn(2) ? new Bounded(Expr.literal(type, 0), 0) : value(type, scope, exact);
    draft.define(new Einsum(tensor, ranks, value.expr(), Span.NONE));
    draft.know(tensor, value.bound(), exact);
    return tensor;
  }

  private static Bounded value(ElementType type, Scope scope, boolean exact) {
    if (type.isFloat()) {
      return exact ? new Numbers(scope).exact(type, 1) : new Numbers(scope).number(type, 1);
    }
    Integers integers = new Integers(scope);
    return new Bounded(type.isBool() ? integers.condition(1) : integers.integer(type, 1), 0);
  }

  /// What values may read: of the states only those whose elements are the same in all precisions.
  private List<Tensor> readable() {
    List<Tensor> readable = new ArrayList<>(draft.tensors());
    layouts.stream().filter(Layout::exact).map(layout -> layout.state.tensor()).forEach(readable::add);
    return readable;
  }

  /// Often a state decides whether to go on.
  private Expr condition() {
    Scope scope = new Scope(draft, readable(), steps);
    Integers integers = new Integers(scope);
    return switch (chance.below(3)) {
      case 0 -> integers.condition(2);
      case 1 -> integers.comparison(new Expr.Coordinate(steps.getFirst()), Expr.index(chance.below(5)));
      default -> {
        Optional<Tensor> state = chance.pick(layouts.stream().filter(Layout::exact).map(layout -> layout.state.tensor())
            .filter(tensor -> !tensor.type().isBool()).toList());
        yield state.map(tensor -> new Expr.Unary(dev.einfall.ir.UnaryOp.NOT,
            integers.comparison(new Accesses(scope).element(tensor), Expr.literal(tensor.type(), chance.below(4)))))
            .<Expr>map(expr -> expr).orElseGet(() -> integers.condition(1));
      }
    };
  }

  /// The updates of one state.
  private final class Updates {
    private final Tensor tensor;
    private final List<Dimension> dimensions;
    private final boolean exact;
    private final boolean repeats;

    Updates(Tensor tensor, List<Dimension> dimensions, boolean exact, boolean repeats) {
      this.tensor = tensor;
      this.dimensions = dimensions;
      this.exact = exact;
      this.repeats = repeats;
    }

    Recurrence.Update make() {
      List<Rank> ranks = new ArrayList<>();
      List<Expr> indices = new ArrayList<>();
      for (Dimension dimension : dimensions) {
        indices.add(dimension.index(chance, ranks, draft));
      }
      for (int i = 0; i < indices.size(); i++) {
        if (dimensions.get(i) instanceof Dimension.Scattered(dev.einfall.ir.Size size)) {
          indices.set(i, landing(size, ranks));
        }
      }
      boolean lands = SimplerRecurrences.lands(ranks, indices);
      Optional<Combination> combination = lands && !chance.oneIn(3) ? Optional.of(combination()) : Optional.empty();
      List<Rank> ordered = ordered(ranks, indices, combination.isPresent());
      List<Rank> all = new ArrayList<>(steps);
      all.addAll(ordered);
      Expr value = value(new Scope(draft, readable(), all), combination);
      return new Recurrence.Update(tensor, ordered, indices, combination, value, Optional.empty(), Span.NONE);
    }

    /// As the text binds them: in the order in which they stand on the left, then those that stand in brackets only.
    private List<Rank> ordered(List<Rank> ranks, List<Expr> indices, boolean combines) {
      List<Rank> ordered = new ArrayList<>();
      indices.stream().flatMap(Expr::nodes).forEach(node -> {
        if (node instanceof Expr.Coordinate(Rank rank) && ranks.contains(rank) && !ordered.contains(rank)) {
          ordered.add(rank);
        }
      });
      ranks.stream().filter(rank -> combines && !ordered.contains(rank)).forEach(ordered::add);
      return ordered;
    }

    /// Where data says, or at one place. What is repeated lies one step before, where a table might not reach.
    private Expr landing(dev.einfall.ir.Size size, List<Rank> ranks) {
      List<Rank> visible = new ArrayList<>(repeats ? List.of() : steps);
      visible.addAll(ranks);
      return new Accesses(new Scope(draft, draft.tensors(), visible)).data(size).orElse(Expr.index(0));
    }

    private Combination combination() {
      ElementType type = tensor.type();
      if (type.isBool()) {
        return chance.of(Reduction.ANY, Reduction.ALL);
      }
      Optional<Combiner> own = chance.oneIn(3) && !(exact && type.isFloat())
          ? new Folds(new Scope(draft, draft.tensors(), List.of())).ofOne(type) : Optional.empty();
      return own.isPresent() ? own.get() : exact || chance.oneIn(2)
          ? chance.of(Reduction.MAX, Reduction.MIN, Reduction.SUM) : chance.of(Reduction.SUM, Reduction.PROD);
    }

    private Expr value(Scope scope, Optional<Combination> combination) {
      ElementType type = tensor.type();
      Integers integers = new Integers(scope);
      if (type.isBool()) {
        return integers.condition(2);
      }
      if (type.isInteger()) {
        return integers.integer(type, 2);
      }
      Numbers numbers = new Numbers(scope);
      boolean isSum = combination.isPresent() && combination.get() == Reduction.SUM;
      if (exact) {
        return isSum ? numbers.exact(type, 1).clamped(1).expr() : numbers.exact(type, 2).clamped(8).expr();
      }
      double points = draft.points(scope.ranks().stream().map(Rank::size).toList());
      Bounded free = numbers.number(type == F16 ? F32 : type, 2).within(isSum ? 8 / points : 1);
      boolean mayReadStates = combination.isEmpty() || combination.get() == Reduction.MAX;
      return (mayReadStates ? damped(scope, free, integers) : free).converted(type).expr();
    }

    /// A value that depends on states by less than they change, so that errors die out.
    private Bounded damped(Scope scope, Bounded free, Integers integers) {
      Bounded state = state(scope, free.expr().type());
      return switch (chance.below(7)) {
        case 0 -> state.times(chance.of(0.75, 0.5, -0.5)).plus(free);
        case 1 -> state.binary(chance.of(BinaryOp.MAX, BinaryOp.MIN), free, 0);
        case 2 -> state.times(0.5).plus(state(scope, free.expr().type()).times(chance.of(0.25, -0.25))).plus(free);
        case 3 -> state.binary(BinaryOp.MUL, free.unary(dev.einfall.ir.UnaryOp.SIN, 1).times(0.75), 0).plus(free);
        case 4 -> state.plus(free).unary(dev.einfall.ir.UnaryOp.TANH, 1);
        case 5 -> new Bounded(new Expr.Select(integers.condition(1), state.times(0.5).expr(), free.expr()), 0);
        default -> averaged(scope, free);
      };
    }

    /// A mean of products with a state.
    private Bounded averaged(Scope scope, Bounded free) {
      List<Rank> ranks = scope.enter(1);
      if (ranks.isEmpty()) {
        return free;
      }
      Bounded state = state(scope, free.expr().type());
      Bounded weight = new Numbers(scope).number(free.expr().type(), 1).within(0.75);
      scope.leave(ranks);
      Expr sum = new Expr.Reduce(Reduction.SUM, ranks, state.binary(BinaryOp.MUL, weight, 0).expr());
      return new Bounded(sum, 0).times(1.0 / scope.points(ranks)).plus(free);
    }

    /// An element of one of the states, or something else if there is no number among them.
    private Bounded state(Scope scope, ElementType type) {
      List<Tensor> states = layouts.stream().map(layout -> layout.state.tensor())
          .filter(state -> state.type().isFloat() && !draft.isExact(state)).toList();
      return chance.pick(states).map(state -> new Bounded(new Accesses(scope).element(state), 8).converted(type))
          .orElseGet(() -> Bounded.literal(type, 0.5));
    }
  }
}
