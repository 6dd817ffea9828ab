package dev.einfall.passes.analysis;

import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.analysis.FiberState.Carrier;
import dev.einfall.passes.analysis.FiberState.Grain;
import dev.einfall.passes.analysis.FiberState.Moving;
import dev.einfall.passes.analysis.FiberState.Value;
import dev.einfall.passes.analysis.Operand.Read;
import dev.einfall.passes.analysis.Unit.Write;
import dev.einfall.passes.analysis.Walk.Whole;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Stream;

/// Follows the fibers of one tensor along one dimension through the definitions, and finds who walks along them in which pass.
final class FiberWalks {
  private final Tensor tensor;
  private final int dimension;
  private final Map<Tensor, FiberState> states = new IdentityHashMap<>();
  private final List<Use> uses = new ArrayList<>();

  /// A walk, the definition and rank that make it, and whether it reads the tensor itself.
  record Use(Tensor by, Rank rank, Walk walk, boolean isDirect) {}

  FiberWalks(Tensor tensor, int dimension) {
    this.tensor = tensor;
    this.dimension = dimension;
    states.put(tensor, itself());
  }

  /// The walks found so far, in the order of the definitions.
  List<Use> uses() {
    return uses;
  }

  private FiberState itself() {
    Walk start = new Walk(0, tensor, tensor.span(), Optional.empty(), Optional.empty());
    return new FiberState(List.of(new Carrier(dimension, Digits.ALL, start, new Grain<>(List.of(), false), false)), Optional.empty(), List.of());
  }

  /// Whether something that `unit` defines, which has been followed, needs the whole fiber, so that no step of it can do with a part.
  boolean isWhole(Unit unit) {
    return unit.definition().tensors().stream().anyMatch(state -> states.getOrDefault(state, FiberState.NONE).whole().isPresent());
  }

  /// Goes through a definition.
  ///
  /// @return the tensors of it that depend on the fiber
  List<Tensor> follow(Unit unit) {
    if (unit.isRecurrence()) {
      new Steps(unit).follow();
    } else {
      Write write = unit.writes().getFirst();
      set(write.tensor(), written(write, resolve(write.scope(), write, uses), false));
    }
    return unit.definition().tensors().stream().filter(states::containsKey).toList();
  }

  private void set(Tensor written, FiberState state) {
    if (written != tensor && state != FiberState.NONE) {
      states.put(written, state);
    }
  }

  /// What the operands of `scope` together depend on; the walks that it makes are added to `found`.
  private Value resolve(Scope scope, Write write, List<Use> found) {
    List<Value> operands = new ArrayList<>();
    for (Operand operand : scope.operands()) {
      operands.add(switch (operand) {
        case Read read -> value(read);
        case Scope inner -> resolve(inner, write, found);
      });
    }
    operands = picked(operands, write, found);
    SequencedMap<Rank, Walk> walks = new LinkedHashMap<>();
    for (Value operand : operands) {
      operand.moving().forEach(moving -> walks.merge(moving.rank(), moving.walk(), FiberState::later));
    }
    for (Rank rank : walks.sequencedKeySet()) {
      walks.put(rank, walk(rank, walks.get(rank), operands, write));
      found.add(new Use(write.tensor(), rank, walks.get(rank), isDirect(operands, rank)));
    }
    return combined(scope, operands, walks, write);
  }

  /// Whether an operand is an element of the tensor itself, which nobody has walked along before.
  private static boolean isDirect(List<Value> operands, Rank rank) {
    return operands.stream().flatMap(operand -> operand.moving().stream())
        .anyMatch(moving -> moving.rank() == rank && moving.walk().pass() == 0);
  }

