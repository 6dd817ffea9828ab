package dev.einfall.passes.algebra;

import static dev.einfall.ir.BinaryOp.GE;
import static dev.einfall.ir.BinaryOp.GT;
import static dev.einfall.ir.BinaryOp.LE;
import static dev.einfall.ir.BinaryOp.LT;
import static dev.einfall.ir.BinaryOp.MAX;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.passes.Scalars;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/// Brings scalar expressions into their canonical form: quotients and roots become powers, `exp(a) * exp(b)` one exponential,
/// what all operands of `max`, `min` and `where` share comes out of them. Floats count as real numbers here, and integers as
/// whole numbers that do not wrap.
///
/// ```
/// exp(x - r) / exp(s - r) * sqrt(y / 4.0)     =>     0.5 * y^(1/2) * exp(x - s)
/// ```
///
/// @param signs what is known not to be negative: such factors come out of `max` and `min`, and leave comparisons
/// @param whole which sums of floats stay as they are written: what is not taken apart is not rounded in another way
public record Canonical(SignAnalysis signs, Predicate<Expr> whole) {

  /// Takes every sum apart.
  public Canonical(SignAnalysis signs) {
    this(signs, _ -> false);
  }

  /// The same, but that sums stay as they are written for which `expressions` holds.
  public Canonical keeping(Predicate<Expr> expressions) {
    return new Canonical(signs, expressions);
  }

