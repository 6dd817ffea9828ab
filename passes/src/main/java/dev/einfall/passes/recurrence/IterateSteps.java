package dev.einfall.passes.recurrence;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Takes all steps of a recurrence at once, from a guess of what each makes, and again from what came out until that does not change.
///
/// ```
/// update H from H0, Y: f32[T, D] from 0.0 for t in 0..T {
///   H[d] = tanh(H[d] + X[t, d])
///   Y[t, d] = H[d]
/// }
/// =>
/// update H_guess: f32[T, D] from 0.0, H_next: f32[T, D] from 0.0, changed: bool[] from true for r in 0..T while changed[] {
///   H_next[t, d] = tanh(where(t == 0, H0[d], H_guess[t - 1, d]) + X[t, d])
///   changed[] = any[t, d](H_next[t, d] != H_guess[t, d])
///   H_guess[t, d] = H_next[t, d]
/// }
/// update Y: f32[T, D] from 0.0 {
///   Y[t, d] = H_guess[t, d]
/// }
/// ```
///
/// After `r` rounds the first `r` steps are those of the recurrence, so `T` rounds end it, and what a round does not change is what the
/// steps make one after the other, bit for bit. How many rounds it takes depends on how soon the steps forget.
final class IterateSteps {
  private final Cascade cascade;
  private final StepRoles roles;
  private final Recurrence recurrence;
  private final Map<Tensor, Tensor> guesses = new IdentityHashMap<>();
  private final List<Definition> definitions = new ArrayList<>();

  IterateSteps(Cascade cascade, StepRoles roles) {
    this.cascade = cascade;
    this.roles = roles;
    this.recurrence = roles.recurrence();
  }

  Cascade iterated() {
    rounds();
    results();
    return cascade.withDefinitions(Recurrences.replaced(recurrence, definitions, cascade.definitions()));
  }

  private Tensor forAllSteps(Tensor tensor, String suffix) {
    return new Tensor(tensor.name() + suffix, tensor.type(),
        Recurrences.with(roles.step().size(), 0, tensor.shape()), tensor.span());
  }

  private void rounds() {
    Block block = new Block(recurrence);
    Map<Tensor, Tensor> made = new IdentityHashMap<>();
    for (Tensor tensor : roles.carried().keySet()) {
      guesses.put(tensor, forAllSteps(tensor, "_guess"));
      made.put(tensor, forAllSteps(tensor, "_next"));
      block.states().add(Recurrences.zeros(guesses.get(tensor)));
      block.states().add(Recurrences.zeros(made.get(tensor)));
    }
    for (Tensor tensor : roles.temporaries().keySet()) {
      made.put(tensor, forAllSteps(tensor, ""));
      block.states().add(Recurrences.zeros(made.get(tensor)));
    }
    for (int i = 0; i < recurrence.updates().size(); i++) {
      if (made.containsKey(recurrence.updates().get(i).tensor())) {
        add(block, i, made);
      }
    }
    Tensor changed = new Tensor("changed", ElementType.BOOL, List.of(), recurrence.span());
    Expr bool = new Expr.IntLiteral(ElementType.BOOL, 1);
    block.states().add(new Recurrence.State(changed, new Recurrence.Start.Fill(bool)));
    block.update(changed, List.of(), List.of(), roles.carried().keySet().stream()
        .map(tensor -> differs(guesses.get(tensor), made.get(tensor)))
        .reduce(Terms::or).orElse(new Expr.IntLiteral(ElementType.BOOL, 0)), Optional.empty());
    for (Tensor tensor : roles.carried().keySet()) {
      List<Rank> ranks = ranks(tensor);
      block.update(guesses.get(tensor), ranks, Exprs.coordinates(ranks),
          new Expr.Access(made.get(tensor), Exprs.coordinates(ranks)), Optional.empty());
    }
    definitions.add(new Recurrence(List.of(new Rank("r", roles.step().size())), block.states(), block.updates(),
        Optional.of(new Expr.Access(changed, List.of())), recurrence.span()));
  }

