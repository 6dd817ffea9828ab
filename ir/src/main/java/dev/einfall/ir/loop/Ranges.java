package dev.einfall.ir.loop;

import static dev.einfall.ir.ElementType.BOOL;
import static dev.einfall.ir.ElementType.I64;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What is known, at one place of a kernel, about the values of integer expressions. Immutable: every method that
/// learns something gives a new object.
///
/// Expressions are compared as sums of multiples of atoms, so that `m1 * 12 + m0 < 127` is a fact about the index
/// `m0 + 12 * m1` as well. Facts about loads are kept only for buffers that the kernel never stores to.
///
/// ```
/// Ranges ranges = Ranges.of(kernel).loop(m1, index(11)).assume(m1 < 10, true);
/// ranges.of(m1 * 12 + 11)     // 11..119
/// ```
public final class Ranges {
  /// Knows nothing, and learns nothing about loads.
  public static final Ranges EMPTY = new Ranges(Set.of(), Map.of(), Map.of(), List.of(), false);

  private static final int DEPTH = 3;

  private record Question(Linear sum, int depth) {}

  /// `low <= sum <= high` for a sum of two or more atoms, without its constant.
  private record Fact(Linear sum, Interval range) {}

  private final Set<Buffer> constants;
  private final Map<Expr, Interval> atoms;
  private final Map<Var, Expr> definitions;
  private final List<Fact> facts;
  private final boolean impossible;
  /// What has been found out: conditions that lead to each other would be followed again and again.
  private final Map<Expr, Interval> asked = new HashMap<>();
  private final Map<Question, Interval> bounds = new HashMap<>();
  private final Map<Expr, Ranges> others = new HashMap<>();

  private Ranges(
      Set<Buffer> constants, Map<Expr, Interval> atoms, Map<Var, Expr> definitions, List<Fact> facts,
      boolean impossible) {
    this.constants = constants;
    this.atoms = atoms;
    this.definitions = definitions;
    this.facts = facts;
    this.impossible = impossible;
  }

  /// Knows which buffers `kernel` only reads.
  public static Ranges of(Kernel kernel) {
    Set<Buffer> constants = Collections.newSetFromMap(new IdentityHashMap<>());
    constants.addAll(kernel.parameters());
    kernel.body().nodes().forEach(statement -> {
      if (statement instanceof Stmt.Store store) {
        constants.remove(store.buffer());
      }
    });
    return new Ranges(constants, Map.of(), Map.of(), List.of(), false);
  }

