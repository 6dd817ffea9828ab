package dev.einfall.passes.loop;

import static dev.einfall.ir.ElementType.BOOL;
import static dev.einfall.ir.ElementType.I32;
import static dev.einfall.ir.ElementType.I64;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Interval;
import dev.einfall.ir.loop.Linear;
import dev.einfall.ir.loop.Ranges;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/// Finds where the conditions inside a loop change: for each comparison of sums, the iteration before which it is sure for
/// all values of the counters further inside, and the one from which on the contrary is.
///
/// ```
/// for m1 in 0..16 {
///   for m0 in 0..64 { .. m1 * 64 + m0 <= p .. }      changes between (p - 63) / 64 + 1 and p / 64 + 1
/// }
/// for m in 0..1024 { .. m / 64 == p / 64 .. }        changes at p / 64 * 64 and p / 64 * 64 + 64
/// ```
final class CutPoints {
  private final Stmt.For loop;
  private final Ranges outside;
  private final Set<Var> inner;
  private final Set<List<Expr>> found = new LinkedHashSet<>();

  private CutPoints(Stmt.For loop, Ranges outside) {
    this.loop = loop;
    this.outside = outside;
    this.inner = Rewrites.bound(loop);
  }

  /// The points at which each condition in `loop`, which stands where `outside` is known, changes: values of its counter as
  /// expressions over what is outside of it.
  static List<List<Expr>> of(Stmt.For loop, Ranges outside) {
    CutPoints points = new CutPoints(loop, outside);
    points.collect(loop.body(), outside.loop(loop.var(), loop.extent()));
    return List.copyOf(points.found);
  }

  private void collect(Stmt statement, Ranges ranges) {
    statement.exprs().flatMap(Expr::nodes).forEach(node -> {
      if (node instanceof Expr.Select select) {
        add(select.condition(), ranges);
      }
    });
    switch (statement) {
      case Stmt.For nested -> collect(nested.body(), ranges.loop(nested.var(), nested.extent()));
      case Stmt.Let let -> collect(let.body(), ranges.let(let.var(), let.value()));
      case Stmt.If branch -> {
        add(branch.condition(), ranges);
        collect(branch.whenTrue(), ranges.assume(branch.condition(), true));
        collect(branch.whenFalse(), ranges.assume(branch.condition(), false));
      }
      case Stmt.Block _, Stmt.Alloc _, Stmt.Store _, Stmt.Require _, Stmt.Barrier _ -> statement.children().forEach(child -> collect(child, ranges));
    }
  }

  /// Adds the points of `condition`, the comparisons of a conjunction together.
  private void add(Expr condition, Ranges ranges) {
    if (condition.type().isVector()) {
      return;
    }
    Set<Expr> points = new LinkedHashSet<>();
    addPoints(SimplifyIndices.simplify(condition, ranges), ranges, points);
    if (!points.isEmpty()) {
      found.add(List.copyOf(points));
    }
  }

  private void addPoints(Expr condition, Ranges ranges, Set<Expr> points) {
    switch (condition) {
      case Expr.Unary(UnaryOp op, Expr operand) when op == UnaryOp.NOT -> addPoints(operand, ranges, points);
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.AND || op == BinaryOp.OR -> {
        addPoints(left, ranges, points);
        addPoints(right, ranges, points);
      }
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op.isComparison() && left.type().element().isInteger()
          && left.type().element() != BOOL && !left.type().isVector() -> compare(op, left, right, ranges, points);
      default -> { }
    }
  }

  private void compare(BinaryOp op, Expr left, Expr right, Ranges ranges, Set<Expr> points) {
    try {
      Linear difference = ranges.sum(left).minus(ranges.sum(right));
      Linear opposite = difference.times(-1);
      switch (op) {
        case GE -> change(difference, ranges, points);
        case GT -> change(difference.plus(Linear.of(-1)), ranges, points);
        case LE -> change(opposite, ranges, points);
        case LT -> change(opposite.plus(Linear.of(-1)), ranges, points);
        case EQ, NE -> {
          change(difference, ranges, points);
          change(opposite, ranges, points);
        }
        default -> { }
      }
    } catch (ArithmeticException _) {
      // Numbers too large to reason about: no point here.
    }
  }

