package dev.einfall.ir.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.loop.Facts.Fact;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The values that sums can have, by what is known at a place: those of the atoms added up, and what facts about other sums
/// with the same atoms say.
final class Bounds {
  /// How many facts may be used one upon the other.
  private static final int DEPTH = 3;

  private record Question(Linear sum, int depth) {}

  private final Ranges ranges;
  private final Facts known;
  /// What has been found out: parts of nested casts and of conditions that lead to each other would be followed again and again.
  private final Map<Question, Interval> answers = new HashMap<>();

  Bounds(Ranges ranges) {
    this.ranges = ranges;
    this.known = ranges.known();
  }

  /// The values that `sum` can have.
  Interval of(Linear sum) {
    return of(sum, DEPTH);
  }

  /// As [#of(Linear)], with the facts about a single atom too.
  Interval ofAny(Linear sum) {
    return sum.terms().size() == 1 ? byFacts(sum, known.facts(), of(sum, 0), DEPTH) : of(sum);
  }

  /// By at most `depth` facts, one upon the other.
  Interval of(Linear sum, int depth) {
    if (sum.isConstant()) {
      return compute(sum, depth);
    }
    Question question = new Question(sum, depth);
    Interval answer = answers.get(question);
    if (answer == null) {
      // A question that leads back to itself learns nothing on the way.
      answers.put(question, Interval.ALL);
      answer = compute(sum, depth);
      answers.put(question, answer);
    }
    return answer;
  }

  /// The ranges of the atoms added up, and what each fact about some of them says, with what is left.
  private Interval compute(Linear sum, int depth) {
    Interval range = Interval.of(sum.constant());
    for (Map.Entry<Expr, Long> term : sum.terms().entrySet()) {
      range = range.plus(ranges.values().ofAtom(term.getKey()).times(term.getValue()));
    }
    if (depth == 0 || sum.terms().size() < 2 || range.isPoint() || !ranges.inquiry().goesOn()) {
      return range;
    }
    range = byFacts(sum, factsAbout(sum), range, depth);
    for (Map.Entry<Expr, Long> term : sum.terms().entrySet()) {
      Interval other = byChoice(sum, term.getKey(), term.getValue(), depth);
      range = range.meets(other) ? range.intersect(other) : range;
    }
    return range;
  }

  private Interval byFacts(Linear sum, List<Fact> about, Interval start, int depth) {
    Interval range = start;
    for (Fact fact : about) {
      Interval other = by(fact, sum, depth);
      range = range.meets(other) ? range.intersect(other) : range;
    }
    return range;
  }

  /// A minimum or maximum is one of its operands: the bounds of `sum` with the one or the other in its place.
  private Interval byChoice(Linear sum, Expr atom, long factor, int depth) {
    if (!(atom instanceof Expr.Binary(BinaryOp op, Expr left, Expr right)) || op != BinaryOp.MIN && op != BinaryOp.MAX) {
      return Interval.ALL;
    }
    try {
      Linear rest = sum.minus(Linear.atom(atom).times(factor));
      Sums others = ranges.without(atom).sums();
      Linear first = rest.plus(others.exact(left).times(factor));
      Linear second = rest.plus(others.exact(right).times(factor));
      return of(first, depth - 1).union(of(second, depth - 1));
    } catch (ArithmeticException _) {
      return Interval.ALL;
    }
  }

  private List<Fact> factsAbout(Linear sum) {
    List<Fact> about = new ArrayList<>(known.facts());
    sum.terms().keySet().forEach(atom -> {
      addChoice(about, atom);
      ranges.without(atom).bounds().addImplied(about, atom);
    });
    return about;
  }

