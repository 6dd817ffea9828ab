package dev.einfall.passes.recurrence;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
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
import java.util.Set;

/// Takes the steps of a linear recurrence in blocks.
///
/// ```
/// update S from S0, Y: f32[T, F] from 0.0 for t in 0..T {
///   S[e, f] = A[t] * S[e, f] + K[t, e] * V[t, f]
///   Y[t, f] = sum[e](Q[t, e] * S[e, f])
/// }
/// =>
/// update S from S0, S_decay: f32[64] from 0.0, ... for t1 in 0..T / 64 {
///   S_decay[t0] = A[t1 * 64 + t0] * where(t0 == 0, 1.0, S_decay[t0 - 1])
///   S_decays[t0, s] = where(s < t0, A[t1 * 64 + t0] * S_decays[t0 - 1, s], 1.0)
///   Y_start[t0, f] = S_decay[t0] * sum[e](Q[t1 * 64 + t0, e] * S[e, f])
///   Y_scores[t0, s] = sum[e](Q[t1 * 64 + t0, e] * K[t1 * 64 + s, e]) * S_decays[t0, s]
///   Y[t1 * 64 + t0, f] = Y_start[t0, f] + sum[s](where(s <= t0, Y_scores[t0, s] * V[t1 * 64 + s, f], 0.0))
///   S_inputs[s, e] = S_decays[63, s] * K[t1 * 64 + s, e]
///   S[e, f] = S_decay[63] * S[e, f] + sum[s](S_inputs[s, e] * V[t1 * 64 + s, f])
/// }
/// ```
///
/// The state after step `t` of a block is `(product of decays) * (state before the block) + sum of (product of the decays after s) *
/// (input of s)`, and what is linear in the state takes that in place of it: a part of the state before the block, and a sum over the
/// steps up to `t`, from which the factors leave that the inner sum does not go over.
///
/// Decays between two steps are products, built up step by step, and no quotients of products from the start of the block: those divide
/// by numbers that may have vanished. So they are as exact as the decays that the steps would multiply by one by one, whatever their size
/// and sign.
final class ChunkSteps {
  private final Cascade cascade;
  private final LinearSteps linear;
  private final StepRoles roles;
  private final Recurrence recurrence;
  private final Blocks blocks;
  private final Block block;
  private final List<Definition> before = new ArrayList<>();
  private final Map<Tensor, BlockDecays> decays = new IdentityHashMap<>();

  ChunkSteps(Cascade cascade, LinearSteps linear, int length) {
    this.cascade = cascade;
    this.linear = linear;
    this.roles = linear.roles();
    this.recurrence = roles.recurrence();
    this.block = new Block(recurrence);
    long steps = Recurrences.steps(recurrence);
    this.blocks = new Blocks(roles.step(), new Rank(roles.step().name() + "1", Size.of((steps + length - 1) / length)), length);
  }

  /// The cascade with the recurrence in blocks; none if a state is read in another way than linearly.
  Optional<Cascade> chunked(StepRoles.Decline decline) {
    roles.carried().keySet().forEach(state -> block.states().add(roles.state(state)));
    // What does not depend on the states is there for the whole block before any of them.
    for (Tensor temporary : roles.temporaries().keySet()) {
      if (!roles.dependent().contains(temporary)) {
        add(roles.writer(temporary), -1);
      }
    }
    linear.states().values().forEach(step -> decays.put(step.state(), decays(step)));
    for (int i = 0; i < recurrence.updates().size(); i++) {
      Recurrence.Update update = recurrence.updates().get(i);
      boolean isDone = roles.carried().containsKey(update.tensor())
          || roles.temporaries().containsKey(update.tensor()) && !roles.dependent().contains(update.tensor());
      if (!isDone && !add(update, i)) {
        decline.because("`" + update.tensor().name() + "` is not linear in the states");
        return Optional.empty();
      }
    }
    linear.states().values().forEach(this::state);
    block.states().addAll(roles.results());
    List<Definition> fresh = new ArrayList<>(before);
    fresh.add(new Recurrence(List.of(blocks.outer()), block.states(), block.updates(), Optional.empty(), recurrence.span()));
    return Optional.of(cascade.withDefinitions(Recurrences.replaced(recurrence, fresh, cascade.definitions())));
  }

  private BlockDecays decays(LinearSteps.Step step) {
    boolean isConstant = !Exprs.freeRanks(step.decay()).contains(roles.step())
        && Recurrences.accesses(step.decay()).noneMatch(access -> roles.temporaries().containsKey(access.tensor()))
        && (blocks.exists(Expr.index(0)).isEmpty() || !Recurrences.isReadAfter(step.state(), recurrence, cascade));
    return !step.decays() ? BlockDecays.none(step)
        : isConstant ? BlockDecays.before(step, place(step), blocks, recurrence, before) : BlockDecays.in(block, step, place(step), blocks);
  }