  /// The operands with the walks that end in what data pick.
  private static List<Value> picked(List<Value> operands, Write write, List<Use> found) {
    List<Value> picked = new ArrayList<>();
    for (Value operand : operands) {
      Optional<Whole> whole = operand.whole();
      for (Walk pick : operand.picks()) {
        Optional<Whole> others = latest(operands.stream().filter(other -> other != operand));
        Walk walk = later(pick, others, write, pick.rank().orElseThrow());
        found.add(new Use(write.tensor(), pick.rank().get(), walk, pick.pass() == 0));
        whole = FiberState.later(whole, Optional.of(whole(walk, pick.rank(), write)));
      }
      picked.add(operand.withWhole(whole));
    }
    return picked;
  }

  /// The walk with `rank`, after everything that has to be whole before: operands that do not move with it. Whatever else an
  /// operand at the same place of the walk depends on is nested in this step of the walk. Where no operand stands for single places,
  /// nobody reads the fiber.
  private static Walk walk(Rank rank, Walk walk, List<Value> operands, Write write) {
    Optional<Whole> barrier = latest(operands.stream().filter(operand -> !operand.movesWith(rank)));
    boolean reads = operands.stream().flatMap(operand -> operand.moving().stream())
        .anyMatch(moving -> moving.rank() == rank && !moving.grain().isCoarse());
    if (reads || barrier.isEmpty()) {
      return later(walk, barrier, write, rank);
    }
    Walk before = barrier.get().walk();
    return before.pass() <= walk.pass() ? walk : new Walk(before.pass(), write.tensor(), write.span(), Optional.of(rank), before.after());
  }

  private static Optional<Whole> latest(Stream<Value> values) {
    return values.map(Value::whole).reduce(Optional.empty(), FiberState::later);
  }

  /// `walk`, or one in the pass after `barrier`.
  private static Walk later(Walk walk, Optional<Whole> barrier, Write write, Rank rank) {
    int pass = 1 + barrier.map(Whole::pass).orElse(0);
    return pass <= walk.pass() ? walk : new Walk(pass, write.tensor(), write.span(), Optional.of(rank), barrier);
  }

  private static Value combined(Scope scope, List<Value> operands, Map<Rank, Walk> walks, Write write) {
    List<Moving> moving = List.of();
    for (Value operand : operands) {
      moving = FiberState.joinMoving(moving, operand.moving().stream().filter(each -> !scope.reduced().contains(each.rank()))
          .map(each -> each.withWalk(walks.get(each.rank())).reduced(scope.reduced())).toList());
    }
    Optional<Whole> whole = latest(operands.stream());
    for (Rank rank : scope.reduced()) {
      if (walks.containsKey(rank)) {
        whole = FiberState.later(whole, Optional.of(whole(walks.get(rank), Optional.of(rank), write)));
      }
    }
    return new Value(moving, whole, List.of());
  }

  private static Whole whole(Walk walk, Optional<Rank> over, Write write) {
    return new Whole(walk.pass(), write.tensor(), write.span(), over, walk);
  }

  /// What an access depends on.
  private Value value(Read read) {
    FiberState state = states.getOrDefault(read.tensor(), FiberState.NONE);
    if (state == FiberState.NONE) {
      return Value.NONE;
    }
    List<Moving> moving = new ArrayList<>(state.steps());
    List<Walk> picks = new ArrayList<>();
    Optional<Whole> whole = state.whole();
    for (Carrier carrier : state.carriers()) {
      Index index = read.indices().get(carrier.dimension());
      if (index.picked().isPresent()) {
        picking(read, index).ifPresent(rank -> picks.add(new Walk(
            carrier.walk().pass(), carrier.walk().by(), carrier.walk().span(), Optional.of(rank), carrier.walk().after())));
      }
      List<Digits.OfRank> walkers =
          carrier.digits().walkers(index, read.tensor().shape().get(carrier.dimension()));
      walkers.forEach(walker -> moving.add(
          new Moving(walker.rank(), walker.digits(), carrier.walk(), grain(read, carrier, walker), carrier.isPrefix())));
      if (walkers.isEmpty() && carrier.isPrefix()) {
        Walk walk = carrier.walk();
        whole = FiberState.later(whole, Optional.of(new Whole(walk.pass(), walk.by(), walk.span(), walk.rank(), walk)));
      }
    }
    return new Value(moving, whole, picks);
  }

