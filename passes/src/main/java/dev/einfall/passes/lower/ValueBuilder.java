package dev.einfall.passes.lower;

import static dev.einfall.ir.ElementType.BOOL;
import static dev.einfall.ir.ElementType.I32;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Combination;
import dev.einfall.ir.cascade.Combiner;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Interval;
import dev.einfall.ir.loop.Ranges;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.ValueType;
import dev.einfall.ir.loop.Var;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;

/// Builds what an Einsum or an update computes at one point: the loops of its reductions, and the store of its value. Collects the
/// checks of data-dependent indices, to be placed as far outside as their operands allow.
final class ValueBuilder {
  private static final Expr TRUE = new Expr.IntLiteral(BOOL, 1);

  /// An element: its buffer and indices.
  record Place(Buffer buffer, List<Expr> indices) {}

  /// Where elements are.
  interface Places {
    /// @param indices inside of the tensor
    /// @param unclamped the same, but where they may leave it as they were
    Place at(Tensor tensor, List<Expr> indices, List<Expr> unclamped);
  }

  /// A check, and the ranks that it depends on.
  private record Check(Stmt.Require require, Set<Rank> ranks) {}

  private final Span span;
  private final Map<Rank, Var> counters;
  private final Places places;
  private final Ranges ranges;
  private final NeededPaths paths = new NeededPaths();
  private final List<Check> checks = new ArrayList<>();
  private final Map<dev.einfall.ir.cascade.Expr, List<Buffer>> accumulators = new LinkedHashMap<>();
  private final Map<dev.einfall.ir.cascade.Var, Expr> operands = new IdentityHashMap<>();

  ValueBuilder(Span span, Map<Rank, Var> counters, Places places) {
    this.span = span;
    this.counters = counters;
    this.places = places;
    Ranges known = Ranges.empty();
    for (Map.Entry<Rank, Var> counter : counters.entrySet()) {
      known = known.with(counter.getValue(), Interval.below(Math.max(1, counter.getKey().size().value())));
    }
    this.ranges = known;
  }

  /// The statement that computes the point of an Einsum and stores it at `output`. Checks that need no reduction are left
  /// to [#checksFor] and [#checksOutside].
  Stmt statement(dev.einfall.ir.cascade.Expr root, Place output) {
    paths.add(root, List.of());
    Expr value = value(root, TRUE);
    Stmt body = new Stmt.Store(output.buffer(), output.indices(), value);
    List<Stmt> steps = reductions(Stream.of(root));
    checks.stream().filter(check -> needsReduction(check) && check.ranks.stream().noneMatch(this::isReduced))
        .map(Check::require).forEach(steps::add);
    steps.add(body);
    return withAccumulators(Stmt.block(steps));
  }

  /// The statement that computes one point of an update, with all its checks, and stores it.
  Stmt statement(Recurrence.Update update) {
    update.where().ifPresent(where -> paths.add(where, List.of()));
    List<dev.einfall.ir.cascade.Expr> conditions = update.where().stream().filter(where -> !Exprs.hasReduction(where)).toList();
    update.indices().forEach(index -> paths.add(index, conditions));
    paths.add(update.value(), conditions);
    Expr where = update.where().map(expr -> value(expr, TRUE)).orElse(TRUE);
    List<Stmt> steps = reductions(update.where().stream());
    int before = checks.size();
    Place place = element(update.tensor(), update.indices(), where);
    Expr value = value(update.value(), where);
    Expr old = new Expr.Load(place.buffer(), place.indices());
    Stmt store = update.combination()
        .map(with -> combine(with, old, value, result -> new Stmt.Store(place.buffer(), place.indices(), result)))
        .orElseGet(() -> new Stmt.Store(place.buffer(), place.indices(), value));
    List<Stmt> inside = reductions(Stream.concat(update.indices().stream(), Stream.of(update.value())));
    inside.addAll(unreduced(checks.subList(before, checks.size())));
    inside.add(store);
    steps.addAll(unreduced(checks.subList(0, before)));
    steps.add(where(where, Stmt.block(inside)));
    return withAccumulators(Stmt.block(steps));
  }

  private static Stmt where(Expr condition, Stmt body) {
    return condition == TRUE ? body : new Stmt.If(condition, body, Stmt.NOTHING);
  }

