package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Interval;
import dev.einfall.ir.loop.Ranges;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import dev.einfall.passes.Numerics;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

/// A loop cut into parts, each simplified by what holds in it.
///
/// ```
/// for k in 0..8 {                     for k in 0..i + 1 {
///   if k <= i {                         A[k] = 1.0
///     A[k] = 1.0                      }
///   } else {                     =>   for k in 0..7 - i {
///     A[k] = 0.0                        A[i + 1 + k] = 0.0
///   }                                 }
/// }
/// ```
///
/// @param bounds the variables for the ends of parts, which the parts use
/// @param counters the counters of the parts
/// @param parts the loops, or what is left of them
/// @param inside what is known where the parts stand
record LoopParts(List<Bound> bounds, List<Var> counters, List<Stmt> parts, Ranges inside) {

  private record Bound(Var var, Expr value) {}

  /// `loop` cut at `points`, which may lie outside of its range and in any order.
  static LoopParts of(Stmt.For loop, List<Expr> points, Ranges ranges, Numerics numerics) {
    Ranges inside = ranges;
    List<Bound> bounds = new ArrayList<>();
    List<Expr> ends = new ArrayList<>(List.of(Expr.index(0)));
    List<Expr> sorted = inOrder(points, ranges);
    for (int i = 0; i < sorted.size(); i++) {
      Expr point = sorted.get(i);
      Expr least = areAtMost(sorted.subList(0, i), point, inside) ? Expr.index(0) : ends.getLast();
      Expr end = SimplifyIndices.simplify(binary(BinaryOp.MAX, binary(BinaryOp.MIN, point, loop.extent()), least), inside);
      if (isAtMost(end, ends.getLast(), inside) || isAtMost(loop.extent(), end, inside)) {
        continue;
      }
      if (!isSimple(end)) {
        Bound bound = new Bound(Var.counter(loop.var().name() + "_end"), end);
        bounds.add(bound);
        inside = inside.let(bound.var, end);
        end = new Expr.Ref(bound.var);
      }
      ends.add(end);
    }
    ends.add(loop.extent());
    return of(loop, ends, bounds, inside, new DeadStores(numerics));
  }

  private static LoopParts of(Stmt.For loop, List<Expr> ends, List<Bound> bounds, Ranges inside, DeadStores dead) {
    List<Var> counters = new ArrayList<>();
    List<Stmt> parts = new ArrayList<>();
    for (int i = 0; i + 1 < ends.size(); i++) {
      Var counter = loop.var().copy();
      Stmt part = dead.removed(SimplifyIndices.simplify(part(loop, counter, ends.get(i), ends.get(i + 1)), inside));
      if (!part.equals(Stmt.NOTHING)) {
        counters.add(counter);
        parts.add(part);
      }
    }
    return new LoopParts(List.copyOf(bounds), List.copyOf(counters), List.copyOf(parts), inside);
  }

  private static Stmt.For part(Stmt.For loop, Var counter, Expr begin, Expr end) {
    Expr coordinate = binary(BinaryOp.ADD, begin, new Expr.Ref(counter));
    Stmt body = Rewrites.substitute(Rewrites.copy(loop.body()), loop.var(), coordinate);
    return new Stmt.For(counter, binary(BinaryOp.SUB, end, begin), loop.kind(), body, loop.span());
  }

  /// Each point before the first that is certainly no smaller.
  private static List<Expr> inOrder(List<Expr> points, Ranges ranges) {
    List<Expr> sorted = new ArrayList<>();
    for (Expr point : points) {
      int place = 0;
      while (place < sorted.size() && !isAtMost(point, sorted.get(place), ranges)) {
        place++;
      }
      sorted.add(place, point);
    }
    return sorted;
  }

  /// Whether an index is so short that it needs no variable.
  private static boolean isSimple(Expr index) {
    IndexSum sum = IndexSum.of(index);
    return sum.terms().size() <= 1 && sum.terms().keySet().stream().allMatch(Expr.Ref.class::isInstance);
  }

  /// Whether no end before `point` can lie behind it: an order of neighbours is none of all where some cannot be compared.
  private static boolean areAtMost(List<Expr> before, Expr point, Ranges ranges) {
    return before.stream().allMatch(each -> isAtMost(each, point, ranges));
  }

  private static boolean isAtMost(Expr left, Expr right, Ranges ranges) {
    return ranges.of(binary(BinaryOp.LE, left, right)).equals(Interval.of(1));
  }

  private static Expr binary(BinaryOp op, Expr left, Expr right) {
    return new Expr.Binary(op, left, right);
  }

  int count() {
    return parts.size();
  }

  double work() {
    return parts.stream().mapToDouble(part -> Work.of(part, inside)).sum();
  }

  /// The parts, with `change` applied to each, one after the other.
  Stmt with(BiFunction<Stmt, Ranges, Stmt> change) {
    Stmt result = Stmt.block(parts.stream().map(part -> change.apply(part, inside)).toList());
    for (Bound bound : bounds.reversed()) {
      boolean used = result.nodes().flatMap(Stmt::exprs).anyMatch(expr -> Rewrites.uses(expr, bound.var));
      result = used ? new Stmt.Let(bound.var, bound.value, result) : result;
    }
    return result;
  }
}
