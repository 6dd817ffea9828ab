package dev.einfall.passes.reduce;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Combiner;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.passes.algebra.Atom;
import dev.einfall.passes.algebra.Canonical;
import dev.einfall.passes.algebra.Condition;
import dev.einfall.passes.algebra.Monomial;
import dev.einfall.passes.algebra.Polynomial;
import dev.einfall.passes.algebra.Rational;
import dev.einfall.passes.algebra.Written;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Finds the tiles that need not be gone through: those in which a condition of the terms holds nowhere, if without it every
/// reduction of the chain takes its identity.
///
/// ```
/// where(m <= p, S[p, m], -inf)     =>     updates only where m1 * 64 <= p / 64 * 64 + 63
/// ```
///
/// @param rows how many coordinates of the chain's last common rank are taken together: guards are the same for all of them
record Guards(Chain chain, Canonical canonical, Kept kept, Steps steps, int rows) {

  /// What must hold for a tile to matter; empty if all do, as far as can be told.
  Optional<Expr> guard() {
    if (kept.all().stream().anyMatch(Accumulator.Tied.class::isInstance)) {
      // The first of equal elements is kept, and all may be equal.
      return Optional.empty();
    }
    return conditions().stream().filter(this::isNeeded).flatMap(condition -> somewhere(condition).stream())
        .reduce((left, right) -> new Expr.Binary(BinaryOp.AND, left, right));
  }

  private Set<Condition> conditions() {
    Set<Condition> found = new LinkedHashSet<>();
    terms().flatMap(Polynomial::atoms).forEach(atom -> {
      if (atom instanceof Atom.Choice(Condition condition, Polynomial _, Polynomial _)) {
        found.add(condition);
      }
    });
    return found;
  }

  private Stream<Polynomial> terms() {
    return kept.all().stream().flatMap(accumulator -> switch (accumulator) {
      case Accumulator.Plain plain -> Stream.of(plain.body());
      case Accumulator.Weighted weighted -> Stream.of(weighted.exponent(), weighted.body());
      case Accumulator.Moments moments -> Stream.concat(Stream.of(moments.exponent()), moments.derivatives().stream());
      case Accumulator.Tied tied -> Stream.of(tied.body());
      case Accumulator.Folded folded -> Stream.concat(Stream.of(folded.exponent()), folded.bodies().stream());
    });
  }

  /// Whether everything kept stays as it is where `condition` does not hold.
  private boolean isNeeded(Condition condition) {
    try {
      return kept.all().stream().allMatch(accumulator -> isIdle(accumulator, condition));
    } catch (ArithmeticException _) {
      return false;
    }
  }

  private boolean isIdle(Accumulator accumulator, Condition condition) {
    return switch (accumulator) {
      case Accumulator.Plain plain -> isIdentity(plain.reduction(), without(plain.body(), condition));
      case Accumulator.Weighted weighted -> isNothing(without(weighted.exponent(), condition))
          || without(weighted.body(), condition).isZero() && weighted.reduction() == Reduction.SUM;
      case Accumulator.Moments moments -> isNothing(without(moments.exponent(), condition))
          || moments.derivatives().stream().allMatch(derivative -> without(derivative, condition).isZero());
      case Accumulator.Tied _ -> false;
      case Accumulator.Folded folded -> isIdentity(folded, condition);
    };
  }

  /// Minus infinity, of which the exponential is 0.
  private static boolean isNothing(Polynomial exponent) {
    return exponent.isInfinite() && exponent.coefficient().signum() < 0;
  }

  private static boolean isIdentity(Reduction reduction, Polynomial value) {
    return switch (reduction) {
      case SUM -> value.isZero();
      case PROD -> value.isOne();
      case MAX -> isNothing(value);
      case MIN -> value.isInfinite() && value.coefficient().signum() > 0;
      case ANY, ALL, ARGMAX, ARGMIN -> false;
    };
  }

  private boolean isIdentity(Accumulator.Folded folded, Condition condition) {
    Combiner combiner = folded.combiner();
    for (int i = 0; i < folded.bodies().size(); i++) {
      Polynomial identity = canonical.of(combiner.identity().get(i));
      if (folded.reference().isPresent() || !without(folded.bodies().get(i), condition).equals(identity)) {
        return false;
      }
    }
    return true;
  }