  /// The statement that writes `repeated` where `update` would write, unless `repeated` lies outside.
  Stmt repeat(Recurrence.Update update, List<dev.einfall.ir.cascade.Expr> repeated) {
    Expr where = update.where().map(expr -> value(expr, TRUE)).orElse(TRUE);
    Place place = element(update.tensor(), update.indices(), where);
    Expr inside = where;
    List<Expr> indices = new ArrayList<>();
    for (int i = 0; i < repeated.size(); i++) {
      Expr index = value(repeated.get(i), TRUE);
      long extent = update.tensor().shape().get(i).value();
      boolean certain = Interval.below(Math.max(1, extent)).contains(ranges.of(index));
      inside = certain ? inside : and(inside, isInside(index, extent));
      indices.add(narrow(certain ? index : clamp(index, extent)));
    }
    Place from = places.at(update.tensor(), indices, indices);
    Stmt store = new Stmt.Store(place.buffer(), place.indices(), new Expr.Load(from.buffer(), from.indices()));
    return ordered(Stream.concat(Stream.concat(update.indices().stream(), repeated.stream()), update.where().stream()),
        where(inside, store));
  }

  /// The statement that stores a condition at `output`.
  Stmt condition(dev.einfall.ir.cascade.Expr condition, Place output) {
    Expr value = value(condition, TRUE);
    return ordered(Stream.of(condition), new Stmt.Store(output.buffer(), output.indices(), value));
  }

  /// The reductions of `roots`, the checks, and then `body`.
  private Stmt ordered(Stream<dev.einfall.ir.cascade.Expr> roots, Stmt body) {
    List<Stmt> steps = reductions(roots);
    steps.addAll(unreduced(checks));
    steps.add(body);
    return withAccumulators(Stmt.block(steps));
  }

  /// Those of `some` checks that depend on no reduced rank.
  private List<Stmt.Require> unreduced(List<Check> some) {
    return some.stream().filter(check -> check.ranks.stream().noneMatch(this::isReduced)).map(Check::require).toList();
  }

  private Stmt withAccumulators(Stmt body) {
    Stmt result = body;
    for (Buffer accumulator : accumulators.values().stream().flatMap(List::stream).toList().reversed()) {
      result = new Stmt.Alloc(accumulator, result);
    }
    return result;
  }

  /// Reductions whose loops are open: what they bind, and what is to run at each of their points.
  private record Open(List<Rank> ranks, List<Stmt> statements, Set<dev.einfall.ir.cascade.Expr> done) {
    Open(List<Rank> ranks) {
      this(ranks, new ArrayList<>(), new LinkedHashSet<>());
    }
  }

  /// The reductions in `roots`, each as far outside as the reductions around it allow.
  private List<Stmt> reductions(Stream<dev.einfall.ir.cascade.Expr> roots) {
    Open outside = new Open(List.of());
    roots.forEach(root -> reductions(root, List.of(outside)));
    return outside.statements;
  }

  private void reductions(dev.einfall.ir.cascade.Expr expr, List<Open> open) {
    if (expr.bound().isEmpty()) {
      expr.children().forEach(child -> reductions(child, open));
      return;
    }
    int level = open.size() - 1;
    while (level > 0 && open.get(level).ranks.stream().noneMatch(rank -> reads(expr, rank))) {
      level--;
    }
    Open place = open.get(level);
    if (place.done.add(expr.computation())) {
      Open inside = new Open(expr.bound());
      List<Open> deeper = new ArrayList<>(open.subList(0, level + 1));
      deeper.add(inside);
      expr.children().forEach(body -> reductions(body, deeper));
      place.statements.add(switch (expr) {
        case dev.einfall.ir.cascade.Expr.Reduce reduce -> reduction(reduce, deeper);
        case dev.einfall.ir.cascade.Expr.Fold fold -> fold(fold, deeper);
        case dev.einfall.ir.cascade.Expr _ -> throw new InternalException("no reduction: " + expr);
      });
    }
  }

  private static boolean reads(dev.einfall.ir.cascade.Expr expr, Rank rank) {
    return expr.nodes().anyMatch(node -> node instanceof dev.einfall.ir.cascade.Expr.Coordinate(Rank other) && other == rank);
  }

  /// `acc[] = identity`, then the loops that combine the values into it.
  private Stmt reduction(dev.einfall.ir.cascade.Expr.Reduce reduce, List<Open> open) {
    Buffer accumulator = accumulators(reduce).getFirst();
    Expr body = value(reduce.body(), path(reduce));
    Expr old = new Expr.Load(accumulator, List.of());
    Stmt step = new Stmt.Store(accumulator, List.of(), new Expr.Binary(reduce.reduction().combine(), old, body));
    Expr identity = value(reduce.reduction().identity(reduce.body().type()), TRUE);
    return Stmt.block(new Stmt.Store(accumulator, List.of(), identity), loops(open, step));
  }

