package dev.einfall.passes.loop;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Interval;
import dev.einfall.ir.loop.Linear;
import dev.einfall.ir.loop.Ranges;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/// Whether the iterations of a loop could run in any order, or at the same time: each stores to elements that no other one uses.
///
/// They do where one index of all accesses to a buffer says which iteration it is: `4 * i + j`, where `j` is in `0..3`; so does `j + 8` where only
/// iteration 2 comes to.
final class Independence {

  /// Where an index is: `step` times the counter, plus what all iterations have, plus a number in `range`.
  ///
  /// @param only the one iteration that comes there, if there is only one
  private record Place(long step, Linear fixed, Interval range, Optional<Long> only) {

    /// The same place from the view of others, which have `other` times the counter.
    Place withStep(long other) {
      return only.map(iteration -> new Place(other, fixed, range.plus(Interval.of((step - other) * iteration)), only)).orElse(this);
    }
  }

  private final Var counter;
  private final Set<Var> inside;
  private final Map<Buffer, List<List<Optional<Place>>>> accesses = new IdentityHashMap<>();
  private final Set<Buffer> stored = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Set<Buffer> own = Collections.newSetFromMap(new IdentityHashMap<>());

  private Independence(Stmt.For loop) {
    this.counter = loop.var();
    this.inside = Rewrites.bound(loop.body());
  }

  /// @param ranges what is known where `loop` stands
  static boolean holds(Stmt.For loop, Ranges ranges) {
    if (loop.kind() == Stmt.For.Kind.PARALLEL) {
      return true;
    }
    Independence independence = new Independence(loop);
    independence.collect(loop.body(), ranges.loop(loop.var(), loop.extent()));
    return independence.stored.stream().filter(buffer -> !independence.own.contains(buffer)).allMatch(independence::isDividedUp);
  }

  private boolean isDividedUp(Buffer buffer) {
    List<List<Optional<Place>>> all = accesses.get(buffer);
    return IntStream.range(0, buffer.extents().size()).anyMatch(dimension -> {
      List<Optional<Place>> known = all.stream().map(indices -> indices.get(dimension)).toList();
      if (known.stream().anyMatch(Optional::isEmpty)) {
        return false;
      }
      Place first = known.stream().map(Optional::orElseThrow).filter(place -> place.only.isEmpty()).findFirst().orElse(known.getFirst().orElseThrow());
      List<Place> places = known.stream().map(place -> place.orElseThrow().withStep(first.step)).toList();
      long low = places.stream().mapToLong(place -> place.range.low()).min().orElse(0);
      long high = places.stream().mapToLong(place -> place.range.high()).max().orElse(0);
      return first.step != 0 && places.stream().allMatch(place -> place.step == first.step && place.fixed.equals(first.fixed))
          && low > Integer.MIN_VALUE && high < Integer.MAX_VALUE && high - low < Math.abs(first.step);
    });
  }

  private void collect(Stmt statement, Ranges ranges) {
    statement.exprs().flatMap(Expr::nodes).forEach(node -> {
      if (node instanceof Expr.Load load) {
        add(load.buffer(), load.indices(), ranges);
      }
    });
    switch (statement) {
      case Stmt.Block(List<Stmt> statements) -> {
        Ranges after = ranges;
        for (Stmt inner : statements) {
          collect(inner, after);
          after = inner instanceof Stmt.Require require ? after.assume(require.condition(), true) : after;
        }
      }
      case Stmt.For loop -> collect(loop.body(), ranges.loop(loop.var(), loop.extent()));
      case Stmt.Store store -> {
        stored.add(store.buffer());
        add(store.buffer(), store.indices(), ranges);
      }
      case Stmt.Alloc alloc -> {
        own.add(alloc.buffer());
        collect(alloc.body(), ranges);
      }
      case Stmt.If branch -> {
        collect(branch.whenTrue(), ranges.assume(branch.condition(), true));
        collect(branch.whenFalse(), ranges.assume(branch.condition(), false));
      }
      case Stmt.Let let -> collect(let.body(), ranges.let(let.var(), let.value()));
      case Stmt.Require _, Stmt.Barrier _ -> { }
    }
  }

  private void add(Buffer buffer, List<Expr> indices, Ranges ranges) {
    accesses.computeIfAbsent(buffer, _ -> new ArrayList<>())
        .add(indices.stream().map(index -> index.type().isVector() ? Optional.<Place>empty() : place(index, ranges)).toList());
  }

  private Optional<Place> place(Expr index, Ranges ranges) {
    try {
      Linear sum = ranges.sum(index);
      Expr.Ref self = new Expr.Ref(counter);
      long step = sum.terms().getOrDefault(self, 0L);
      Linear fixed = Linear.of(0);
      Linear varying = Linear.of(sum.constant());
      for (Map.Entry<Expr, Long> term : sum.terms().entrySet()) {
        Linear part = Linear.atom(term.getKey()).times(term.getValue());
        if (term.getKey().equals(self)) {
          continue;
        }
        if (Rewrites.uses(term.getKey(), counter)) {
          return Optional.empty();
        }
        if (isFixed(term.getKey())) {
          fixed = fixed.plus(part);
        } else {
          varying = varying.plus(part);
        }
      }
      Interval iterations = ranges.of(self);
      return Optional.of(new Place(step, fixed, ranges.of(varying), iterations.low() == iterations.high() ? Optional.of(iterations.low()) : Optional.empty()));
    } catch (ArithmeticException _) {
      return Optional.empty();
    }
  }

  /// Whether `term` is the same in all iterations.
  private boolean isFixed(Expr term) {
    return term.nodes().noneMatch(node -> node instanceof Expr.Load || node instanceof Expr.Ref(Var var) && inside.contains(var));
  }
}