  /// `value` where `condition` does not hold.
  private Polynomial without(Polynomial value, Condition condition) {
    Polynomial sum = Polynomial.ZERO;
    for (Map.Entry<Monomial, Rational> term : value.terms().entrySet()) {
      Polynomial product = term.getKey().exponent().isZero() ? Polynomial.ONE
          : Polynomial.exp(without(term.getKey().exponent(), condition));
      for (Map.Entry<Atom, Rational> factor : term.getKey().powers().entrySet()) {
        product = product.times(without(factor.getKey(), condition).power(factor.getValue()));
      }
      sum = sum.plus(product.times(term.getValue()));
    }
    return sum;
  }

  private Polynomial without(Atom atom, Condition condition) {
    if (atom instanceof Atom.Choice(Condition own, Polynomial whenTrue, Polynomial whenFalse)) {
      return own.equals(condition) ? without(whenFalse, condition)
          : own.equals(new Condition.Not(condition)) ? without(whenTrue, condition) : Polynomial.of(atom);
    }
    if (atom instanceof Atom.Apply(var op, Polynomial operand) && op == UnaryOp.ROUND) {
      Polynomial inner = without(operand, condition);
      return inner.isInfinite() ? inner : Polynomial.of(atom);
    }
    return switch (atom) {
      case Atom.Base(Polynomial sum) -> without(sum, condition);
      case Atom.Whole(Expr _, Polynomial sum) -> without(sum, condition);
      case Atom _ -> Polynomial.of(atom);
    };
  }

  /// Whether `condition` holds somewhere in the tile at hand, or a weaker truth that does not vary within it; empty if none is known.
  private Optional<Expr> somewhere(Condition condition) {
    return switch (condition) {
      case Condition.Compare(BinaryOp op, Polynomial difference, var type) when type.isInteger() -> somewhere(op, difference, type);
      case Condition.Compare _ -> Optional.empty();
      case Condition.Both(BinaryOp op, Condition left, Condition right) when op == BinaryOp.AND ->
          Stream.of(somewhere(left), somewhere(right)).flatMap(Optional::stream).reduce((a, b) -> new Expr.Binary(op, a, b));
      case Condition.Both(BinaryOp op, Condition left, Condition right) when op == BinaryOp.OR ->
          somewhere(left).flatMap(a -> somewhere(right).map(b -> new Expr.Binary(op, a, b)));
      case Condition.Both _ -> Optional.empty();
      case Condition.Not(Condition.Compare(BinaryOp op, Polynomial difference, var type)) when type.isInteger() -> switch (op) {
        case LT -> somewhere(BinaryOp.LE, difference.negate(), type);
        case LE -> somewhere(BinaryOp.LT, difference.negate(), type);
        case NE -> somewhere(BinaryOp.EQ, difference, type);
        default -> Optional.empty();
      };
      case Condition.Not _ -> Optional.empty();
      case Condition.Plain(Expr expr) -> new TileBounds(chain, steps, rows).uniform(expr);
    };
  }

  private Optional<Expr> somewhere(BinaryOp op, Polynomial difference, ElementType type) {
    TileBounds bounds = new TileBounds(chain, steps, rows);
    return switch (op) {
      case LT, LE -> bounds.least(difference).map(least -> Written.of(new Condition.Compare(op, least, type)));
      case EQ -> bounds.least(difference).flatMap(least -> bounds.least(difference.negate()).map(negated -> (Expr) new Expr.Binary(
          BinaryOp.AND, Written.of(new Condition.Compare(BinaryOp.LE, least, type)),
          Written.of(new Condition.Compare(BinaryOp.LE, negated, type)))));
      default -> Optional.empty();
    };
  }

  /// The common rank whose coordinates are taken together.
  static Optional<Rank> rowRank(Chain chain) {
    List<Rank> common = chain.common();
    return common.isEmpty() ? Optional.empty() : Optional.of(common.getLast());
  }
}
