package dev.einfall.passes.recurrence;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Takes the steps of a linear recurrence in parts beside each other: each part finds out what it does to any state, then the states that the
/// parts start from follow one from the other, and then each part takes its steps.
///
/// ```
/// update H from H0, Y: f32[T] from 0.0 for t in 0..T {
///   H[d] = A[t, d] * H[d] + B[t, d]
///   Y[t] = sum[d](H[d])
/// }
/// =>
/// update H_part: f32[7, D] from 0.0, H_decay: f32[7, D] from 1.0 for t0 in 0..T / 8 {
///   H_part[t1, d] = A[t1 * T / 8 + t0, d] * H_part[t1, d] + B[t1 * T / 8 + t0, d]
///   H_decay[t1, d] = A[t1 * T / 8 + t0, d] * H_decay[t1, d]
/// }
/// update H_starts from ... for t1 in 0..7 {
///   H_starts[t1 + 1, d] = H_decay[t1, d] * H_starts[t1, d] + H_part[t1, d]
/// }
/// update H_parts from H_starts, Y: f32[T] from 0.0 for t0 in 0..T / 8 {
///   H_parts[t1, d] = A[t1 * T / 8 + t0, d] * H_parts[t1, d] + B[t1 * T / 8 + t0, d]
///   Y[t1 * T / 8 + t0] = sum[d](H_parts[t1, d])
/// }
/// ```
final class ScanParts {
  private final Cascade cascade;
  private final LinearSteps linear;
  private final StepRoles roles;
  private final Recurrence recurrence;
  private final int parts;
  private final int length;
  private final List<Definition> definitions = new ArrayList<>();

  ScanParts(Cascade cascade, LinearSteps linear, int parts) {
    this.cascade = cascade;
    this.linear = linear;
    this.roles = linear.roles();
    this.recurrence = roles.recurrence();
    int steps = (int) Recurrences.steps(recurrence);
    this.length = (steps + parts - 1) / parts;
    this.parts = (steps + length - 1) / length;
  }

  /// The cascade with the recurrence in parts; as it is if there is only one part.
  Cascade scanned() {
    if (parts == 1) {
      return cascade;
    }
    Map<Tensor, Tensor> effects = new IdentityHashMap<>();
    Map<Tensor, Tensor> decays = new IdentityHashMap<>();
    ends(effects, decays);
    Map<Tensor, Tensor> starts = starts(effects, decays);
    steps(starts);
    return cascade.withDefinitions(Recurrences.replaced(recurrence, definitions, cascade.definitions()));
  }

  /// A rank over the first `count` parts.
  private Rank part(int count) {
    return new Rank(roles.step().name() + "1", Size.of(count));
  }

  /// Steps of the parts of `part` beside each other.
  ///
  /// @param inside what has an element for each part, by what has one
  private record Parts(Rank part, Rank inner, Map<Tensor, Tensor> inside, Block block) {}

  private Parts parts(int count) {
    return new Parts(part(count), new Rank(roles.step().name() + "0", Size.of(length)), new IdentityHashMap<>(), new Block(recurrence));
  }

  private void define(Parts parts) {
    definitions.add(new Recurrence(List.of(parts.inner), parts.block.states(), parts.block.updates(), Optional.empty(), recurrence.span()));
  }

  private static Tensor tensor(Tensor like, String suffix, int count) {
    return new Tensor(like.name() + suffix, like.type(), Recurrences.with(Size.of(count), 0, like.shape()), like.span());
  }

  /// What every part but the last makes of a state: the state that it ends with if it starts with zeros, and the product of its decays.
  private void ends(Map<Tensor, Tensor> effects, Map<Tensor, Tensor> decays) {
    Parts all = parts(parts - 1);
    for (LinearSteps.Step step : linear.states().values()) {
      Tensor effect = tensor(step.state(), "_part", parts - 1);
      effects.put(step.state(), effect);
      all.inside.put(step.state(), effect);
      all.block.states().add(Recurrences.zeros(effect));
    }
    for (Tensor temporary : needed()) {
      Tensor wide = tensor(temporary, "", parts - 1);
      all.inside.put(temporary, wide);
      all.block.states().add(Recurrences.zeros(wide));
    }
    for (Recurrence.Update update : recurrence.updates()) {
      if (all.inside.containsKey(update.tensor())) {
        LinearSteps.Step step = linear.states().get(update.tensor());
        Expr value = step == null ? update.value() : Terms.plus(Terms.times(step.decay(), own(step)), step.input());
        add(all, update, value);
        if (step != null && step.decays()) {
          decays.put(step.state(), product(all, step));
        }
      }
    }
    define(all);
  }

  private static Expr own(LinearSteps.Step step) {
    return new Expr.Access(step.state(), Exprs.coordinates(step.dimensions()));
  }

  /// The product of the decays of a part, built up beside the states.
  private Tensor product(Parts all, LinearSteps.Step step) {
    List<Rank> ranks = Recurrences.with(all.part, 0, step.decayRanks());
    Tensor product = new Tensor(step.state().name() + "_decay", step.state().type(),
        ranks.stream().map(Rank::size).toList(), recurrence.span());
    all.block.states().add(new Recurrence.State(product, new Recurrence.Start.Fill(Terms.one(product.type()))));
    Expr value = Terms.times(at(step.decay(), all), new Expr.Access(product, Exprs.coordinates(ranks)));
    all.block.update(product, ranks, Exprs.coordinates(ranks), value, exists(all));
    return product;
  }

