package dev.einfall.passes.algebra;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Expr;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Canonical forms as expressions again: factors in their order, then the quotient; terms in their order, but for a positive one
/// that comes first.
public final class Written {
  /// `x^4` is three products, `x^5` a call of `pow`.
  private static final int MOST_FACTORS = 4;

  private final ElementType type;

  private Written(ElementType type) {
    this.type = type;
  }

  /// An expression of `type` for `value`.
  public static Expr of(Polynomial value, ElementType type) {
    return new Written(type).sum(value);
  }

  /// An expression for `condition`.
  public static Expr of(Condition condition) {
    return switch (condition) {
      case Condition.Compare(BinaryOp op, Polynomial difference, ElementType type) -> comparison(op, difference, type);
      case Condition.Both(BinaryOp op, Condition left, Condition right) -> new Expr.Binary(op, of(left), of(right));
      case Condition.Not(Condition inner) -> new Expr.Unary(UnaryOp.NOT, of(inner));
      case Condition.Plain(Expr expr) -> expr;
    };
  }

  /// Negative terms go to the other side.
  private static Expr comparison(BinaryOp op, Polynomial difference, ElementType type) {
    Polynomial left = Polynomial.ZERO;
    Polynomial right = Polynomial.ZERO;
    for (Map.Entry<Monomial, Rational> term : difference.terms().entrySet()) {
      Polynomial part = Polynomial.of(term.getKey(), term.getValue().abs());
      left = term.getValue().signum() > 0 ? left.plus(part) : left;
      right = term.getValue().signum() < 0 ? right.plus(part) : right;
    }
    Rational number = difference.terms().getOrDefault(Monomial.one(), Rational.ZERO);
    if (type.isInteger() && op == BinaryOp.LE && number.isOne()) {
      return new Expr.Binary(BinaryOp.LT, of(left.minus(Polynomial.ONE), type), of(right, type));
    }
    return new Expr.Binary(op, of(left, type), of(right, type));
  }

  private Expr sum(Polynomial value) {
    List<Map.Entry<Monomial, Rational>> terms = new ArrayList<>(value.terms().entrySet());
    terms.stream().filter(term -> term.getValue().signum() > 0).findFirst().ifPresent(first -> {
      terms.remove(first);
      terms.addFirst(first);
    });
    Expr sum = null;
    for (Map.Entry<Monomial, Rational> term : terms) {
      boolean negative = term.getValue().signum() < 0;
      Expr part = product(term.getKey(), term.getValue().abs());
      sum = sum == null ? negative ? negated(part) : part
          : new Expr.Binary(negative ? BinaryOp.SUB : BinaryOp.ADD, sum, part);
    }
    return sum == null ? Expr.literal(type, 0) : sum;
  }

  private static Expr negated(Expr expr) {
    return switch (expr) {
      case Expr.FloatLiteral literal -> new Expr.FloatLiteral(literal.type(), -literal.value());
      case Expr.IntLiteral literal -> new Expr.IntLiteral(literal.type(), -literal.value());
      case Expr _ -> new Expr.Unary(UnaryOp.NEG, expr);
    };
  }

  private Expr product(Monomial monomial, Rational coefficient) {
    List<Expr> factors = new ArrayList<>();
    List<Expr> divisors = new ArrayList<>();
    List<Expr> conditions = new ArrayList<>();
    monomial.powers().forEach((atom, power) -> {
      if (isIndicator(atom)) {
        conditions.add(of(((Atom.Choice) atom).condition()));
      } else if (power.equals(Rational.HALF.negate())) {
        factors.add(new Expr.Unary(UnaryOp.RSQRT, atom(atom)));
      } else {
        (power.signum() > 0 ? factors : divisors).add(power(atom(atom), power.abs()));
      }
    });
    if (!monomial.exponent().isZero()) {
      factors.add(new Expr.Unary(UnaryOp.EXP, sum(monomial.exponent())));
    }
    number(coefficient, factors, divisors);
    Expr product = factors.stream().reduce((left, right) -> new Expr.Binary(BinaryOp.MUL, left, right))
        .orElseGet(() -> Expr.literal(type, 1));
    for (Expr divisor : divisors) {
      product = new Expr.Binary(BinaryOp.DIV, product, divisor);
    }
    for (Expr condition : conditions.reversed()) {
      product = new Expr.Select(condition, product, Expr.literal(type, 0));
    }
    return product;
  }