  /// What an access operands of the places within a step.
  private static Grain<Rank> grain(Read read, Carrier carrier, Digits.OfRank walker) {
    List<Rank> within = new ArrayList<>(Digits.within(read.indices().get(carrier.dimension()), walker));
    for (int inner : carrier.grain().within()) {
      read.indices().get(inner).terms().stream().map(Index.Term::rank).filter(rank -> rank != walker.rank()).forEach(within::add);
    }
    return new Grain<>(within, carrier.grain().isCoarse());
  }

  /// The rank along which elements of one fiber are picked; empty if only one is, as by `X[n, label[n]]`.
  private static Optional<Rank> picking(Read read, Index index) {
    return index.picked().orElseThrow().stream().filter(rank -> read.indices().stream()
        .noneMatch(other -> other.terms().stream().anyMatch(term -> term.rank() == rank))).findFirst();
  }

  /// How the tensor written depends on the fiber, by its own dimensions. Of ranks that are no index of it, all points count.
  private static FiberState written(Write write, Value value, boolean isPrefix) {
    List<Carrier> carriers = new ArrayList<>();
    Optional<Whole> whole = value.whole();
    for (Moving moving : value.moving()) {
      List<Carrier> places = places(write, moving, isPrefix || moving.isPrefix());
      carriers.addAll(places);
      if (places.isEmpty()) {
        whole = FiberState.later(whole, Optional.of(whole(moving.walk(), Optional.of(moving.rank()), write)));
      }
    }
    return carriers.isEmpty() && whole.isEmpty() ? FiberState.NONE : new FiberState(carriers, whole, List.of());
  }

  private static List<Carrier> places(Write write, Moving moving, boolean isPrefix) {
    List<Carrier> places = new ArrayList<>();
    for (int i = 0; i < write.indices().size(); i++) {
      int place = i;
      Digits.written(write.indices().get(i), moving.walker())
          .ifPresent(digits -> places.add(new Carrier(place, digits, moving.walk(), grain(write, moving), isPrefix)));
    }
    return places;
  }

  private static Grain<Integer> grain(Write write, Moving moving) {
    List<Integer> within = new ArrayList<>();
    for (int i = 0; i < write.indices().size(); i++) {
      if (write.indices().get(i).terms().stream().anyMatch(term -> moving.grain().within().contains(term.rank()))) {
        within.add(i);
      }
    }
    return new Grain<>(within, moving.grain().isCoarse() || within.size() < moving.grain().within().size());
  }

  /// A recurrence. Its steps are one traversal, whatever its updates do: a value of an earlier step is no barrier, since step
  /// `t + 1` needs step `t` only.
  private final class Steps {
    private final Unit unit;
    private final Map<Tensor, FiberState> initial = new IdentityHashMap<>();
    private final Map<Tensor, List<Moving>> carried = new IdentityHashMap<>();

    Steps(Unit unit) {
      this.unit = unit;
      for (Tensor state : unit.definition().tensors()) {
        FiberState start = unit.base(state).map(base -> copied(base, state)).orElse(FiberState.NONE);
        initial.put(state, state == tensor ? itself() : start);
      }
    }

    /// A state that starts as a copy of `base`.
    private FiberState copied(Tensor base, Tensor state) {
      FiberState start = states.getOrDefault(base, FiberState.NONE);
      return new FiberState(start.carriers().stream().map(carrier -> carrier.walk().pass() > 0 ? carrier
          : new Carrier(carrier.dimension(), carrier.digits(),
              new Walk(1, state, unit.definition().span(), Optional.empty(), Optional.empty()), carrier.grain(), false)).toList(),
          start.whole(), List.of());
    }