  /// Whether the place can never be reached, because conditions on the way contradict each other.
  public boolean impossible() {
    return impossible;
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
    if (!isStable(value)) {
      return with(var, of(value));
    }
    Map<Var, Expr> changed = new IdentityHashMap<>(definitions);
    changed.put(var, value);
    return new Ranges(constants, atoms, changed, facts, impossible);
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
      case Expr.Ref(Var var) when definitions.containsKey(var) -> assume(definitions.get(var), holds);
      default -> this;
    };
  }

  /// The values that `expr`, an integer or `bool` of any lanes, can have in any lane.
  ///
  /// @throws IllegalArgumentException for a floating-point expression
  public Interval of(Expr expr) {
    Interval range = range(expr);
    if (range.isPoint() || expr.type().element() == BOOL || facts.isEmpty()) {
      return range;
    }
    Interval sum = of(raw(expr));
    return range.contains(sum) ? sum : range;
  }

  /// The sum that equals `expr`, a scalar integer: variables bound by a [Stmt.Let] stand for their values, and arithmetic
  /// that may wrap around is an atom.
  ///
  /// @throws ArithmeticException if a number of the sum does not fit
  public Linear sum(Expr expr) {
    return exact(expr);
  }

  /// The values that `sum` can have.
  public Interval of(Linear sum) {
    return sum.terms().size() == 1 ? boundByFacts(sum, facts, bound(sum, 0), DEPTH) : bound(sum, DEPTH);
  }

  /// Whether every evaluation of `expr` within its variables' scopes gives the same value: what it loads is never stored to.
  public boolean isConstant(Expr expr) {
    return isStable(expr);
  }

  // Learning.

  private Ranges contradiction() {
    return new Ranges(constants, atoms, definitions, facts, true);
  }

  private static boolean isComparable(Expr operand) {
    return !operand.type().element().isFloat() && operand.type().element() != BOOL && !operand.type().isVector();
  }

  private Ranges assume(BinaryOp op, Expr left, Expr right, boolean holds) {
    Linear difference;
    try {
      difference = exact(left).minus(exact(right));
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
    Interval range = bound(sum, DEPTH);
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
    if (!bound(sum, DEPTH).meets(range)) {
      return contradiction();
    }
    Ranges result = this;
    if (sum.terms().size() > 1 && sum.terms().keySet().stream().allMatch(this::isStable)) {
      List<Fact> more = new ArrayList<>(facts);
      more.add(new Fact(sum.withoutConstant(), range.plus(-sum.constant())));
      result = new Ranges(constants, atoms, definitions, more, impossible);
    }
    for (Map.Entry<Expr, Long> term : sum.terms().entrySet()) {
      Interval rest = bound(sum.minus(Linear.atom(term.getKey()).times(term.getValue())), 1);
      result = result.narrow(term.getKey(), quotients(range.plus(rest.negate()), term.getValue()));
    }
    for (Map.Entry<Expr, Long> term : sum.terms().entrySet()) {
      result = result.constrainOperands(sum, range, term.getKey(), term.getValue());
    }
    return result;
  }

  /// With what `sum` in `range` says about the sums with the operands of a minimum or maximum, `atom`, in its place.
  private Ranges constrainOperands(Linear sum, Interval range, Expr atom, long factor) {
    if (!(atom instanceof Expr.Binary(BinaryOp op, Expr left, Expr right)) || op != BinaryOp.MIN && op != BinaryOp.MAX
        || !isStable(atom) || impossible) {
      return this;
    }
    boolean noLarger = op == BinaryOp.MAX == factor > 0;
    Interval one = noLarger ? new Interval(Long.MIN_VALUE, range.high()) : new Interval(range.low(), Long.MAX_VALUE);
    Interval known = ofAtom(atom);
    Ranges result = this;
    try {
      Linear rest = sum.minus(Linear.atom(atom).times(factor));
      Interval ofLeft = known.meets(range(right)) ? one : range;
      Interval ofRight = known.meets(range(left)) ? one : range;
      result = ofLeft.equals(Interval.ALL) ? result : result.constrain(rest.plus(exact(left).times(factor)), ofLeft);
      return ofRight.equals(Interval.ALL) ? result : result.constrain(rest.plus(exact(right).times(factor)), ofRight);
    } catch (ArithmeticException _) {
      return result;
    }
  }

  /// The integers `x` with `x * factor` in `range`.
  private static Interval quotients(Interval range, long factor) {
    Interval positive = factor > 0 ? range : range.negate();
    long divisor = Math.abs(factor);
    long low = positive.low() == Long.MIN_VALUE ? Long.MIN_VALUE : Math.ceilDiv(positive.low(), divisor);
    long high = positive.high() == Long.MAX_VALUE ? Long.MAX_VALUE : Math.floorDiv(positive.high(), divisor);
    return low <= high ? new Interval(low, high) : Interval.ALL;
  }

  private Ranges narrow(Expr atom, Interval interval) {
    Interval old = ofAtom(atom);
    if (interval.contains(old) || !isStable(atom)) {
      return this;
    }
    if (!old.meets(interval)) {
      return contradiction();
    }
    Map<Expr, Interval> changed = new LinkedHashMap<>(atoms);
    changed.put(atom, old.intersect(interval));
    return new Ranges(constants, changed, definitions, facts, impossible).narrowOperands(atom, old, old.intersect(interval));
  }

  /// Both operands of a maximum are at most what it is, and one is what it is if the other is less; likewise a minimum.
  private Ranges narrowOperands(Expr atom, Interval old, Interval now) {
    if (!(atom instanceof Expr.Binary(BinaryOp op, Expr left, Expr right)) || op != BinaryOp.MIN && op != BinaryOp.MAX) {
      return this;
    }
    boolean max = op == BinaryOp.MAX;
    Interval beyond = max ? new Interval(Long.MIN_VALUE, now.high()) : new Interval(now.low(), Long.MAX_VALUE);
    boolean reached = max ? now.low() > old.low() : now.high() < old.high();
    Interval leftRange = reached && !range(right).meets(now) ? now : beyond;
    Interval rightRange = reached && !range(left).meets(now) ? now : beyond;
    return constrain(exact(left), leftRange).constrain(exact(right), rightRange);
  }

  /// Whether every evaluation of `expr` within its variables' scopes gives the same value.
  private boolean isStable(Expr expr) {
    return expr.nodes().allMatch(node -> !(node instanceof Expr.Load load) || constants.contains(load.buffer()));
  }

  // Sums.

  /// A sum that equals `expr` as an integer.
  private Linear exact(Expr expr) {
    Linear sum = raw(expr);
    return Interval.of(expr.type().element()).contains(bound(sum, DEPTH)) ? sum : atom(expr);
  }

  /// A sum that equals `expr` but for multiples of 2 to the number of its type's bits: arithmetic wraps around.
  private Linear raw(Expr expr) {
    try {
      return switch (expr) {
        case Expr.IntLiteral(ElementType _, long value) -> Linear.of(value);
        case Expr.Ref(Var var) when definitions.containsKey(var) -> raw(definitions.get(var));
        case Expr.Unary(UnaryOp op, Expr operand) when op == UnaryOp.NEG -> raw(operand).times(-1);
        case Expr.Binary(BinaryOp op, Expr left, Expr right) -> raw(op, left, right, expr);
        case Expr.Cast(ElementType element, Expr operand) -> raw(element, operand, expr);
        case Expr.Broadcast(Expr operand, int _) -> raw(operand);
        case Expr.Ramp(Expr base, int stride, int lanes) ->
            raw(base).plus(Linear.atom(new Expr.Ramp(Expr.index(0), 1, lanes)).times(stride));
        default -> atom(expr);
      };
    } catch (ArithmeticException _) {
      return atom(expr);
    }
  }

  private Linear raw(BinaryOp op, Expr left, Expr right, Expr whole) {
    return switch (op) {
      case ADD -> raw(left).plus(raw(right));
      case SUB -> raw(left).minus(raw(right));
      case MUL -> {
        Linear a = raw(left);
        Linear b = raw(right);
        yield b.isConstant() ? a.times(b.constant()) : a.isConstant() ? b.times(a.constant()) : atom(whole);
      }
      default -> atom(whole);
    };
  }

  /// A cast between integers changes nothing when the value fits.
  private Linear raw(ElementType element, Expr operand, Expr whole) {
    ElementType from = operand.type().element();
    boolean fits = !from.isFloat() && element.isInteger() && from != BOOL
        && (element == I64 || Interval.of(element).contains(range(operand)));
    return fits ? exact(operand) : atom(whole);
  }

  /// The sum of `expr` alone. A variable in it that is a loaded value stands for the load, so that what is known about
  /// `X[i] / 3` is known about `x / 3` as well.
  private Linear atom(Expr expr) {
    return Linear.atom(definitions.isEmpty() ? expr : withLoads(expr));
  }

  private Expr withLoads(Expr expr) {
    return expr instanceof Expr.Ref(Var var) && definitions.get(var) instanceof Expr.Load load
        ? withLoads(load) : expr.mapChildren(this::withLoads);
  }

  // Bounds.

  /// What [#of] gives, but for facts about more than `expr`.
  private Interval range(Expr expr) {
    if (facts.isEmpty()) {
      return newRange(expr);
    }
    Interval known = asked.get(expr);
    if (known == null) {
      // A question that leads back to itself gets what its type says.
      asked.put(expr, Interval.of(expr.type().element()));
      known = newRange(expr);
      asked.put(expr, known);
    }
    return known;
  }

  private Interval newRange(Expr expr) {
    Interval type = Interval.of(expr.type().element());
    if (expr instanceof Expr.IntLiteral(ElementType _, long value)) {
      return Interval.of(value);
    }
    if (expr.type().element() == BOOL) {
      return ofCondition(expr);
    }
    Interval sum = bound(raw(expr), DEPTH);
    return type.contains(sum) ? sum : type;
  }

  /// Bounds of a sum: those of its atoms added up, and what each fact about some of its atoms says, with what is left.
  private Interval bound(Linear sum, int depth) {
    if (facts.isEmpty() || depth == 0) {
      return newBound(sum, depth);
    }
    Question question = new Question(sum, depth);
    Interval known = bounds.get(question);
    if (known == null) {
      bounds.put(question, Interval.ALL);
      known = newBound(sum, depth);
      bounds.put(question, known);
    }
    return known;
  }

  private Interval newBound(Linear sum, int depth) {
    Interval range = Interval.of(sum.constant());
    for (Map.Entry<Expr, Long> term : sum.terms().entrySet()) {
      range = range.plus(ofAtom(term.getKey()).times(term.getValue()));
    }
    if (depth == 0 || sum.terms().size() < 2 || range.isPoint()) {
      return range;
    }
    range = boundByFacts(sum, factsAbout(sum), range, depth);
    for (Map.Entry<Expr, Long> term : sum.terms().entrySet()) {
      Interval other = boundByChoice(sum, term.getKey(), term.getValue(), depth);
      range = range.meets(other) ? range.intersect(other) : range;
    }
    return range;
  }

  private Interval boundByFacts(Linear sum, List<Fact> about, Interval known, int depth) {
    Interval range = known;
    for (Fact fact : about) {
      Interval other = boundBy(fact, sum, depth);
      range = range.meets(other) ? range.intersect(other) : range;
    }
    return range;
  }

  /// A minimum or maximum is one of its operands: the bounds of `sum` with the one or the other in its place.
  private Interval boundByChoice(Linear sum, Expr atom, long factor, int depth) {
    if (!(atom instanceof Expr.Binary(BinaryOp op, Expr left, Expr right)) || op != BinaryOp.MIN && op != BinaryOp.MAX) {
      return Interval.ALL;
    }
    try {
      Linear rest = sum.minus(Linear.atom(atom).times(factor));
      Ranges others = without(atom);
      Linear first = rest.plus(others.exact(left).times(factor));
      Linear second = rest.plus(others.exact(right).times(factor));
      return bound(first, depth - 1).union(bound(second, depth - 1));
    } catch (ArithmeticException _) {
      return Interval.ALL;
    }
  }

  private List<Fact> factsAbout(Linear sum) {
    List<Fact> about = new ArrayList<>(facts);
    sum.terms().keySet().forEach(atom -> {
      addChoice(about, atom);
      without(atom).addImplied(about, atom);
    });
    return about;
  }

  /// A maximum that is larger than one operand is the other; a minimum that is smaller, likewise.
  private void addChoice(List<Fact> found, Expr atom) {
    if (!(atom instanceof Expr.Binary(BinaryOp op, Expr left, Expr right)) || op != BinaryOp.MIN && op != BinaryOp.MAX) {
      return;
    }
    try {
      Ranges others = without(atom);
      Linear fromLeft = Linear.atom(atom).minus(others.exact(left));
      Linear fromRight = Linear.atom(atom).minus(others.exact(right));
      if (differs(fromLeft)) {
        found.add(normal(fromRight, Interval.of(0)));
      } else if (differs(fromRight)) {
        found.add(normal(fromLeft, Interval.of(0)));
      }
    } catch (ArithmeticException _) {
      // Numbers too large to reason about: nothing known.
    }
  }

  /// Whether `difference` is not 0, by a fact or by the ranges of its atoms.
  private boolean differs(Linear difference) {
    return !bound(difference, 0).contains(0)
        || facts.stream().anyMatch(fact -> !boundBy(fact, difference, 1).contains(0));
  }

  /// Without the facts about `atom`, which its own operands must not lead back to.
  private Ranges without(Expr atom) {
    if (facts.isEmpty()) {
      return this;
    }
    Ranges known = others.get(atom);
    if (known == null) {
      known = newWithout(atom);
      others.put(atom, known);
    }
    return known;
  }

  private Ranges newWithout(Expr atom) {
    List<Fact> others = facts.stream().filter(fact -> !fact.sum.terms().containsKey(atom)).toList();
    return others.size() == facts.size() ? this : new Ranges(constants, atoms, definitions, others, impossible);
  }

  private Interval boundBy(Fact fact, Linear sum, int depth) {
    Interval range = Interval.ALL;
    for (Map.Entry<Expr, Long> term : fact.sum.terms().entrySet()) {
      Long coefficient = sum.terms().get(term.getKey());
      long scale = coefficient == null ? 0 : scale(coefficient, term.getValue());
      if (scale == 0) {
        continue;
      }
      try {
        long times = Math.multiplyExact(coefficient, scale) / term.getValue();
        Interval rest = bound(sum.times(scale).minus(fact.sum.times(times)), depth - 1);
        Interval found = quotients(fact.range.times(times).plus(rest), scale);
        range = range.meets(found) ? range.intersect(found) : range;
      } catch (ArithmeticException _) {
        // Numbers too large to reason about: no bound from here.
      }
    }
    return range;
  }

  /// By what to multiply a sum with `coefficient` so that `other` divides it; 0 if neither number divides the other.
  private static long scale(long coefficient, long other) {
    return coefficient % other == 0 ? 1 : other % coefficient == 0 ? Math.abs(other / coefficient) : 0;
  }

  /// What an atom's operation says about it and its operands.
  private void addImplied(List<Fact> found, Expr atom) {
    if (!(atom instanceof Expr.Binary(BinaryOp op, Expr left, Expr right))) {
      return;
    }
    try {
      switch (op) {
        case MIN -> {
          found.add(normal(Linear.atom(atom).minus(exact(left)), new Interval(Long.MIN_VALUE, 0)));
          found.add(normal(Linear.atom(atom).minus(exact(right)), new Interval(Long.MIN_VALUE, 0)));
        }
        case MAX -> {
          found.add(normal(Linear.atom(atom).minus(exact(left)), new Interval(0, Long.MAX_VALUE)));
          found.add(normal(Linear.atom(atom).minus(exact(right)), new Interval(0, Long.MAX_VALUE)));
        }
        case DIV -> addRemainder(found, atom, left, range(right));
        case MOD -> addQuotient(found, (Expr.Binary) atom, range(right));
        default -> { }
      }
    } catch (ArithmeticException _) {
      // Numbers too large to reason about: nothing implied.
    }
  }

  /// `0 <= x - c * (x / c) < c`.
  private void addRemainder(List<Fact> found, Expr quotient, Expr dividend, Interval divisor) {
    if (divisor.isPoint() && divisor.low() > 0) {
      Linear remainder = exact(dividend).minus(Linear.atom(quotient).times(divisor.low()));
      found.add(normal(remainder, Interval.below(divisor.low())));
    }
  }

  /// `x - x % c - c * (x / c) == 0`.
  private void addQuotient(List<Fact> found, Expr.Binary remainder, Interval divisor) {
    if (divisor.isPoint() && divisor.low() > 0) {
      Linear quotient = Linear.atom(new Expr.Binary(BinaryOp.DIV, remainder.left(), remainder.right()));
      Linear sum = exact(remainder.left()).minus(Linear.atom(remainder)).minus(quotient.times(divisor.low()));
      found.add(normal(sum, Interval.of(0)));
    }
  }

  private static Fact normal(Linear sum, Interval range) {
    return new Fact(sum.withoutConstant(), range.plus(-sum.constant()));
  }

  private Interval ofAtom(Expr atom) {
    Interval type = Interval.of(atom.type().element());
    Interval known = atoms.getOrDefault(atom, type);
    Interval computed = without(atom).compute(atom);
    Interval inType = type.contains(computed) ? computed : type;
    return inType.meets(known) ? inType.intersect(known) : known;
  }

  private Interval compute(Expr atom) {
    return switch (atom) {
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when !left.type().element().isFloat() ->
          compute(op, left, right);
      case Expr.Unary(UnaryOp op, Expr operand) when op == UnaryOp.ABS -> {
        Interval range = range(operand);
        yield range.maximum(range.negate()).maximum(Interval.of(0));
      }
      case Expr.Unary(UnaryOp op, Expr _) when op == UnaryOp.SIGN -> new Interval(-1, 1);
      case Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) -> select(condition, whenTrue, whenFalse);
      case Expr.Cast(ElementType element, Expr operand) when !operand.type().element().isFloat() -> {
        Interval range = range(operand);
        yield Interval.of(element).contains(range) ? range : Interval.of(element);
      }
      case Expr.Ramp(Expr base, int stride, int lanes) ->
          range(base).plus(Interval.of(0).union(Interval.of((long) stride * (lanes - 1))));
      case Expr.ReduceLanes(BinaryOp op, Expr operand) when op == BinaryOp.MIN || op == BinaryOp.MAX -> range(operand);
      default -> Interval.of(atom.type().element());
    };
  }

  private Interval compute(BinaryOp op, Expr left, Expr right) {
    Interval a = range(left);
    Interval b = range(right);
    return switch (op) {
      case ADD -> a.plus(b);
      case SUB -> a.plus(b.negate());
      case MUL -> a.times(b);
      case DIV -> a.floorDivide(b);
      case MOD -> a.floorRemainder(b);
      case MIN -> a.minimum(b);
      case MAX -> a.maximum(b);
      case AND -> a.low() >= 0 && b.low() >= 0 ? new Interval(0, Math.min(a.high(), b.high())) : Interval.ALL;
      case SHL -> isDistance(b, left) ? a.times(1L << b.low()) : Interval.ALL;
      case SHR -> isDistance(b, left) ? a.floorDivide(Interval.of(1L << b.low())) : Interval.ALL;
      case OR, XOR, POW, EQ, NE, LT, LE, GT, GE -> Interval.ALL;
    };
  }

  /// Whether a shift of `operand` is by just this number of bits.
  private static boolean isDistance(Interval bits, Expr operand) {
    return bits.isPoint() && bits.low() >= 0 && bits.low() < Math.min(31, 8 * operand.type().element().bytes());
  }

  private Interval select(Expr condition, Expr whenTrue, Expr whenFalse) {
    Ranges yes = assume(condition, true);
    Ranges no = assume(condition, false);
    if (yes.impossible != impossible) {
      return no.range(whenFalse);
    }
    return no.impossible != impossible ? yes.range(whenTrue) : yes.range(whenTrue).union(no.range(whenFalse));
  }

  /// `1..1` for a condition that surely holds, `0..0` for one that surely does not.
  private Interval ofCondition(Expr condition) {
    Interval unknown = Interval.of(BOOL);
    return switch (condition) {
      case Expr.Ref(Var var) when definitions.containsKey(var) -> ofCondition(definitions.get(var));
      case Expr.Unary(UnaryOp _, Expr operand) -> range(operand).negate().plus(1);
      case Expr.Broadcast(Expr operand, int _) -> range(operand);
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op.isComparison() && isInteger(left) ->
          compare(op, left, right);
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.AND -> range(left).minimum(range(right));
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.OR -> range(left).maximum(range(right));
      case Expr.Select(Expr choice, Expr whenTrue, Expr whenFalse) -> select(choice, whenTrue, whenFalse);
      default -> atoms.getOrDefault(condition, unknown);
    };
  }

  private static boolean isInteger(Expr operand) {
    return operand.type().element().isInteger();
  }

  private Interval compare(BinaryOp op, Expr left, Expr right) {
    Interval difference;
    try {
      difference = bound(exact(left).minus(exact(right)), DEPTH);
    } catch (ArithmeticException _) {
      return Interval.of(BOOL);
    }
    return switch (op) {
      case LT -> truth(difference.high() < 0, difference.low() >= 0);
      case LE -> truth(difference.high() <= 0, difference.low() > 0);
      case GT -> truth(difference.low() > 0, difference.high() <= 0);
      case GE -> truth(difference.low() >= 0, difference.high() < 0);
      case EQ -> truth(difference.equals(Interval.of(0)), !difference.contains(0));
      case NE -> truth(!difference.contains(0), difference.equals(Interval.of(0)));
      default -> Interval.of(BOOL);
    };
  }

  private static Interval truth(boolean surelyTrue, boolean surelyFalse) {
    return surelyTrue ? Interval.of(1) : surelyFalse ? Interval.of(0) : Interval.of(BOOL);
  }
}