  /// Where `reduction` is needed.
  private Expr path(dev.einfall.ir.cascade.Expr reduction) {
    Expr any = null;
    for (List<dev.einfall.ir.cascade.Expr> conditions : paths.of(reduction)) {
      Expr all = TRUE;
      for (dev.einfall.ir.cascade.Expr condition : conditions) {
        all = and(all, value(condition, all));
      }
      any = any == null || all == TRUE ? all : any == TRUE ? any : new Expr.Binary(BinaryOp.OR, any, all);
    }
    return any;
  }

  private Stmt fold(dev.einfall.ir.cascade.Expr.Fold fold, List<Open> open) {
    List<Buffer> accumulated = accumulators(fold);
    List<Expr> old = accumulated.stream().<Expr>map(buffer -> new Expr.Load(buffer, List.of())).toList();
    Expr path = path(fold);
    List<Expr> bodies = fold.bodies().stream().map(body -> value(body, path)).toList();
    Stmt step = combine(fold.combiner(), old, bodies, results -> {
      List<Stmt> stores = new ArrayList<>();
      for (int i = 0; i < results.size(); i++) {
        stores.add(new Stmt.Store(accumulated.get(i), List.of(), results.get(i)));
      }
      return Stmt.block(stores);
    });
    List<Stmt> statements = new ArrayList<>();
    for (int i = 0; i < accumulated.size(); i++) {
      statements.add(new Stmt.Store(accumulated.get(i), List.of(), value(fold.combiner().identity().get(i), TRUE)));
    }
    statements.add(loops(open, step));
    return Stmt.block(statements);
  }

  /// The loops of the innermost open reduction around its statements, the checks that depend on its ranks and on none
  /// further inside, and `step`.
  private Stmt loops(List<Open> open, Stmt step) {
    List<Rank> ranks = open.getLast().ranks;
    List<Stmt> inside = new ArrayList<>(open.getLast().statements);
    checks.stream()
        .filter(check -> ranks.stream().anyMatch(check.ranks::contains))
        .filter(check -> check.ranks.stream().allMatch(rank -> !isReduced(rank) || isBound(rank, open)))
        .map(Check::require).forEach(inside::add);
    inside.add(step);
    Stmt loops = Stmt.block(inside);
    for (Rank rank : ranks.reversed()) {
      loops = new Stmt.For(counters.get(rank), Expr.index(rank.size().value()), Stmt.For.Kind.SERIAL, loops, span);
    }
    return loops;
  }

  private static boolean isBound(Rank rank, List<Open> open) {
    return open.stream().anyMatch(reduction -> reduction.ranks.contains(rank));
  }

  private Stmt combine(Combination with, Expr old, Expr value, Function<Expr, Stmt> store) {
    return switch (with) {
      case Reduction reduction -> store.apply(new Expr.Binary(reduction.combine(), old, value));
      case Combiner combiner -> combine(combiner, List.of(old), List.of(value), results -> store.apply(results.getFirst()));
    };
  }

  /// Binds the operands and, if there are several, the results of `combiner` to variables around what `store` makes of the
  /// results.
  private Stmt combine(Combiner combiner, List<Expr> old, List<Expr> values, Function<List<Expr>, Stmt> store) {
    List<Expr> all = Stream.concat(old.stream(), values.stream()).toList();
    List<Var> variables = combiner.operands().stream().map(operand -> new Var(operand.name(), ValueType.scalar(operand.type()))).toList();
    for (int i = 0; i < all.size(); i++) {
      operands.put(combiner.operands().get(i), new Expr.Ref(variables.get(i)));
    }
    List<Expr> combined = combiner.combined().stream().map(expr -> value(expr, TRUE)).toList();
    List<Var> results = combiner.left().stream().map(operand -> new Var("new_" + operand.name(), ValueType.scalar(operand.type()))).toList();
    boolean single = combined.size() == 1;
    Stmt body = store.apply(single ? combined : results.stream().<Expr>map(Expr.Ref::new).toList());
    for (int i = results.size() - 1; i >= 0 && !single; i--) {
      body = new Stmt.Let(results.get(i), combined.get(i), body);
    }
    for (int i = all.size() - 1; i >= 0; i--) {
      body = new Stmt.Let(variables.get(i), all.get(i), body);
    }
    return body;
  }

  /// `body` after the checks that can run as soon as the loop over `rank`, and no further one of `loops`, is entered.
  List<Stmt> checksFor(Rank rank, List<Rank> loops, Stmt body) {
    List<Rank> inner = loops.subList(loops.indexOf(rank) + 1, loops.size());
    return checked(check -> check.ranks.contains(rank) && inner.stream().noneMatch(check.ranks::contains), body);
  }