  /// The form of `expr`, a number.
  ///
  /// @throws ArithmeticException if numbers or sums become too large, or infinities cancel
  public Polynomial of(Expr expr) {
    return switch (expr) {
      case Expr.FloatLiteral literal -> number(Scalars.round(literal.type(), literal.value()), expr);
      case Expr.IntLiteral literal -> Polynomial.of(literal.value());
      case Expr.Extent(Size size) -> size.constant().map(Polynomial::of).orElseGet(() -> leaf(expr));
      case Expr.Cast(var type, Expr.IntLiteral literal) when type.isFloat() -> Polynomial.of(literal.value());
      case Expr.Coordinate _, Expr.Access _, Expr.Ref _, Expr.Reduce _, Expr.Fold _, Expr.Cast _, Expr.Bitcast _ -> leaf(expr);
      case Expr.Unary(UnaryOp op, Expr operand) -> operand.type().isBool() ? leaf(expr) : apply(op, of(operand));
      case Expr.Binary binary -> binary(binary);
      case Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) ->
          whenTrue.type().isBool() ? leaf(expr) : choice(condition(condition), of(whenTrue), of(whenFalse));
    };
  }

  private static Polynomial number(double value, Expr expr) {
    return Double.isNaN(value) ? leaf(expr)
        : Double.isInfinite(value) ? Polynomial.INFINITY.times(Rational.of(value > 0 ? 1 : -1))
        : Polynomial.of(Rational.of(value));
  }

  private static Polynomial leaf(Expr expr) {
    return Polynomial.of(new Atom.Leaf(expr));
  }

  /// `op` of a number.
  public Polynomial apply(UnaryOp op, Polynomial operand) {
    return switch (op) {
      case NEG -> operand.negate();
      case EXP -> Polynomial.exp(operand);
      case SQRT -> operand.power(Rational.HALF);
      case RSQRT -> operand.power(Rational.HALF.negate());
      case ABS -> signs.isNonNegative(operand) ? operand : extreme(MAX, List.of(operand, operand.negate()));
      case LOG -> logarithm(operand);
      case NOT, SIGN, TANH, ERF, SIN, COS, FLOOR, CEIL, ROUND, POPCOUNT -> Polynomial.of(new Atom.Apply(op, operand));
    };
  }

  /// The logarithm of an exponential is its exponent.
  private static Polynomial logarithm(Polynomial operand) {
    boolean exponential = operand.isMonomial() && operand.coefficient().isOne() && operand.monomial().powers().isEmpty();
    return exponential ? operand.monomial().exponent() : Polynomial.of(new Atom.Apply(UnaryOp.LOG, operand));
  }

  private Polynomial binary(Expr.Binary binary) {
    Expr left = binary.left();
    Expr right = binary.right();
    if (left.type().isBool()) {
      return leaf(binary);
    }
    return switch (binary.op()) {
      case ADD -> sum(binary, of(left).plus(of(right)));
      case SUB -> sum(binary, of(left).minus(of(right)));
      case MUL -> of(left).times(of(right));
      case DIV -> left.type().isFloat() ? of(left).times(of(right).power(Rational.MINUS_ONE)) : leaf(binary);
      case MIN, MAX -> extreme(binary.op(), List.of(of(left), of(right)));
      case POW -> power(of(left), of(right), whole.test(right));
      case MOD -> Polynomial.of(new Atom.Pair(binary.op(), of(left), of(right)));
      case EQ, NE, LT, LE, GT, GE, AND, OR, XOR, SHL, SHR -> leaf(binary);
    };
  }

  private Polynomial sum(Expr.Binary expr, Polynomial sum) {
    return sum.isMonomial() || sum.isZero() || !expr.type().isFloat() || !whole.test(expr) ? sum : Polynomial.of(new Atom.Whole(expr, sum));
  }

  /// A positive number to a power that is to be taken apart is an exponential.
  private static Polynomial power(Polynomial base, Polynomial exponent, boolean stays) {
    Optional<Rational> number = exponent.constant().filter(value -> value.abs().compareTo(Rational.of(16)) <= 0);
    Optional<Rational> positive = base.constant().filter(value -> !stays && exponent.constant().isEmpty() && value.signum() > 0);
    return number.map(base::power).or(() -> positive.map(value -> Polynomial.exp(exponent.times(Rational.of(Math.log(value.doubleValue()))))))
        .orElseGet(() -> Polynomial.of(new Atom.Pair(BinaryOp.POW, base, exponent)));
  }

  /// The largest or smallest of `values`: `max(a + t, b + t)` is `max(a, b) + t`, and `max(a * t, b * t)` is `max(a, b) * t` for a
  /// `t` that is not negative.
  public Polynomial extreme(BinaryOp op, List<Polynomial> values) {
    Set<Polynomial> flat = new LinkedHashSet<>();
    values.forEach(value -> flatten(op, value, flat));
    int neutral = op == MAX ? -1 : 1;
    if (flat.size() > 1) {
      flat.removeIf(value -> value.isInfinite() && value.coefficient().signum() == neutral);
    }
    if (flat.size() == 1) {
      return flat.iterator().next();
    }
    Polynomial addend = commonAddend(List.copyOf(flat));
    if (!addend.isZero()) {
      return addend.plus(extreme(op, flat.stream().map(value -> value.minus(addend)).toList()));
    }
    Polynomial factor = commonFactor(List.copyOf(flat), signs::isNonNegative);
    return factor.isOne() ? Polynomial.of(new Atom.Extreme(op, flat))
        : factor.times(extreme(op, flat.stream().map(value -> dividedBy(value, factor)).toList()));
  }

  private static void flatten(BinaryOp op, Polynomial value, Set<Polynomial> flat) {
    boolean single = value.isMonomial() && value.coefficient().isOne() && value.monomial().exponent().isZero()
        && value.monomial().powers().size() == 1;
    Atom atom = single ? value.monomial().atoms().findFirst().orElseThrow() : null;
    if (single && atom instanceof Atom.Extreme(BinaryOp inner, var values) && inner == op
        && value.monomial().power(atom).isOne()) {
      flat.addAll(values);
    } else {
      flat.add(value);
    }
  }

  /// `whenTrue` where `condition` holds, `whenFalse` elsewhere.
  public Polynomial choice(Condition condition, Polynomial whenTrue, Polynomial whenFalse) {
    if (whenTrue.equals(whenFalse)) {
      return whenTrue;
    }
    Polynomial addend = whenTrue.isInfinite() || whenFalse.isInfinite() ? Polynomial.ZERO
        : commonAddend(List.of(whenTrue, whenFalse));
    if (!addend.isZero()) {
      return addend.plus(choice(condition, whenTrue.minus(addend), whenFalse.minus(addend)));
    }
    boolean plain = whenTrue.isZero() || whenFalse.isZero() || whenTrue.isInfinite() || whenFalse.isInfinite();
    Polynomial factor = plain ? Polynomial.ONE : commonFactor(List.of(whenTrue, whenFalse), _ -> true);
    return factor.isOne() ? Polynomial.of(new Atom.Choice(condition, whenTrue, whenFalse))
        : factor.times(choice(condition, dividedBy(whenTrue, factor), dividedBy(whenFalse, factor)));
  }

  /// The terms that all of `values` have, with the same number before them.
  private static Polynomial commonAddend(List<Polynomial> values) {
    if (values.stream().anyMatch(Polynomial::isInfinite)) {
      return Polynomial.ZERO;
    }
    Map<Monomial, Rational> common = new LinkedHashMap<>(values.getFirst().terms());
    values.forEach(value -> common.entrySet().removeIf(term -> !term.getValue().equals(value.terms().get(term.getKey()))));
    return new Polynomial(common);
  }

  /// The product of the factors that all terms of all of `values` have and that `allowed` accepts.
  private static Polynomial commonFactor(List<Polynomial> values, Predicate<Monomial> allowed) {
    List<Monomial> monomials = values.stream().flatMap(value -> value.terms().keySet().stream()).toList();
    if (monomials.isEmpty() || values.stream().anyMatch(Polynomial::isInfinite)) {
      return Polynomial.ONE;
    }
    List<Rational> contents = values.stream().filter(value -> !value.isZero()).map(Polynomial::content).distinct().toList();
    return Polynomial.of(common(monomials, allowed), contents.size() == 1 ? contents.getFirst() : Rational.ONE);
  }

  /// The factors, those that `allowed` accepts, and the addends of the exponents that all of `monomials` have.
  static Monomial common(List<Monomial> monomials, Predicate<Monomial> allowed) {
    Monomial first = monomials.getFirst();
    Monomial factor = Monomial.exp(commonAddend(monomials.stream().map(Monomial::exponent).toList()));
    for (Atom atom : first.powers().keySet()) {
      Rational least = monomials.stream().map(monomial -> monomial.power(atom)).min(Rational::compareTo).orElseThrow();
      Rational most = monomials.stream().map(monomial -> monomial.power(atom)).max(Rational::compareTo).orElseThrow();
      Rational power = least.signum() > 0 ? least : most.signum() < 0 ? most : Rational.ZERO;
      Monomial candidate = Monomial.of(atom, power);
      factor = allowed.test(candidate) ? factor.times(candidate) : factor;
    }
    return factor;
  }

  private static Polynomial dividedBy(Polynomial value, Polynomial factor) {
    Polynomial sum = Polynomial.ZERO;
    for (Map.Entry<Monomial, Rational> term : value.terms().entrySet()) {
      sum = sum.plus(Polynomial.of(term.getKey().dividedBy(factor.monomial()), term.getValue().times(factor.coefficient().inverse())));
    }
    return sum;
  }

  /// The form of a truth.
  public Condition condition(Expr expr) {
    return switch (expr) {
      case Expr.Unary(UnaryOp op, Expr operand) when op == UnaryOp.NOT -> new Condition.Not(condition(operand));
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op.isComparison() && !left.type().isBool() ->
          comparison(op, left, right).orElseGet(() -> new Condition.Plain(expr));
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when !op.isComparison() ->
          new Condition.Both(op, condition(left), condition(right));
      case Expr _ -> new Condition.Plain(expr);
    };
  }

  /// Empty where one side is infinite: a difference would not tell what equals it.
  private Optional<Condition> comparison(BinaryOp op, Expr left, Expr right) {
    Polynomial a = of(left);
    Polynomial b = of(right);
    if (a.isInfinite() || b.isInfinite()) {
      return Optional.empty();
    }
    boolean swap = op == GT || op == GE;
    return Optional.of(comparison(op == GT ? LT : op == GE ? LE : op, swap ? b.minus(a) : a.minus(b), left.type()));
  }

  /// `difference op 0`.
  Condition comparison(BinaryOp op, Polynomial difference, ElementType type) {
    // Whole numbers: a < b is a + 1 <= b.
    return type.isInteger() && op == LT ? new Condition.Compare(LE, difference.plus(Polynomial.ONE), type)
        : new Condition.Compare(op, withoutPositive(difference), type);
  }

  /// A value of the same sign: without positive factors, and of two exponentials their exponents.
  private Polynomial withoutPositive(Polynomial difference) {
    if (difference.terms().size() < 2) {
      return difference;
    }
    Polynomial rest = dividedBy(difference, commonFactor(List.of(difference), signs::isNonNegative));
    List<Map.Entry<Monomial, Rational>> terms = List.copyOf(rest.terms().entrySet());
    boolean exponentials = terms.size() == 2 && terms.stream().allMatch(term -> term.getKey().powers().isEmpty())
        && terms.getFirst().getValue().negate().equals(terms.getLast().getValue());
    return exponentials
        ? terms.getFirst().getKey().exponent().minus(terms.getLast().getKey().exponent())
            .times(Rational.of(terms.getFirst().getValue().signum()))
        : rest;
  }

  /// `value` multiplied out whole, also inside of functions: equal forms are equal functions.
  public Polynomial normal(Polynomial value) {
    return mapped(value, this::normal, UnaryOperator.identity()).expand(_ -> true);
  }

  /// `value` with each leaf for which `replacement` has something replaced by that.
  public Polynomial substitute(Polynomial value, Function<Expr, Optional<Polynomial>> replacement, UnaryOperator<Expr> plain) {
    Polynomial sum = Polynomial.ZERO;
    for (Map.Entry<Monomial, Rational> term : value.terms().entrySet()) {
      Polynomial product = term.getKey().exponent().isZero() ? Polynomial.ONE
          : Polynomial.exp(substitute(term.getKey().exponent(), replacement, plain));
      for (Map.Entry<Atom, Rational> factor : term.getKey().powers().entrySet()) {
        Polynomial inner = factor.getKey() instanceof Atom.Leaf(Expr expr)
            ? replacement.apply(expr).orElseGet(() -> Polynomial.of(factor.getKey()))
            : factor.getKey().map(operand -> substitute(operand, replacement, plain), plain, this);
        product = product.times(inner.power(factor.getValue()));
      }
      sum = sum.plus(scaled(product, term.getValue()));
    }
    return sum;
  }

  /// `value` with `change` applied to the operands of its atoms, and `plain` to the expressions of conditions.
  private Polynomial mapped(Polynomial value, UnaryOperator<Polynomial> change, UnaryOperator<Expr> plain) {
    Polynomial sum = Polynomial.ZERO;
    for (Map.Entry<Monomial, Rational> term : value.terms().entrySet()) {
      Polynomial product = term.getKey().exponent().isZero() ? Polynomial.ONE : Polynomial.exp(change.apply(term.getKey().exponent()));
      for (Map.Entry<Atom, Rational> factor : term.getKey().powers().entrySet()) {
        Polynomial base = factor.getKey() instanceof Atom.Whole(Expr _, Polynomial inside) ? change.apply(inside)
            : factor.getKey().map(change, plain, this);
        product = product.times(base.power(factor.getValue()));
      }
      sum = sum.plus(scaled(product, term.getValue()));
    }
    return sum;
  }

  /// A sum that is multiplied by a number stays in parentheses.
  private static Polynomial scaled(Polynomial product, Rational coefficient) {
    return coefficient.isOne() || product.isZero() ? product : product.asMonomial().times(coefficient);
  }
}