  /// The temporaries that the steps of the states need, and those that these need.
  private Set<Tensor> needed() {
    Set<Tensor> needed = Exprs.identitySet();
    linear.states().values().forEach(step -> {
      collect(step.decay(), needed);
      collect(step.input(), needed);
    });
    return needed;
  }

  private void collect(Expr expr, Set<Tensor> needed) {
    Recurrences.accesses(expr).filter(access -> roles.temporaries().containsKey(access.tensor())).forEach(access -> {
      if (needed.add(access.tensor())) {
        collect(roles.writer(access.tensor()).value(), needed);
      }
    });
  }

  /// Adds `update`, with `value` for its own, for all parts.
  private void add(Parts all, Recurrence.Update update, Expr value) {
    Tensor tensor = all.inside.getOrDefault(update.tensor(), update.tensor());
    List<Expr> indices = update.indices().stream().map(index -> at(index, all)).toList();
    all.block.update(tensor, Recurrences.with(all.part, 0, update.ranks()),
        tensor == update.tensor() ? indices : Recurrences.with(new Expr.Coordinate(all.part), 0, indices), at(value, all), exists(all));
  }

  /// `expr` at a step of each part, with what has an element for each part read there.
  private Expr at(Expr expr, Parts all) {
    Map<Rank, Expr> values = new IdentityHashMap<>();
    values.put(roles.step(), time(all));
    Expr moved = Exprs.rewrite(expr, node -> node instanceof Expr.Access access && all.inside.containsKey(access.tensor())
        ? new Expr.Access(all.inside.get(access.tensor()),
            Recurrences.with(new Expr.Coordinate(all.part), 0, access.indices()), access.outside())
        : node);
    return Exprs.substitute(moved, values);
  }

  private Expr time(Parts all) {
    return new Blocks(roles.step(), all.part, length).time(new Expr.Coordinate(all.inner));
  }

  /// Whether a part has the step; nothing if all of them always have.
  private Optional<Expr> exists(Parts all) {
    long steps = Recurrences.steps(recurrence);
    boolean always = all.part.size().value() * (long) length <= steps;
    return always ? Optional.empty() : Optional.of(new Expr.Binary(BinaryOp.LT, time(all), Expr.index(steps)));
  }

  /// The states that the parts start from, by state.
  private Map<Tensor, Tensor> starts(Map<Tensor, Tensor> effects, Map<Tensor, Tensor> decays) {
    Rank step = part(parts - 1);
    Block block = new Block(recurrence);
    Map<Tensor, Tensor> starts = new IdentityHashMap<>();
    for (LinearSteps.Step state : linear.states().values()) {
      Tensor start = tensor(state.state(), "_starts", parts);
      block.states().add(new Recurrence.State(start, broadcast(state.state())));
      Expr own = new Expr.Access(start, Recurrences.with(new Expr.Coordinate(step), 0, Exprs.coordinates(state.dimensions())));
      Expr decayed = state.decays() ? Terms.times(new Expr.Access(decays.get(state.state()),
          Recurrences.with(new Expr.Coordinate(step), 0, Exprs.coordinates(state.decayRanks()))), own) : own;
      Expr effect = new Expr.Access(effects.get(state.state()),
          Recurrences.with(new Expr.Coordinate(step), 0, Exprs.coordinates(state.dimensions())));
      block.update(start, state.ranks(), Recurrences.with(StepPlace.index(step, 1, 1), 0, Exprs.coordinates(state.dimensions())),
          Terms.plus(decayed, effect), Optional.empty());
      starts.put(state.state(), start);
    }
    definitions.add(new Recurrence(List.of(step), block.states(), block.updates(), Optional.empty(), recurrence.span()));
    return starts;
  }

  /// The start of `state` for every part.
  private Recurrence.Start broadcast(Tensor state) {
    return switch (roles.state(state).start()) {
      case Recurrence.Start.Fill fill -> fill;
      case Recurrence.Start.Copy(Tensor base) -> {
        Tensor all = tensor(state, "_start", parts);
        List<Rank> ranks = all.shape().stream().map(size -> new Rank("i", size)).toList();
        definitions.add(new Einsum(all, ranks,
            new Expr.Access(base, Exprs.coordinates(ranks.subList(1, ranks.size()))), recurrence.span()));
        yield new Recurrence.Start.Copy(all);
      }
    };
  }

  /// All steps, of all parts beside each other.
  private void steps(Map<Tensor, Tensor> starts) {
    Parts all = parts(parts);
    for (Recurrence.State state : recurrence.states()) {
      if (roles.carried().containsKey(state.tensor())) {
        all.inside.put(state.tensor(), tensor(state.tensor(), "_parts", parts));
        all.block.states().add(new Recurrence.State(all.inside.get(state.tensor()), starts.get(state.tensor())));
      } else if (roles.temporaries().containsKey(state.tensor())) {
        all.inside.put(state.tensor(), tensor(state.tensor(), "", parts));
        all.block.states().add(Recurrences.zeros(all.inside.get(state.tensor())));
      } else {
        all.block.states().add(state);
      }
    }
    recurrence.updates().forEach(update -> add(all, update, update.value()));
    define(all);
    for (Tensor state : roles.carried().keySet()) {
      if (Recurrences.isReadAfter(state, recurrence, cascade)) {
        List<Rank> ranks = state.shape().stream().map(size -> new Rank("i", size)).toList();
        definitions.add(new Einsum(state, ranks, new Expr.Access(all.inside.get(state),
            Recurrences.with(Expr.index(parts - 1), 0, Exprs.coordinates(ranks))), recurrence.span()));
      }
    }
  }
}