  /// Adds the points at which `sum >= 0` changes.
  private void change(Linear written, Ranges ranges, Set<Expr> points) {
    Linear sum = withoutQuotients(written, ranges);
    long factor = sum.terms().getOrDefault(new Expr.Ref(loop.var()), 0L);
    Linear rest = Linear.of(0);
    Linear around = Linear.of(sum.constant());
    for (Map.Entry<Expr, Long> term : sum.terms().entrySet()) {
      Expr atom = term.getKey();
      Linear multiple = Linear.atom(atom).times(term.getValue());
      if (isOutside(atom)) {
        around = around.plus(multiple);
      } else if (!atom.equals(new Expr.Ref(loop.var()))) {
        rest = rest.plus(multiple);
      }
    }
    Interval inside = ranges.of(rest);
    if (factor == 0 || !inside.isBounded()) {
      return;
    }
    Expr first = point(around, inside.low(), factor);
    Expr second = point(around, inside.high(), factor);
    if (isNarrow(inside, Math.abs(factor)) || isNarrow(first, second)) {
      points.add(first);
      points.add(second);
    }
  }

  /// A sum that is 0 or more where `sum` is, without quotients of what changes inside: `x / c + y >= 0` is `x + c * y >= 0`, and
  /// `y - x / c >= 0` is `c * y + c - 1 - x >= 0`.
  private Linear withoutQuotients(Linear sum, Ranges ranges) {
    for (Map.Entry<Expr, Long> term : sum.terms().entrySet()) {
      if (Math.abs(term.getValue()) == 1 && !isOutside(term.getKey())
          && term.getKey() instanceof Expr.Binary(BinaryOp op, Expr left, Expr.IntLiteral(_, long divisor)) && op == BinaryOp.DIV && divisor > 1) {
        long sign = term.getValue();
        Linear rest = sum.minus(Linear.atom(term.getKey()).times(sign)).times(divisor);
        Linear dividend = ranges.sum(left).times(sign);
        return withoutQuotients(rest.plus(dividend).plus(Linear.of(sign > 0 ? 0 : divisor - 1)), ranges);
      }
    }
    return sum;
  }

  /// Whether no more iterations are undecided than decided.
  private boolean isNarrow(Interval inside, long factor) {
    return 2 * Math.ceilDiv(inside.high() - inside.low(), factor) <= outside.of(loop.extent()).high();
  }

  /// The same for two points that are numbers: what lies outside of the loop does not count.
  private boolean isNarrow(Expr first, Expr second) {
    long extent = outside.of(loop.extent()).high();
    return first instanceof Expr.IntLiteral from && second instanceof Expr.IntLiteral to
        && 2 * Math.abs(Math.clamp(to.value(), 0, extent) - Math.clamp(from.value(), 0, extent)) <= extent;
  }

  /// The first counter `v` from which on `factor * v + around + offset >= 0` is, or no longer is.
  private Expr point(Linear around, long offset, long factor) {
    IndexSum sum = new IndexSum(around.terms(), Math.addExact(around.constant(), offset));
    long divisor = Math.abs(factor);
    IndexSum dividend = factor > 0 ? sum.times(-1).plus(constant(divisor - 1)) : sum.plus(constant(divisor));
    boolean wide = around.terms().keySet().stream().anyMatch(atom -> atom.type().element() == I64);
    ElementType type = wide ? I64 : I32;
    Expr quotient = divisor == 1 ? dividend.expr(type)
        : new Expr.Binary(BinaryOp.DIV, dividend.expr(type), new Expr.IntLiteral(type, divisor));
    return SimplifyIndices.simplify(wide ? narrow(quotient) : quotient, outside);
  }

  /// An `i64` as an index: numbers outside of the loop's range are all the same.
  private Expr narrow(Expr point) {
    Expr most = new Expr.IntLiteral(I64, outside.of(loop.extent()).high());
    Expr inside = new Expr.Binary(BinaryOp.MAX, new Expr.Binary(BinaryOp.MIN, point, most), new Expr.IntLiteral(I64, 0));
    return new Expr.Cast(I32, inside);
  }

  private static IndexSum constant(long value) {
    return new IndexSum(Map.of(), value);
  }

  /// Whether `atom` is a number with one value for the whole loop.
  private boolean isOutside(Expr atom) {
    return (atom.type().element() == I32 || atom.type().element() == I64) && atom.nodes().allMatch(node -> switch (node) {
      case Expr.Ref(Var var) -> !inner.contains(var);
      case Expr.Load load -> outside.isConstant(node) && isWithin(load);
      default -> true;
    });
  }

  /// Whether `load` may be done outside: what makes its indices sure may be a check inside.
  private boolean isWithin(Expr.Load load) {
    return IntStream.range(0, load.indices().size()).allMatch(i -> {
      Interval index = outside.of(load.indices().get(i));
      return index.low() >= 0 && index.high() < load.buffer().extents().get(i);
    });
  }
}