    void follow() {
      List<Use> found = new ArrayList<>();
      int known = -1;
      while (size() > known) {
        known = size();
        found.clear();
        restart(initial);
        round(found);
      }
      Map<Tensor, FiberState> results = new IdentityHashMap<>();
      unit.definition().tensors().forEach(state -> results.put(state, finished(state, found)));
      Map<Tensor, FiberState> mixed = mixed();
      for (Tensor state : unit.definition().tensors()) {
        FiberState result = results.get(state);
        Optional<Whole> whole = result.whole().isPresent() ? result.whole()
            : mixed.getOrDefault(state, FiberState.NONE).whole().flatMap(_ -> last(found, state));
        states.remove(state);
        if (state == tensor) {
          states.put(state, itself());
        } else if (!result.carriers().isEmpty() || whole.isPresent()) {
          states.put(state, new FiberState(result.carriers(), whole, List.of()));
        }
      }
      uses.addAll(found);
    }

    private int size() {
      return carried.values().stream().mapToInt(List::size).sum();
    }

    private void restart(Map<Tensor, FiberState> from) {
      for (Tensor state : unit.definition().tensors()) {
        FiberState start = from.getOrDefault(state, FiberState.NONE);
        states.put(state, new FiberState(start.carriers(), start.whole(), carried.getOrDefault(state, List.of())));
      }
    }

    /// Runs the updates once.
    private void round(List<Use> found) {
      for (Write write : unit.writes()) {
        Value value = resolve(write.scope(), write, found);
        List<Moving> steps = value.moving().stream().filter(moving -> unit.steps().contains(moving.rank())).toList();
        List<Moving> own = value.moving().stream().filter(moving -> !unit.steps().contains(moving.rank())).toList();
        boolean readsStates = write.scope().reads().anyMatch(unit.definition().tensors()::contains);
        FiberState result = written(write, new Value(own, value.whole(), List.of()), readsStates);
        if (write.tensor() != tensor) {
          FiberState before = states.getOrDefault(write.tensor(), FiberState.NONE);
          states.put(write.tensor(), before.and(new FiberState(result.carriers(), result.whole(), steps)));
        }
        carried.merge(write.tensor(), steps, FiberState::joinMoving);
      }
    }

    /// A state after the last step.
    private FiberState finished(Tensor state, List<Use> found) {
      FiberState now = states.getOrDefault(state, FiberState.NONE);
      FiberState result = new FiberState(now.carriers(), now.whole(), List.of());
      for (Write write : unit.writes()) {
        if (write.tensor() == state) {
          List<Moving> steps = now.steps().stream().map(moving -> moving.withWalk(lastOf(moving, found))).toList();
          result = result.and(written(write, new Value(steps, Optional.empty(), List.of()), true));
        }
      }
      return result;
    }

    private Walk lastOf(Moving moving, List<Use> found) {
      return found.stream().filter(use -> use.rank() == moving.rank()).map(Use::walk).reduce(moving.walk(), FiberState::later);
    }

    /// The states after one more round that starts with what the last one left, without the steps: steps mix elements of a
    /// fiber that all of them read.
    private Map<Tensor, FiberState> mixed() {
      Map<Tensor, FiberState> left = new IdentityHashMap<>();
      unit.definition().tensors().forEach(state -> left.put(state, states.getOrDefault(state, FiberState.NONE)));
      carried.clear();
      restart(left);
      round(new ArrayList<>());
      Map<Tensor, FiberState> mixed = new IdentityHashMap<>();
      unit.definition().tensors().forEach(state -> mixed.put(state, states.getOrDefault(state, FiberState.NONE)));
      return mixed;
    }

    private Optional<Whole> last(List<Use> found, Tensor state) {
      return found.stream().map(Use::walk).reduce(FiberState::later)
          .map(walk -> new Whole(walk.pass(), state, unit.definition().span(), walk.rank(), walk));
    }
  }
}
