package dev.einfall.ir.loop;

import static dev.einfall.ir.ElementType.BOOL;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.loop.Facts.Fact;
import java.util.HashMap;
import java.util.Map;

/// What is known, at one place of a kernel, about the values of integer expressions. Every method that learns something
/// gives a new object. An object remembers its answers, and is for one thread.
///
/// Expressions are compared as sums of multiples of atoms, so that `m1 * 12 + m0 < 127` is a fact about the index
/// `m0 + 12 * m1` as well. Facts about loads are kept only for buffers that the kernel never stores to.
///
/// ```
/// Ranges ranges = Ranges.of(kernel).loop(m1, index(11)).assume(m1 < 10, true);
/// ranges.of(m1 * 12 + 11)     // 11..119
/// ```
public final class Ranges {
  private final Facts known;
  private final Sums sums;
  private final Bounds bounds;
  private final Values values;
  private final Map<Expr, Ranges> others = new HashMap<>();
  private final Inquiry inquiry;

  private Ranges(Facts known) {
    this(known, new Inquiry());
  }

  Ranges(Facts known, Inquiry inquiry) {
    this.known = known;
    this.inquiry = inquiry;
    this.sums = new Sums(this);
    this.bounds = new Bounds(this);
    this.values = new Values(this);
  }

  /// Knows nothing, and learns nothing about loads.
  public static Ranges empty() {
    return new Ranges(Facts.NONE);
  }

  /// Knows which buffers `kernel` only reads.
  public static Ranges of(Kernel kernel) {
    return new Ranges(Facts.of(kernel));
  }

  Inquiry inquiry() {
    return inquiry;
  }

  Facts known() {
    return known;
  }

  Sums sums() {
    return sums;
  }

  Bounds bounds() {
    return bounds;
  }

  Values values() {
    return values;
  }

  /// Whether the place can never be reached, because conditions on the way contradict each other.
  public boolean impossible() {
    return known.impossible();
  }

  /// With `var`, an integer, known to be in `interval`.
  public Ranges with(Var var, Interval interval) {
    return narrow(new Expr.Ref(var), interval);
  }

  /// With `var` bound to `value` by a [Stmt.Let]. A `value` that is not an integer tells nothing.
  public Ranges let(Var var, Expr value) {
    if (value.type().element().isFloat()) {
      return this;
    }
    if (!known.isStable(value)) {
      return with(var, of(value));
    }
    return new Ranges(known.define(var, value));
  }

  /// With `counter` of a loop in `0 <= counter < extent`.
  public Ranges loop(Var counter, Expr extent) {
    Expr.Ref ref = new Expr.Ref(counter);
    Ranges inside = with(counter, Interval.below(of(extent).high()));
    return inside.assume(new Expr.Binary(BinaryOp.LT, ref, extent), true);
  }

  /// With `condition`, a `bool`, known to be `holds`. Comparisons of integers and what `&&`, `||` and `!` make of them
  /// tell something; everything else is ignored.
  public Ranges assume(Expr condition, boolean holds) {
    return switch (condition) {
      case Expr.IntLiteral(ElementType _, long value) -> (value != 0) == holds ? this : contradiction();
      case Expr.Unary(UnaryOp op, Expr operand) when op == UnaryOp.NOT -> assume(operand, !holds);
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == (holds ? BinaryOp.AND : BinaryOp.OR) ->
          assume(left, holds).assume(right, holds);
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op.isComparison() && isComparable(left) ->
          assume(op, left, right, holds);
      case Expr.Ref(Var var) when known.definitions().containsKey(var) -> assume(known.definitions().get(var), holds);
      default -> this;
    };
  }

  /// The values that `expr`, an integer or `bool` of any lanes, can have in any lane.
  ///
  /// @throws IllegalArgumentException for a floating-point expression
  public Interval of(Expr expr) {
    Interval range = values.of(expr);
    if (range.isPoint() || expr.type().element() == BOOL || known.facts().isEmpty()) {
      return range;
    }
    Interval sum = of(sums.raw(expr));
    return range.contains(sum) ? sum : range;
  }

  /// The sum that equals `expr`, a scalar integer: variables bound by a [Stmt.Let] stand for their values, and arithmetic
  /// that may wrap around is an atom.
  ///
  /// @throws ArithmeticException if a number of the sum does not fit
  public Linear sum(Expr expr) {
    return sums.exact(expr);
  }

  /// The values that `sum` can have.
  public Interval of(Linear sum) {
    return bounds.ofAny(sum);
  }

  /// Whether every evaluation of `expr` within its variables' scopes gives the same value: what it loads is never stored to.
  public boolean isConstant(Expr expr) {
    return known.isStable(expr);
  }

  /// Without the facts about `atom`, which its own operands must not lead back to.
  Ranges without(Expr atom) {
    if (known.facts().isEmpty()) {
      return this;
    }
    Ranges other = others.get(atom);
    if (other == null) {
      Facts fewer = known.without(atom);
      other = fewer == known ? this : inquiry.part(fewer);
      others.put(atom, other);
    }
    return other;
  }

  // Learning.

  private Ranges contradiction() {
    return new Ranges(known.contradiction());
  }