  /// The steps, and the ranks of a carried state with the names that its update has for them.
  private List<Rank> ranks(Tensor tensor) {
    List<Rank> ranks = new ArrayList<>(List.of(new Rank(roles.step().name(), roles.step().size())));
    roles.writer(tensor).indices().forEach(index -> ranks.add(((Expr.Coordinate) index).rank()));
    return ranks;
  }

  private Expr differs(Tensor guess, Tensor made) {
    List<Rank> ranks = guess.shape().stream().map(size -> new Rank("i", size)).toList();
    return new Expr.Reduce(Reduction.ANY, ranks, new Expr.Binary(BinaryOp.NE,
        new Expr.Access(made, Exprs.coordinates(ranks)), new Expr.Access(guess, Exprs.coordinates(ranks))));
  }

  /// Adds update number `position` for all steps. What it reads of its own step is in `made`.
  private void add(Block block, int position, Map<Tensor, Tensor> made) {
    Recurrence.Update update = recurrence.updates().get(position);
    Rank step = new Rank(roles.step().name(), roles.step().size());
    Expr t = new Expr.Coordinate(step);
    List<Expr> indices = update.indices().stream().map(index -> at(index, position, t, made)).toList();
    boolean isInside = made.containsKey(update.tensor());
    Tensor tensor = isInside ? made.get(update.tensor()) : update.tensor();
    block.update(tensor, Recurrences.with(step, 0, update.ranks()), isInside ? Recurrences.with(t, 0, indices) : indices,
        at(update.value(), position, t, made), Optional.empty());
  }

  private Expr at(Expr expr, int position, Expr t, Map<Tensor, Tensor> made) {
    Map<Rank, Expr> values = new IdentityHashMap<>();
    values.put(roles.step(), t);
    Expr moved = Exprs.rewrite(expr, node -> {
      if (!(node instanceof Expr.Access access) || !made.containsKey(access.tensor())) {
        return node;
      }
      boolean isOwnStep = !roles.isCarried(access) || roles.isAfter(access, position);
      return isOwnStep ? new Expr.Access(made.get(access.tensor()), Recurrences.with(t, 0, access.indices()), access.outside())
          : carried(access, t);
    });
    return Exprs.substitute(moved, values);
  }

  /// What the step before made by the last guess, or what the first step begins with.
  private Expr carried(Expr.Access access, Expr t) {
    Expr start = switch (roles.state(access.tensor()).start()) {
      case Recurrence.Start.Fill(Expr value) -> value;
      case Recurrence.Start.Copy(Tensor base) -> new Expr.Access(base, access.indices(), access.outside());
    };
    return Terms.where(new Expr.Binary(BinaryOp.EQ, t, Expr.index(0)), start, new Expr.Access(guesses.get(access.tensor()),
        Recurrences.with(Indices.plus(t, -1), 0, access.indices()), access.outside()));
  }

  /// What the steps write for others, from the last guess.
  private void results() {
    Block block = new Block(recurrence);
    Map<Tensor, Tensor> made = new IdentityHashMap<>(guesses);
    for (Tensor tensor : roles.temporaries().keySet()) {
      made.put(tensor, forAllSteps(tensor, ""));
      block.states().add(Recurrences.zeros(made.get(tensor)));
    }
    block.states().addAll(roles.results());
    for (int i = 0; i < recurrence.updates().size(); i++) {
      if (!roles.carried().containsKey(recurrence.updates().get(i).tensor())) {
        add(block, i, made);
      }
    }
    if (!block.updates().isEmpty()) {
      definitions.add(new Recurrence(List.of(), block.states(), block.updates(), Optional.empty(), recurrence.span()));
    }
    for (Tensor tensor : roles.carried().keySet()) {
      if (Recurrences.isReadAfter(tensor, recurrence, cascade)) {
        List<Rank> ranks = tensor.shape().stream().map(size -> new Rank("i", size)).toList();
        definitions.add(new dev.einfall.ir.cascade.Einsum(tensor, ranks, new Expr.Access(guesses.get(tensor),
            Recurrences.with(Expr.index(Recurrences.steps(recurrence) - 1), 0, Exprs.coordinates(ranks))), recurrence.span()));
      }
    }
  }
}