  /// `body` after the checks that depend on none of `loops`.
  List<Stmt> checksOutside(List<Rank> loops, Stmt body) {
    return checked(check -> loops.stream().noneMatch(check.ranks::contains), body);
  }

  private List<Stmt> checked(java.util.function.Predicate<Check> place, Stmt body) {
    List<Stmt> statements = new ArrayList<>();
    for (Check check : checks) {
      boolean inside = needsReduction(check) || check.ranks.stream().anyMatch(this::isReduced);
      if (!inside && place.test(check)) {
        statements.add(check.require);
      }
    }
    statements.add(body);
    return statements;
  }

  /// Whether the check reads the result of a reduction at the same point, so that it must come after it.
  private boolean needsReduction(Check check) {
    return check.require.exprs().flatMap(Expr::nodes)
        .anyMatch(node -> node instanceof Expr.Load load
            && accumulators.values().stream().anyMatch(buffers -> buffers.contains(load.buffer())));
  }

  private boolean isReduced(Rank rank) {
    return accumulators.keySet().stream().anyMatch(reduction -> reduction.bound().contains(rank));
  }

  /// The loop expression of `expr`, which is only needed where `path` holds.
  private Expr value(dev.einfall.ir.cascade.Expr expr, Expr path) {
    return switch (expr) {
      case dev.einfall.ir.cascade.Expr.FloatLiteral literal -> new Expr.FloatLiteral(literal.type(), literal.value());
      case dev.einfall.ir.cascade.Expr.IntLiteral literal -> new Expr.IntLiteral(literal.type(), literal.value());
      case dev.einfall.ir.cascade.Expr.Coordinate(Rank rank) -> new Expr.Ref(counters.get(rank));
      case dev.einfall.ir.cascade.Expr.Extent extent -> Expr.index(extent.size().value());
      case dev.einfall.ir.cascade.Expr.Access element -> element(element, path);
      case dev.einfall.ir.cascade.Expr.Unary unary -> new Expr.Unary(unary.op(), value(unary.operand(), path));
      case dev.einfall.ir.cascade.Expr.Binary binary ->
          new Expr.Binary(binary.op(), value(binary.left(), path), value(binary.right(), path));
      case dev.einfall.ir.cascade.Expr.Select select -> {
        Expr condition = value(select.condition(), path);
        yield new Expr.Select(condition, value(select.whenTrue(), and(path, condition)),
            value(select.whenFalse(), and(path, new Expr.Unary(UnaryOp.NOT, condition))));
      }
      case dev.einfall.ir.cascade.Expr.Cast cast -> new Expr.Cast(cast.type(), value(cast.operand(), path));
      case dev.einfall.ir.cascade.Expr.Bitcast bitcast -> new Expr.Bitcast(bitcast.type(), value(bitcast.operand(), path));
      case dev.einfall.ir.cascade.Expr.Reduce reduce -> new Expr.Load(accumulators(reduce).getFirst(), List.of());
      case dev.einfall.ir.cascade.Expr.Fold fold -> new Expr.Load(accumulators(fold).get(fold.component()), List.of());
      case dev.einfall.ir.cascade.Expr.Ref(dev.einfall.ir.cascade.Var var) -> operands.get(var);
    };
  }

  /// The buffers that hold what `reduction` has combined so far, one for each component.
  private List<Buffer> accumulators(dev.einfall.ir.cascade.Expr reduction) {
    return accumulators.computeIfAbsent(reduction.computation(), _ -> switch (reduction) {
      case dev.einfall.ir.cascade.Expr.Reduce reduce -> List.of(accumulator(reduce.reduction().text(), reduce.type()));
      case dev.einfall.ir.cascade.Expr.Fold fold ->
          fold.combiner().left().stream().map(operand -> accumulator(operand.name(), operand.type())).toList();
      case dev.einfall.ir.cascade.Expr _ -> throw new InternalException("no reduction: " + reduction);
    });
  }

  private static Buffer accumulator(String name, ElementType type) {
    return new Buffer(name, type, List.of(), Buffer.Space.LOCAL);
  }

  /// The element of `tensor` at `indices`, which are checked where they may leave the bounds.
  private Place element(Tensor tensor, List<dev.einfall.ir.cascade.Expr> indices, Expr path) {
    Expr load = element(new dev.einfall.ir.cascade.Expr.Access(tensor, indices), path);
    return new Place(((Expr.Load) load).buffer(), ((Expr.Load) load).indices());
  }

