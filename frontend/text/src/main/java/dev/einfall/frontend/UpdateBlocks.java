package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Statement;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Reads the forms that say outright which elements are written when: `update` blocks and `:=`.
final class UpdateBlocks {
  private final Elaboration elaboration;
  private final Diagnostics diagnostics;
  private final Frame frame;
  private final Accesses accesses;

  UpdateBlocks(Elaboration elaboration, Frame frame) {
    this.elaboration = elaboration;
    this.diagnostics = elaboration.diagnostics();
    this.frame = frame;
    this.accesses = new Accesses(diagnostics, frame);
  }

  /// `update H from H0 for t in 0..T { ... }`. The names of the states mean what the block makes of them, from its first
  /// line on.
  void update(Statement.Update block) {
    Map<String, Recurrence.State> states = states(block);
    states.forEach((name, state) -> frame.bind(name, Optional.of(state.tensor())));
    Bound bound = new Ranges(elaboration, frame).bind(block.steps());
    Scope steps = Scope.EMPTY.inner(bound.named(), Optional.empty());
    Optional<Expr> condition = block.condition().map(expr -> condition(expr, bound.order(), steps));
    List<Recurrence.Update> updates = diagnostics.each(block.body(), statement -> write(statement, states, steps));
    if (updates.isEmpty()) {
      throw diagnostics.reject(block.span(), "this block writes nothing");
    }
    elaboration.define(
        new Recurrence(bound.order(), List.copyOf(states.values()), updates, condition, block.span()));
  }

  private Map<String, Recurrence.State> states(Statement.Update block) {
    Map<String, Recurrence.State> states = new LinkedHashMap<>();
    for (Syntax.State state : block.states()) {
      if (states.putIfAbsent(state.name().text(), state(state)) != null) {
        throw diagnostics.reject(state.name().span(), "`" + state.name().text() + "` is updated twice here");
      }
    }
    return states;
  }

  private Recurrence.State state(Syntax.State state) {
    return switch (state) {
      case Syntax.State.Copy(Syntax.Name name, Syntax.Name of, _) -> {
        Tensor base = accesses.tensor(of);
        yield new Recurrence.State(new Tensor(name.text(), base.type(), base.shape(), name.span()), base);
      }
      case Syntax.State.Fill(Syntax.Name name, Syntax.Type type, Syntax.Expr value, _) -> {
        Sizes sizes = new Sizes(diagnostics, frame);
        ElementType element = sizes.element(type);
        Tensor tensor = new Tensor(name.text(), element, sizes.shape(type.dimensions(), type.span()), name.span());
        Scalars scalars = new Scalars(elaboration, frame);
        Expr literal = scalars.arithmetic().as(scalars.value(value, Scope.EMPTY), element);
        if (!(literal instanceof Expr.FloatLiteral || literal instanceof Expr.IntLiteral)) {
          throw diagnostics.reject(value.span(), "a state starts as a number here; to start as a tensor write `"
              + name.text() + " from TENSOR`");
        }
        yield new Recurrence.State(tensor, new Recurrence.Start.Fill(literal));
      }
    };
  }

  /// The condition to go on.
  Expr condition(Syntax.Expr condition, List<Rank> steps, Scope scope) {
    if (steps.size() != 1) {
      throw diagnostics.reject(condition.span(), "`while` needs one index that counts the steps, not " + steps.size());
    }
    Scalars scalars = new Scalars(elaboration, frame);
    return scalars.arithmetic().as(scalars.value(condition, scope), ElementType.BOOL);
  }

  private Recurrence.Update write(Statement statement, Map<String, Recurrence.State> states, Scope steps) {
    if (!(statement instanceof Statement.Definition definition)) {
      throw diagnostics.reject(statement.span(), "in an `update` block stand definitions of elements only, as in `H[t + 1] = ...`");
    }
    definition.condition().ifPresent(condition -> {
      throw diagnostics.reject(condition.span(), "the condition of an `update` block stands in its first line");
    });
    Recurrence.State state = states.get(definition.name().text());
    if (state == null) {
      throw diagnostics.reject(definition.name().span(), "`" + definition.name().text()
          + "` is not among the tensors that this block updates: " + String.join(", ", states.keySet()));
    }
    refusePlaced(definition.target(), state.tensor());
    return new Writes(elaboration, frame).read(Writes.Write.of(definition), state.tensor(), steps, Map.of());
  }

  private void refusePlaced(Syntax.Target target, Tensor tensor) {
    for (Syntax.Subscript index : target.indices()) {
      if (index instanceof Syntax.Subscript.Placed placed) {
        throw diagnostics.reject(placed.span(), "`" + tensor.name() + "` exists, so its size is known",
            new Diagnostic.Note(tensor.span(), "`" + tensor.name() + "` is " + Accesses.describe(tensor)));
      }
    }
  }

  /// `K[t, d] := value`: the tensor with some elements replaced. The value reads the tensor as it was.
  Tensor change(Statement.Change change) {
    Tensor base = accesses.tensor(change.target().name());
    refusePlaced(change.target(), base);
    Tensor tensor = new Tensor(change.target().name().text(), base.type(), base.shape(), change.target().name().span());
    Recurrence.Update update = new Writes(elaboration, frame).read(
        new Writes.Write(change.target(), change.value(), change.ranges(), change.where(), change.span()), tensor, Scope.EMPTY, Map.of());
    elaboration.define(new Recurrence(List.of(), List.of(new Recurrence.State(tensor, base)), List.of(update),
        Optional.empty(), change.span()));
    return tensor;
  }
}