  /// Where the steps of a block stand among the ranks of a decay. The last of these stays last if the state is contiguous in it, or
  /// summed over.
  private int place(LinearSteps.Step step) {
    List<Rank> ranks = step.decayRanks();
    if (ranks.isEmpty()) {
      return 0;
    }
    int dimension = step.dimensions().indexOf(ranks.getLast());
    boolean isInner = dimension == step.dimensions().size() - 1 || recurrence.updates().stream().anyMatch(update ->
        Recurrences.accesses(update.value()).filter(access -> access.tensor() == step.state())
            .anyMatch(access -> !Block.dependsOn(access.indices().get(dimension), update.ranks())));
    return ranks.size() - (isInner ? 1 : 0);
  }

  /// Adds `update`, number `position` of the recurrence, for all steps of a block; false if it is not linear in the states.
  private boolean add(Recurrence.Update update, int position) {
    Rank inner = blocks.inner("0");
    Expr t = new Expr.Coordinate(inner);
    Optional<Expr> value = value(update.value(), new Place(update, position, inner));
    if (value.isEmpty() || update.indices().stream().flatMap(Recurrences::accesses).anyMatch(roles::isCarried)) {
      return false;
    }
    List<Rank> ranks = Recurrences.with(inner, Blocks.place(update.ranks()), update.ranks());
    List<Expr> indices = update.indices().stream().map(index -> blocks.at(index, t)).toList();
    Tensor tensor = update.tensor();
    if (roles.temporaries().containsKey(tensor)) {
      tensor = blocks.widened(tensor);
      indices = Recurrences.with(t, Blocks.place(update.indices()), indices);
      block.states().add(Recurrences.zeros(tensor));
    }
    block.update(tensor, ranks, indices, value.get(), blocks.exists(t));
    return true;
  }

  /// The update in which a state is read, and the rank over the steps of a block.
  private record Place(Recurrence.Update update, int position, Rank inner) {
    Expr step() {
      return new Expr.Coordinate(inner);
    }

    String name(String suffix) {
      return update.tensor().name() + suffix;
    }
  }

  /// `expr` at a step of the block, by the states before the block and the inputs since; none if it is not linear in the states.
  private Optional<Expr> value(Expr expr, Place place) {
    if (Recurrences.accesses(expr).noneMatch(roles::isCarried)) {
      return Optional.of(blocks.at(expr, place.step()));
    }
    if (expr instanceof Expr.Reduce(Reduction reduction, List<Rank> ranks, Expr body)) {
      return reduction != Reduction.SUM ? Optional.empty() : LinearForm.of(body, roles::isCarried).map(form -> sum(form, ranks, place));
    }
    if (expr instanceof Expr.Access) {
      return LinearForm.of(expr, roles::isCarried).map(form -> sum(form, List.of(), place));
    }
    boolean[] all = {!(expr instanceof Expr.Fold)};
    Expr changed = all[0] ? expr.mapChildren(child -> value(child, place).orElseGet(() -> {
      all[0] = false;
      return child;
    })) : expr;
    return all[0] ? Optional.of(changed) : Optional.empty();
  }

  private Expr sum(LinearForm form, List<Rank> reduced, Place place) {
    Expr total = blocks.at(Terms.sum(reduced, form.rest()), place.step());
    for (LinearForm.Term term : form.terms()) {
      total = Terms.plus(total, read(term, reduced, place));
    }
    return total;
  }

  /// `sum[reduced](coefficient * state)` at a step of the block.
  private Expr read(LinearForm.Term term, List<Rank> reduced, Place place) {
    LinearSteps.Step state = linear.states().get(term.access().tensor());
    BlockDecays decay = decays.get(term.access().tensor());
    boolean after = roles.isAfter(term.access(), place.position());
    Set<Rank> free = Exprs.freeRanks(new Expr.Binary(BinaryOp.MUL, term.access(), term.coefficient()));
    List<Rank> own = place.update().ranks().stream().filter(free::contains).toList();
    Rank other = new Rank("s", place.inner().size());
    Expr s = new Expr.Coordinate(other);
    Expr coefficient = blocks.at(term.coefficient(), place.step());

    Expr value = fromStart(decay.fromStart(term.access(), place.step(), after), coefficient, term.access(), reduced, own, place);
    Expr earlier = new Expr.Binary(after ? BinaryOp.LE : BinaryOp.LT, s, place.step());
    Expr mask = blocks.exists(s).map(exists -> Terms.and(earlier, exists)).orElse(earlier);
    for (Expr input : Terms.terms(state.input(term.access()))) {
      List<Expr> factors = new ArrayList<>(Terms.factors(coefficient));
      factors.addAll(Terms.factors(decay.between(term.access(), place.step(), s, after)));
      factors.addAll(Terms.factors(blocks.at(input, s)));
      value = Terms.plus(value, since(factors, reduced, own, other, mask, place));
    }
    return value;
  }