  /// A factor of 1 or 0: so that what is 0 there is not computed, and no infinity multiplied by it.
  private static boolean isIndicator(Atom atom) {
    return atom instanceof Atom.Choice(Condition _, Polynomial whenTrue, Polynomial whenFalse) && whenTrue.isOne() && whenFalse.isZero();
  }

  private void number(Rational coefficient, List<Expr> factors, List<Expr> divisors) {
    if (!type.isFloat() || coefficient.isDyadic()) {
      if (!coefficient.isOne()) {
        factors.add(literal(coefficient));
      }
      return;
    }
    Rational numerator = new Rational(coefficient.numerator(), BigInteger.ONE);
    Rational denominator = new Rational(coefficient.denominator(), BigInteger.ONE);
    if (numerator.isDyadic() && denominator.isDyadic()) {
      number(numerator, factors, divisors);
      divisors.add(literal(denominator));
    } else {
      factors.add(literal(coefficient));
    }
  }

  private Expr literal(Rational value) {
    return type.isFloat() ? new Expr.FloatLiteral(type, value.doubleValue())
        : new Expr.IntLiteral(type, value.numerator().longValueExact());
  }

  private Expr power(Expr base, Rational power) {
    if (power.isOne()) {
      return base;
    }
    if (power.equals(Rational.HALF)) {
      return new Expr.Unary(UnaryOp.SQRT, base);
    }
    if (power.isNatural() && power.compareTo(Rational.of(MOST_FACTORS)) <= 0) {
      Expr product = base;
      for (int i = 1; i < power.intValue(); i++) {
        product = new Expr.Binary(BinaryOp.MUL, product, base);
      }
      return product;
    }
    return new Expr.Binary(BinaryOp.POW, base, literal(power));
  }

  private Expr atom(Atom atom) {
    return switch (atom) {
      case Atom.Leaf(Expr expr) -> expr;
      case Atom.Apply(UnaryOp op, Polynomial operand) -> new Expr.Unary(op, sum(operand));
      case Atom.Pair(BinaryOp op, Polynomial left, Polynomial right) -> new Expr.Binary(op, sum(left), sum(right));
      case Atom.Extreme extreme when absolute(extreme).isPresent() -> new Expr.Unary(UnaryOp.ABS, sum(absolute(extreme).get()));
      case Atom.Extreme(BinaryOp op, var values) ->
          values.stream().map(this::sum).reduce((left, right) -> new Expr.Binary(op, left, right)).orElseThrow();
      case Atom.Choice(Condition condition, Polynomial whenTrue, Polynomial whenFalse) ->
          new Expr.Select(of(condition), sum(whenTrue), sum(whenFalse));
      case Atom.Base(Polynomial sum) -> sum(sum);
      case Atom.Whole(Expr expr, Polynomial _) -> expr;
      case Atom.Infinity _ -> Expr.literal(type, Double.POSITIVE_INFINITY);
    };
  }

  /// `x` if `extreme` is `max(x, -x)`.
  private static Optional<Polynomial> absolute(Atom.Extreme extreme) {
    List<Polynomial> values = List.copyOf(extreme.values());
    boolean isAbsolute = extreme.op() == BinaryOp.MAX && values.size() == 2 && values.getFirst().negate().equals(values.getLast());
    return isAbsolute ? Optional.of(values.getFirst()) : Optional.empty();
  }
}