  private static boolean isComparable(Expr operand) {
    return !operand.type().element().isFloat() && operand.type().element() != BOOL && !operand.type().isVector();
  }

  private Ranges assume(BinaryOp op, Expr left, Expr right, boolean holds) {
    Linear difference;
    try {
      difference = sums.exact(left).minus(sums.exact(right));
    } catch (ArithmeticException _) {
      return this;
    }
    Interval below = new Interval(Long.MIN_VALUE, -1);
    Interval above = new Interval(1, Long.MAX_VALUE);
    return switch (op) {
      case LT -> constrain(difference, holds ? below : new Interval(0, Long.MAX_VALUE));
      case GE -> constrain(difference, holds ? new Interval(0, Long.MAX_VALUE) : below);
      case GT -> constrain(difference, holds ? above : new Interval(Long.MIN_VALUE, 0));
      case LE -> constrain(difference, holds ? new Interval(Long.MIN_VALUE, 0) : above);
      case EQ -> holds ? constrain(difference, Interval.of(0)) : exclude(difference);
      case NE -> holds ? exclude(difference) : constrain(difference, Interval.of(0));
      default -> this;
    };
  }

  /// With `sum != 0`.
  private Ranges exclude(Linear sum) {
    Interval range = bounds.of(sum);
    if (range.equals(Interval.of(0))) {
      return contradiction();
    }
    if (range.low() == 0) {
      return constrain(sum, new Interval(1, Long.MAX_VALUE));
    }
    return range.high() == 0 ? constrain(sum, new Interval(Long.MIN_VALUE, -1)) : this;
  }

  /// With `sum` in `range`.
  private Ranges constrain(Linear sum, Interval range) {
    if (known.says(Fact.of(sum, range))) {
      return this;
    }
    if (!bounds.of(sum).meets(range)) {
      return contradiction();
    }
    Ranges result = this;
    if (sum.terms().size() > 1 && sum.terms().keySet().stream().allMatch(known::isStable)) {
      result = new Ranges(known.with(Fact.of(sum, range)));
    }
    for (Map.Entry<Expr, Long> term : sum.terms().entrySet()) {
      Interval rest = bounds.of(sum.minus(Linear.atom(term.getKey()).times(term.getValue())), 1);
      result = result.narrow(term.getKey(), Bounds.quotients(range.plus(rest.negate()), term.getValue()));
    }
    for (Map.Entry<Expr, Long> term : sum.terms().entrySet()) {
      result = result.constrainOperands(sum, range, term.getKey(), term.getValue());
    }
    return result;
  }

  /// With what `sum` in `range` says about the sums with the operands of a minimum or maximum, `atom`, in its place.
  private Ranges constrainOperands(Linear sum, Interval range, Expr atom, long factor) {
    if (!(atom instanceof Expr.Binary(BinaryOp op, Expr left, Expr right)) || op != BinaryOp.MIN && op != BinaryOp.MAX
        || known.facts().size() >= Facts.ENOUGH || !known.isStable(atom) || impossible()) {
      return this;
    }
    boolean noLarger = op == BinaryOp.MAX == factor > 0;
    Interval one = noLarger ? new Interval(Long.MIN_VALUE, range.high()) : new Interval(range.low(), Long.MAX_VALUE);
    Interval known = values.ofAtom(atom);
    Ranges result = this;
    try {
      Linear rest = sum.minus(Linear.atom(atom).times(factor));
      Interval ofLeft = known.meets(values.of(right)) ? one : range;
      Interval ofRight = known.meets(values.of(left)) ? one : range;
      result = ofLeft.equals(Interval.ALL) ? result : result.constrain(rest.plus(sums.exact(left).times(factor)), ofLeft);
      return ofRight.equals(Interval.ALL) ? result : result.constrain(rest.plus(sums.exact(right).times(factor)), ofRight);
    } catch (ArithmeticException _) {
      return result;
    }
  }

  private Ranges narrow(Expr atom, Interval interval) {
    Interval old = values.ofAtom(atom);
    if (interval.contains(old) || !known.isStable(atom)) {
      return this;
    }
    if (!old.meets(interval)) {
      return contradiction();
    }
    Interval now = old.intersect(interval);
    return new Ranges(known.with(atom, now)).narrowOperands(atom, old, now);
  }

  /// Both operands of a maximum are at most what it is, and one is what it is if the other is less; likewise a minimum.
  private Ranges narrowOperands(Expr atom, Interval old, Interval now) {
    if (!(atom instanceof Expr.Binary(BinaryOp op, Expr left, Expr right)) || op != BinaryOp.MIN && op != BinaryOp.MAX) {
      return this;
    }
    boolean max = op == BinaryOp.MAX;
    Interval beyond = max ? new Interval(Long.MIN_VALUE, now.high()) : new Interval(now.low(), Long.MAX_VALUE);
    boolean reached = max ? now.low() > old.low() : now.high() < old.high();
    Interval leftRange = reached && !values.of(right).meets(now) ? now : beyond;
    Interval rightRange = reached && !values.of(left).meets(now) ? now : beyond;
    return constrain(sums.exact(left), leftRange).constrain(sums.exact(right), rightRange);
  }
}