  /// What the states before the block contribute: `sum[reduced](decay * coefficient * state)`.
  private Expr fromStart(Expr decay, Expr coefficient, Expr.Access state, List<Rank> reduced, List<Rank> own, Place place) {
    if (reduced.isEmpty()) {
      return Terms.times(decay, Terms.times(coefficient, state));
    }
    List<Rank> ranks = Recurrences.with(place.inner(), Blocks.place(own), own);
    boolean isOutside = !Block.dependsOn(decay, reduced);
    List<Expr> factors = new ArrayList<>(Terms.factors(coefficient));
    if (!isOutside) {
      factors.addAll(Terms.factors(decay));
    }
    factors.add(state);
    Expr product = block.product(place.name("_read"), factors, readRanks(own, place.inner(), reduced), state.type(),
        blocks.exists(place.step()));
    Expr sum = Terms.sum(reduced, product);
    return block.named(place.name("_start"), ranks, isOutside ? Terms.times(decay, sum) : sum, blocks.exists(place.step()));
  }

  /// What the steps of the block contribute, each chosen by `mask`: `sum[s, reduced](product of factors)`. Where the sum over `reduced`
  /// has fewer ranks than the result it is a tensor of its own, the scores.
  private Expr since(List<Expr> factors, List<Rank> reduced, List<Rank> own, Rank other, Expr mask, Place place) {
    ElementType type = factors.getFirst().type();
    Expr zero = Terms.zero(type);
    List<Expr> summed = factors.stream().filter(factor -> Block.dependsOn(factor, reduced)).toList();
    List<Rank> scored = own.stream().filter(rank -> Block.dependsOn(Terms.product(summed, type), List.of(rank))).toList();
    if (reduced.isEmpty() || scored.size() == own.size()) {
      return Terms.sum(Block.with(reduced, other), Terms.where(mask, Terms.product(factors, type), zero));
    }
    List<Rank> pairs = Block.with(scored, place.inner(), other);
    List<Rank> beyond = own.stream().filter(rank -> !scored.contains(rank)).toList();
    List<Expr> early = factors.stream().filter(factor -> !summed.contains(factor) && !Block.dependsOn(factor, beyond)).toList();
    List<Expr> late = factors.stream().filter(factor -> Block.dependsOn(factor, beyond)).toList();
    Expr body = blocks.guarded(new Expr.Coordinate(other), Terms.product(summed, type), zero);
    Expr score = block.named(place.name("_scores"), pairs,
        Terms.times(Terms.sum(reduced, body), Terms.product(early, type)), blocks.exists(place.step()));
    return Terms.sum(List.of(other), Terms.where(mask, Terms.times(score, Terms.product(late, type)), zero));
  }

  /// The ranks of a product with a state, those that are summed before the last of the result.
  private static List<Rank> readRanks(List<Rank> own, Rank inner, List<Rank> reduced) {
    List<Rank> ranks = new ArrayList<>(own);
    ranks.addAll(Blocks.place(own), reduced);
    ranks.add(Blocks.place(own), inner);
    return ranks;
  }

  /// The update that brings a state over a block.
  private void state(LinearSteps.Step step) {
    Rank other = new Rank("s", blocks.inner("").size());
    Expr s = new Expr.Coordinate(other);
    Expr last = Expr.index(blocks.length() - 1);
    Expr.Access own = new Expr.Access(step.state(), Exprs.coordinates(step.dimensions()));
    Expr value = Terms.times(decays.get(step.state()).fromStart(own, last, true), own);
    Expr zero = Terms.zero(own.type());
    for (Expr input : Terms.terms(step.input())) {
      List<Expr> factors = new ArrayList<>(Terms.factors(decays.get(step.state()).between(own, last, s, true)));
      Terms.factors(blocks.at(input, s)).forEach(factor -> factors.add(blocks.guarded(s, factor, zero)));
      Expr product = step.ranks().isEmpty() ? Terms.product(factors, own.type())
          : block.product(step.state().name() + "_inputs", factors,
              Recurrences.with(other, Math.max(0, step.ranks().size() - 2), step.ranks()), own.type(), Optional.empty());
      value = Terms.plus(value, Terms.sum(List.of(other), product));
    }
    block.update(step.state(), step.ranks(), own.indices(), value, Optional.empty());
  }
}
