package dev.einfall.ir.loop;

import static dev.einfall.ir.ElementType.BOOL;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import java.util.HashMap;
import java.util.Map;

/// The values that integer expressions and conditions can have, by what is known at a place and by what operations compute.
final class Values {
  private final Ranges ranges;
  private final Facts known;
  /// What has been found out: parts of nested casts and of conditions that lead to each other would be followed again and again.
  private final Map<Expr, Interval> answers = new HashMap<>();

  Values(Ranges ranges) {
    this.ranges = ranges;
    this.known = ranges.known();
  }

  /// What [Ranges#of(Expr)] gives, but for facts about more than `expr`.
  Interval of(Expr expr) {
    if (expr instanceof Expr.IntLiteral) {
      return compute(expr);
    }
    Interval answer = answers.get(expr);
    if (answer == null) {
      // A question that leads back to itself gets what its type says.
      answers.put(expr, Interval.of(expr.type().element()));
      answer = compute(expr);
      answers.put(expr, answer);
    }
    return answer;
  }

  private Interval compute(Expr expr) {
    Interval type = Interval.of(expr.type().element());
    if (expr instanceof Expr.IntLiteral(ElementType _, long value)) {
      return Interval.of(value);
    }
    if (expr.type().element() == BOOL) {
      return ofCondition(expr);
    }
    Interval sum = ranges.bounds().of(ranges.sums().raw(expr));
    return type.contains(sum) ? sum : type;
  }

  /// What is known about `atom` and what follows from its operands.
  Interval ofAtom(Expr atom) {
    Interval type = Interval.of(atom.type().element());
    Interval assumed = known.atoms().getOrDefault(atom, type);
    Interval computed = ranges.without(atom).values().computeAtom(atom);
    Interval inType = type.contains(computed) ? computed : type;
    return inType.meets(assumed) ? inType.intersect(assumed) : assumed;
  }

  private Interval computeAtom(Expr atom) {
    return switch (atom) {
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when !left.type().element().isFloat() ->
          compute(op, left, right);
      case Expr.Unary(UnaryOp op, Expr operand) when op == UnaryOp.ABS -> {
        Interval range = of(operand);
        yield range.maximum(range.negate()).maximum(Interval.of(0));
      }
      case Expr.Unary(UnaryOp op, Expr _) when op == UnaryOp.SIGN -> new Interval(-1, 1);
      case Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) -> select(condition, whenTrue, whenFalse);
      case Expr.Cast(ElementType element, Expr operand) when !operand.type().element().isFloat() -> {
        Interval range = of(operand);
        yield Interval.of(element).contains(range) ? range : Interval.of(element);
      }
      case Expr.Ramp(Expr base, int stride, int lanes) ->
          of(base).plus(Interval.of(0).union(Interval.of((long) stride * (lanes - 1))));
      case Expr.ReduceLanes(BinaryOp op, Expr operand) when op == BinaryOp.MIN || op == BinaryOp.MAX -> of(operand);
      default -> Interval.of(atom.type().element());
    };
  }

  private Interval compute(BinaryOp op, Expr left, Expr right) {
    Interval a = of(left);
    Interval b = of(right);
    return switch (op) {
      case ADD -> a.plus(b);
      case SUB -> a.plus(b.negate());
      case MUL -> a.times(b);
      case DIV -> a.floorDivide(b);
      case MOD -> a.floorRemainder(b);
      case MIN -> a.minimum(b);
      case MAX -> a.maximum(b);
      case AND -> and(a, b);
      case SHL -> isDistance(b, left) ? a.times(1L << b.low()) : Interval.ALL;
      case SHR -> isDistance(b, left) ? a.floorDivide(Interval.of(1L << b.low())) : Interval.ALL;
      case OR, XOR, POW, EQ, NE, LT, LE, GT, GE -> Interval.ALL;
    };
  }

  /// No bit is set that a number without sign has not.
  private static Interval and(Interval a, Interval b) {
    if (a.low() < 0 && b.low() < 0) {
      return Interval.ALL;
    }
    return new Interval(0, a.low() < 0 ? b.high() : b.low() < 0 ? a.high() : Math.min(a.high(), b.high()));
  }

  /// Whether a shift of `operand` is by just this number of bits.
  private static boolean isDistance(Interval bits, Expr operand) {
    return bits.isPoint() && bits.low() >= 0 && bits.low() < Math.min(31, 8 * operand.type().element().bytes());
  }

  private Interval select(Expr condition, Expr whenTrue, Expr whenFalse) {
    Ranges yes = ranges.assume(condition, true);
    Ranges no = ranges.assume(condition, false);
    if (yes.impossible() != known.impossible()) {
      return no.values().of(whenFalse);
    }
    return no.impossible() != known.impossible() ? yes.values().of(whenTrue)
        : yes.values().of(whenTrue).union(no.values().of(whenFalse));
  }

  /// `1..1` for a condition that surely holds, `0..0` for one that surely does not.
  private Interval ofCondition(Expr condition) {
    Interval unknown = Interval.of(BOOL);
    return switch (condition) {
      case Expr.Ref(Var var) when known.definitions().containsKey(var) -> ofCondition(known.definitions().get(var));
      case Expr.Unary(UnaryOp _, Expr operand) -> of(operand).negate().plus(1);
      case Expr.Broadcast(Expr operand, int _) -> of(operand);
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op.isComparison() && isInteger(left) ->
          compare(op, left, right);
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.AND -> of(left).minimum(of(right));
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.OR -> of(left).maximum(of(right));
      case Expr.Select(Expr choice, Expr whenTrue, Expr whenFalse) -> select(choice, whenTrue, whenFalse);
      default -> known.atoms().getOrDefault(condition, unknown);
    };
  }

  private static boolean isInteger(Expr operand) {
    return operand.type().element().isInteger();
  }

  private Interval compare(BinaryOp op, Expr left, Expr right) {
    Interval difference;
    try {
      difference = ranges.bounds().of(ranges.sums().exact(left).minus(ranges.sums().exact(right)));
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
