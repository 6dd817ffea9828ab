package dev.einfall.passes.lower;

import static dev.einfall.ir.ElementType.BOOL;
import static dev.einfall.ir.ElementType.I32;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Interval;
import dev.einfall.ir.loop.Ranges;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;

/// Builds what an Einsum computes at one point: the loops of its reductions, and the store of its value. Collects the
/// checks of data-dependent indices, to be placed as far outside as their operands allow.
final class ValueBuilder {
  private static final Expr TRUE = new Expr.IntLiteral(BOOL, 1);

  /// An element: its buffer and indices.
  record Place(Buffer buffer, List<Expr> indices) {}

  /// A check, and the ranks that it depends on.
  private record Check(Stmt.Require require, Set<Rank> ranks) {}

  private final Einsum einsum;
  private final Map<Rank, Var> counters;
  private final BiFunction<Tensor, List<Expr>, Place> access;
  private final Ranges ranges;
  private final List<Check> checks = new ArrayList<>();
  private final Map<dev.einfall.ir.cascade.Expr.Reduce, Buffer> accumulators = new LinkedHashMap<>();

  ValueBuilder(Einsum einsum, Map<Rank, Var> counters, BiFunction<Tensor, List<Expr>, Place> access) {
    this.einsum = einsum;
    this.counters = counters;
    this.access = access;
    Ranges known = Ranges.EMPTY;
    for (Map.Entry<Rank, Var> counter : counters.entrySet()) {
      known = known.with(counter.getValue(), Interval.below(Math.max(1, counter.getKey().size().value())));
    }
    this.ranges = known;
  }

  /// The statement that computes the point and stores it at `output`.
  Stmt statement(Place output) {
    Expr value = value(einsum.value(), TRUE);
    Stmt body = new Stmt.Store(output.buffer(), output.indices(), value);
    List<Stmt> steps = new ArrayList<>();
    for (Map.Entry<dev.einfall.ir.cascade.Expr.Reduce, Buffer> entry : List.copyOf(accumulators.entrySet())) {
      steps.add(reduction(entry.getKey(), entry.getValue()));
    }
    checks.stream().filter(this::needsReduction).map(Check::require).forEach(steps::add);
    steps.add(body);
    Stmt result = Stmt.block(steps);
    for (Buffer accumulator : List.copyOf(accumulators.values()).reversed()) {
      result = new Stmt.Alloc(accumulator, result);
    }
    return result;
  }

  /// `acc[] = identity`, then the loops that combine the values into it.
  private Stmt reduction(dev.einfall.ir.cascade.Expr.Reduce reduce, Buffer accumulator) {
    Expr body = value(reduce.body(), TRUE);
    Expr old = new Expr.Load(accumulator, List.of());
    Stmt step = new Stmt.Store(accumulator, List.of(), new Expr.Binary(reduce.reduction().combine(), old, body));
    List<Stmt> inside = new ArrayList<>(checks.stream()
        .filter(check -> reduce.ranks().stream().anyMatch(check.ranks::contains)).map(Check::require).toList());
    inside.add(step);
    Stmt loops = Stmt.block(inside);
    for (Rank rank : reduce.ranks().reversed()) {
      loops = new Stmt.For(counters.get(rank), Expr.index(rank.size().value()), Stmt.For.Kind.SERIAL, loops, einsum.span());
    }
    Expr identity = value(reduce.reduction().identity(reduce.body().type()), TRUE);
    return Stmt.block(new Stmt.Store(accumulator, List.of(), identity), loops);
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
        .anyMatch(node -> node instanceof Expr.Load load && accumulators.containsValue(load.buffer()));
  }

  private boolean isReduced(Rank rank) {
    return einsum.value().nodes()
        .anyMatch(node -> node instanceof dev.einfall.ir.cascade.Expr.Reduce reduce && reduce.ranks().contains(rank));
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
      case dev.einfall.ir.cascade.Expr.Reduce reduce -> new Expr.Load(accumulator(reduce), List.of());
    };
  }

  private Buffer accumulator(dev.einfall.ir.cascade.Expr.Reduce reduce) {
    return accumulators.computeIfAbsent(reduce, _ ->
        new Buffer(reduce.reduction().text(), reduce.type(), List.of(), Buffer.Space.LOCAL));
  }

  private Expr element(dev.einfall.ir.cascade.Expr.Access element, Expr path) {
    List<Expr> indices = new ArrayList<>();
    Expr inside = TRUE;
    boolean hasOutside = element.outside().isPresent();
    for (int i = 0; i < element.indices().size(); i++) {
      Expr index = value(element.indices().get(i), path);
      long extent = element.tensor().shape().get(i).value();
      if (Interval.below(Math.max(1, extent)).contains(ranges.of(index))) {
        indices.add(narrow(index));
        continue;
      }
      Expr here = isInside(index, extent);
      inside = and(inside, here);
      if (!hasOutside) {
        check(element, i, index, extent, path, here);
      }
      indices.add(narrow(clamp(index, extent)));
    }
    Place place = access.apply(element.tensor(), indices);
    Expr load = new Expr.Load(place.buffer(), place.indices());
    return hasOutside && inside != TRUE ? new Expr.Select(inside, load, value(element.outside().get(), path)) : load;
  }

  /// Ends the run if `index` is out of bounds on a path that needs it; ends the compilation if that can be seen here.
  private void check(
      dev.einfall.ir.cascade.Expr.Access element, int dimension, Expr index, long extent, Expr path, Expr inside) {
    String name = element.tensor().name();
    boolean fromData = index.nodes().anyMatch(Expr.Load.class::isInstance);
    if (!fromData && path == TRUE) {
      Interval range = ranges.of(index);
      throw new CompileException(Diagnostic.error(einsum.span(), "index " + (dimension + 1) + " of " + name + " runs from "
          + range.low() + " to " + range.high() + ", outside of its " + extent
          + " elements; add `or VALUE` after the access to say what lies there"));
    }
    Expr needed = path == TRUE ? inside : new Expr.Binary(BinaryOp.OR, new Expr.Unary(UnaryOp.NOT, path), inside);
    String message = einsum.span() + ": index " + (dimension + 1) + " of " + name + " must be in 0.." + (extent - 1) + " but is";
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