  private Expr element(dev.einfall.ir.cascade.Expr.Access element, Expr path) {
    List<Expr> indices = new ArrayList<>();
    List<Expr> unclamped = new ArrayList<>();
    Expr inside = TRUE;
    boolean hasOutside = element.outside().isPresent();
    for (int i = 0; i < element.indices().size(); i++) {
      Expr index = value(element.indices().get(i), path);
      long extent = element.tensor().shape().get(i).value();
      unclamped.add(narrow(index));
      if (Interval.below(Math.max(1, extent)).contains(ranges.of(index))) {
        indices.add(narrow(index));
        continue;
      }
      if (path != TRUE && extent > 0 && Interval.below(extent).contains(ranges.assume(path, true).of(index))) {
        indices.add(narrow(clamp(index, extent)));
        continue;
      }
      Expr here = isInside(index, extent);
      inside = and(inside, here);
      if (!hasOutside) {
        check(element, i, index, extent, path, here);
      }
      indices.add(narrow(clamp(index, extent)));
    }
    Place place = places.at(element.tensor(), indices, unclamped);
    Expr load = new Expr.Load(place.buffer(), place.indices());
    return hasOutside && inside != TRUE ? new Expr.Select(inside, load, value(element.outside().get(), path)) : load;
  }

  /// Whether one of the ranks that `element` moves with is empty, so that nothing reaches it.
  private static boolean isNever(dev.einfall.ir.cascade.Expr.Access element) {
    return element.nodes().anyMatch(node -> node instanceof dev.einfall.ir.cascade.Expr.Coordinate(Rank rank)
        && rank.size().equals(Size.of(0)));
  }

  /// Ends the run if `index` is out of bounds on a path that needs it; ends the compilation if that can be seen here.
  private void check(
      dev.einfall.ir.cascade.Expr.Access element, int dimension, Expr index, long extent, Expr path, Expr inside) {
    if (isNever(element)) {
      return;
    }
    String name = element.tensor().name();
    boolean fromData = index.nodes().anyMatch(Expr.Load.class::isInstance);
    if (!fromData && path == TRUE) {
      Interval range = ranges.of(index);
      throw new CompileException(Diagnostic.error(span, "index " + (dimension + 1) + " of " + name + " runs from "
          + range.low() + " to " + range.high() + ", outside of its " + extent
          + " elements; add `or VALUE` after the access to say what lies there"));
    }
    Expr needed = path == TRUE ? inside : new Expr.Binary(BinaryOp.OR, new Expr.Unary(UnaryOp.NOT, path), inside);
    String message = span + ": index " + (dimension + 1) + " of " + name + " must be in 0.." + (extent - 1) + " but is";
    Set<Rank> ranks = Collections.newSetFromMap(new IdentityHashMap<>());
    element.nodes().forEach(node -> {
      if (node instanceof dev.einfall.ir.cascade.Expr.Coordinate(Rank rank)) {
        ranks.add(rank);
      }
    });
    Set<Var> used = Collections.newSetFromMap(new IdentityHashMap<>());
    needed.nodes().forEach(node -> {
      if (node instanceof Expr.Ref(Var counter)) {
        used.add(counter);
      }
    });
    counters.forEach((rank, counter) -> {
      if (used.contains(counter)) {
        ranks.add(rank);
      } else {
        ranks.remove(rank);
      }
    });
    Check check = new Check(new Stmt.Require(needed, message, index), ranks);
    if (!checks.stream().anyMatch(other -> other.require.equals(check.require))) {
      checks.add(check);
    }
  }

  private static Expr isInside(Expr index, long extent) {
    ElementType type = index.type().element();
    return new Expr.Binary(BinaryOp.AND,
        new Expr.Binary(BinaryOp.GE, index, Expr.literal(type, 0)),
        new Expr.Binary(BinaryOp.LT, index, Expr.literal(type, extent)));
  }

  /// `index` forced into `0 <= index < extent`, so that the verifier can prove the access.
  private static Expr clamp(Expr index, long extent) {
    ElementType type = index.type().element();
    return new Expr.Binary(BinaryOp.MAX,
        new Expr.Binary(BinaryOp.MIN, index, Expr.literal(type, extent - 1)), Expr.literal(type, 0));
  }

  private static Expr narrow(Expr index) {
    return index.type().element() == I32 ? index : new Expr.Cast(I32, index);
  }

  private static Expr and(Expr left, Expr right) {
    return left == TRUE ? right : right == TRUE ? left : new Expr.Binary(BinaryOp.AND, left, right);
  }
}