  /// A maximum that is larger than one operand is the other; a minimum that is smaller, likewise.
  private void addChoice(List<Fact> found, Expr atom) {
    if (!(atom instanceof Expr.Binary(BinaryOp op, Expr left, Expr right)) || op != BinaryOp.MIN && op != BinaryOp.MAX) {
      return;
    }
    try {
      Sums others = ranges.without(atom).sums();
      Linear fromLeft = Linear.atom(atom).minus(others.exact(left));
      Linear fromRight = Linear.atom(atom).minus(others.exact(right));
      if (differs(fromLeft)) {
        found.add(Fact.of(fromRight, Interval.of(0)));
      } else if (differs(fromRight)) {
        found.add(Fact.of(fromLeft, Interval.of(0)));
      }
    } catch (ArithmeticException _) {
      // Numbers too large to reason about: nothing known.
    }
  }

  /// Whether `difference` is not 0, by a fact or by the ranges of its atoms.
  private boolean differs(Linear difference) {
    return !of(difference, 0).contains(0)
        || known.facts().stream().anyMatch(fact -> !by(fact, difference, 1).contains(0));
  }

  private Interval by(Fact fact, Linear sum, int depth) {
    Interval range = Interval.ALL;
    for (Map.Entry<Expr, Long> term : fact.sum().terms().entrySet()) {
      Long coefficient = sum.terms().get(term.getKey());
      long scale = coefficient == null ? 0 : scale(coefficient, term.getValue());
      if (scale == 0) {
        continue;
      }
      try {
        long times = Math.multiplyExact(coefficient, scale) / term.getValue();
        Interval rest = of(sum.times(scale).minus(fact.sum().times(times)), depth - 1);
        Interval found = quotients(fact.range().times(times).plus(rest), scale);
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
          found.add(Fact.of(Linear.atom(atom).minus(ranges.sums().exact(left)), new Interval(Long.MIN_VALUE, 0)));
          found.add(Fact.of(Linear.atom(atom).minus(ranges.sums().exact(right)), new Interval(Long.MIN_VALUE, 0)));
        }
        case MAX -> {
          found.add(Fact.of(Linear.atom(atom).minus(ranges.sums().exact(left)), new Interval(0, Long.MAX_VALUE)));
          found.add(Fact.of(Linear.atom(atom).minus(ranges.sums().exact(right)), new Interval(0, Long.MAX_VALUE)));
        }
        case DIV -> addRemainder(found, atom, left, ranges.values().of(right));
        case MOD -> addQuotient(found, (Expr.Binary) atom, ranges.values().of(right));
        default -> { }
      }
    } catch (ArithmeticException _) {
      // Numbers too large to reason about: nothing implied.
    }
  }

  /// `0 <= x - c * (x / c) < c`.
  private void addRemainder(List<Fact> found, Expr quotient, Expr dividend, Interval divisor) {
    if (divisor.isPoint() && divisor.low() > 0) {
      Linear remainder = ranges.sums().exact(dividend).minus(Linear.atom(quotient).times(divisor.low()));
      found.add(Fact.of(remainder, Interval.below(divisor.low())));
    }
  }

  /// `x - x % c - c * (x / c) == 0`.
  private void addQuotient(List<Fact> found, Expr.Binary remainder, Interval divisor) {
    if (divisor.isPoint() && divisor.low() > 0) {
      Linear quotient = Linear.atom(new Expr.Binary(BinaryOp.DIV, remainder.left(), remainder.right()));
      Linear sum = ranges.sums().exact(remainder.left()).minus(Linear.atom(remainder)).minus(quotient.times(divisor.low()));
      found.add(Fact.of(sum, Interval.of(0)));
    }
  }

  /// The integers `x` with `x * factor` in `range`.
  static Interval quotients(Interval range, long factor) {
    Interval positive = factor > 0 ? range : range.negate();
    long divisor = Math.abs(factor);
    long low = positive.low() == Long.MIN_VALUE ? Long.MIN_VALUE : Math.ceilDiv(positive.low(), divisor);
    long high = positive.high() == Long.MAX_VALUE ? Long.MAX_VALUE : Math.floorDiv(positive.high(), divisor);
    return low <= high ? new Interval(low, high) : Interval.ALL;
  }
}
