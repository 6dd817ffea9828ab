package dev.einfall.passes.algebra;

import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Expr;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// The canonical form of an expression over the reals: a sum of monomials with exact coefficients.
///
/// Products of sums are not multiplied out, so that a form can be computed as accurately as what it stands for: `(x - y) * z`
/// is one monomial of the atoms `Base(x - y)` and `z`. [#expand] multiplies out what it is asked to; of two forms that are
/// multiplied out whole, equal ones are equal functions.
///
/// @param terms no coefficient is 0; equal whatever their order
public record Polynomial(Map<Monomial, Rational> terms) {
  /// More terms than this are a proof that is given up.
  private static final int MOST_TERMS = 512;

  public static final Polynomial ZERO = new Polynomial(Map.of());
  public static final Polynomial ONE = of(Rational.ONE);
  public static final Polynomial INFINITY = of(new Atom.Infinity());

  /// @throws ArithmeticException if there are too many terms
  public Polynomial {
    if (terms.size() > MOST_TERMS) {
      throw new ArithmeticException("a sum of too many terms");
    }
    terms = Terms.of(terms);
  }

  public static Polynomial of(Rational value) {
    return value.isZero() ? ZERO : new Polynomial(Map.of(new Monomial(Map.of(), ZERO), value));
  }

  public static Polynomial of(long value) {
    return of(Rational.of(value));
  }

  public static Polynomial of(Atom atom) {
    return of(Monomial.of(atom, Rational.ONE));
  }

  public static Polynomial of(Monomial monomial) {
    return of(monomial, Rational.ONE);
  }

  public static Polynomial of(Monomial monomial, Rational coefficient) {
    return coefficient.isZero() ? ZERO : new Polynomial(Map.of(monomial, coefficient));
  }

  /// `exp(exponent)`.
  public static Polynomial exp(Polynomial exponent) {
    if (exponent.isInfinite()) {
      return exponent.coefficient().signum() < 0 ? ZERO : INFINITY;
    }
    Polynomial rest = exponent;
    Monomial powers = Monomial.one();
    for (Map.Entry<Monomial, Rational> term : exponent.terms.entrySet()) {
      Optional<Polynomial> logarithm = logarithm(term.getKey());
      if (logarithm.isPresent() && logarithm.get().isMonomial() && logarithm.get().coefficient().isOne()) {
        // exp(q * log(u)) is u to the power of q.
        powers = powers.times(raised(logarithm.get().monomial(), term.getValue()));
        rest = rest.minus(of(term.getKey(), term.getValue()));
      } else if (logarithm.isPresent()) {
        powers = powers.times(Monomial.of(new Atom.Base(logarithm.get()), term.getValue()));
        rest = rest.minus(of(term.getKey(), term.getValue()));
      }
    }
    return of(powers.times(Monomial.exp(rest)));
  }

  /// `u` if `monomial` is `log(u)`.
  private static Optional<Polynomial> logarithm(Monomial monomial) {
    boolean single = monomial.powers().size() == 1 && monomial.exponent().isZero();
    return single && monomial.atoms().findFirst().orElseThrow() instanceof Atom.Apply(var op, Polynomial operand)
        && op == UnaryOp.LOG && monomial.powers().values().iterator().next().isOne()
        ? Optional.of(operand) : Optional.empty();
  }

  private static Monomial raised(Monomial monomial, Rational power) {
    Map<Atom, Rational> powers = new LinkedHashMap<>();
    monomial.powers().forEach((atom, own) -> powers.put(atom, own.times(power)));
    return new Monomial(powers, monomial.exponent().times(power));
  }

  public boolean isZero() {
    return terms.isEmpty();
  }

  public boolean isOne() {
    return equals(ONE);
  }

  /// Whether it is one term.
  public boolean isMonomial() {
    return terms.size() == 1;
  }

  /// The number that it is, if it is one.
  public Optional<Rational> constant() {
    return isZero() ? Optional.of(Rational.ZERO)
        : isMonomial() && monomial().isOne() ? Optional.of(coefficient()) : Optional.empty();
  }

  /// The product in its only term.
  public Monomial monomial() {
    return terms.keySet().iterator().next();
  }

  /// The number before its only term.
  public Rational coefficient() {
    return terms.values().iterator().next();
  }

  /// Whether it is positive or negative infinity.
  public boolean isInfinite() {
    return isMonomial() && monomial().exponent().isZero() && monomial().powers().keySet().equals(Set.of(new Atom.Infinity()));
  }

  /// The terms, each as a polynomial of its own.
  public List<Polynomial> parts() {
    List<Polynomial> parts = new ArrayList<>();
    terms.forEach((monomial, coefficient) -> parts.add(of(monomial, coefficient)));
    return parts;
  }

  public Polynomial plus(Polynomial other) {
    if (isInfinite() || other.isInfinite()) {
      return infiniteSum(other);
    }
    Map<Monomial, Rational> sum = new LinkedHashMap<>(terms);
    other.terms.forEach((monomial, coefficient) -> sum.merge(monomial, coefficient, Rational::plus));
    sum.values().removeIf(Rational::isZero);
    return new Polynomial(sum);
  }

  private Polynomial infiniteSum(Polynomial other) {
    if (isInfinite() && other.isInfinite() && coefficient().signum() != other.coefficient().signum()) {
      throw new ArithmeticException("a difference of infinities");
    }
    return isInfinite() ? this : other;
  }

  public Polynomial minus(Polynomial other) {
    return plus(other.times(Rational.MINUS_ONE));
  }

  public Polynomial negate() {
    return times(Rational.MINUS_ONE);
  }

  public Polynomial times(Rational factor) {
    if (factor.isZero()) {
      return ZERO;
    }
    if (isInfinite()) {
      return of(monomial(), coefficient().times(Rational.of(factor.signum())));
    }
    Map<Monomial, Rational> product = new LinkedHashMap<>();
    terms.forEach((monomial, coefficient) -> product.put(monomial, coefficient.times(factor)));
    return new Polynomial(product);
  }

  /// The product; a sum that is multiplied by more than a number stays a factor.
  public Polynomial times(Polynomial other) {
    Optional<Rational> left = constant();
    Optional<Rational> right = other.constant();
    if (left.isPresent() || right.isPresent()) {
      return left.isPresent() ? other.times(left.get()) : times(right.get());
    }
    Polynomial a = asMonomial();
    Polynomial b = other.asMonomial();
    return settled(a.monomial().times(b.monomial()), a.coefficient().times(b.coefficient()));
  }

  /// This as one term: itself, or a number times a sum in parentheses.
  public Polynomial asMonomial() {
    if (isMonomial()) {
      return this;
    }
    Rational content = content();
    return of(Monomial.of(new Atom.Base(times(content.inverse())), Rational.ONE), content);
  }

  /// The positive number that all coefficients are but for their signs; 1 if they differ.
  public Rational content() {
    List<Rational> sizes = terms.values().stream().map(Rational::abs).distinct().toList();
    return sizes.size() == 1 ? sizes.getFirst() : Rational.ONE;
  }

  /// A term, in which single factors in parentheses to integer powers are factors of their own.
  private static Polynomial settled(Monomial monomial, Rational coefficient) {
    Monomial result = monomial;
    Rational number = coefficient;
    for (Map.Entry<Atom, Rational> factor : monomial.powers().entrySet()) {
      boolean integer = factor.getValue().isInteger();
      if (integer && factor.getKey() instanceof Atom.Base(Polynomial sum) && sum.isMonomial()) {
        int power = factor.getValue().intValue();
        result = result.dividedBy(Monomial.of(factor.getKey(), factor.getValue())).times(sum.monomial().power(power));
        number = number.times(sum.coefficient().power(power));
      }
    }
    return of(result, number);
  }

  /// This to the power `exponent`. A root is taken of what may be negative as a whole.
  public Polynomial power(Rational exponent) {
    if (exponent.isInteger() && (isMonomial() || exponent.isOne())) {
      return exponent.isOne() ? this
          : exponent.isZero() ? ONE
          : settled(monomial().power(exponent.intValue()), coefficient().power(exponent.intValue()));
    }
    if (isZero() || exponent.isZero()) {
      return exponent.isZero() ? ONE : of(Monomial.of(new Atom.Base(this), exponent));
    }
    return exponent.isInteger() ? powerOfSum(exponent) : root(exponent);
  }

  private Polynomial powerOfSum(Rational exponent) {
    Polynomial whole = asMonomial();
    return settled(whole.monomial().power(exponent.intValue()), whole.coefficient().power(exponent.intValue()));
  }

  private Polynomial root(Rational exponent) {
    Polynomial whole = asMonomial();
    Optional<Rational> rootOfNumber = whole.coefficient().squareRoot();
    boolean halves = exponent.times(Rational.of(2)).isInteger() && rootOfNumber.isPresent();
    Rational outside = halves ? rootOfNumber.get().power(exponent.times(Rational.of(2)).intValue()) : Rational.ONE;
    Map<Atom, Rational> roots = new LinkedHashMap<>();
    Map<Atom, Rational> inside = new LinkedHashMap<>();
    whole.monomial().powers().forEach((atom, power) -> {
      boolean isSum = atom instanceof Atom.Whole || atom instanceof Atom.Base(Polynomial sum) && !sum.isMonomial();
      boolean positive = !power.isInteger() || isSum && power.isOne();
      (positive ? roots : inside).put(atom, positive ? power.times(exponent) : power);
    });
    Polynomial rest = of(new Monomial(inside, ZERO), halves ? Rational.ONE : whole.coefficient());
    Monomial result = new Monomial(roots, whole.monomial().exponent().times(exponent));
    boolean nothing = rest.isOne();
    return settled(nothing ? result : result.times(Monomial.of(new Atom.Base(rest), exponent)), outside);
  }

  /// This with the sums among the factors that `which` accepts multiplied out, also in exponents.
  public Polynomial expand(Predicate<Atom> which) {
    Polynomial sum = ZERO;
    for (Map.Entry<Monomial, Rational> term : terms.entrySet()) {
      sum = sum.plus(expand(term.getKey(), which).times(term.getValue()));
    }
    return sum;
  }

  private static Polynomial expand(Monomial monomial, Predicate<Atom> which) {
    Polynomial exponent = monomial.exponent().expand(which);
    Polynomial product = monomial.exponent().isZero() ? ONE : exp(exponent);
    for (Map.Entry<Atom, Rational> factor : monomial.powers().entrySet()) {
      if (factor.getKey() instanceof Atom.Base(Polynomial sum) && factor.getValue().isNatural() && which.test(factor.getKey())) {
        Polynomial inner = sum.expand(which);
        for (int i = 0; i < factor.getValue().intValue(); i++) {
          product = product.distributed(inner);
        }
      } else {
        product = product.distributed(of(Monomial.of(factor.getKey(), factor.getValue())));
      }
    }
    return product;
  }

  /// The product, multiplied out.
  private Polynomial distributed(Polynomial other) {
    Polynomial sum = ZERO;
    for (Map.Entry<Monomial, Rational> left : terms.entrySet()) {
      for (Map.Entry<Monomial, Rational> right : other.terms.entrySet()) {
        sum = sum.plus(settled(left.getKey().times(right.getKey()), left.getValue().times(right.getValue())));
      }
    }
    return sum;
  }

  /// All atoms in it, those inside of others too.
  public Stream<Atom> atoms() {
    return terms.keySet().stream().flatMap(monomial -> Stream.concat(
        monomial.atoms().flatMap(atom -> Stream.concat(Stream.of(atom), atom.operands().flatMap(Polynomial::atoms))),
        monomial.exponent().atoms()));
  }

  /// The expressions at its leaves.
  public Stream<Expr> leaves() {
    return terms.keySet().stream().flatMap(monomial ->
        Stream.concat(monomial.atoms().flatMap(Atom::leaves), monomial.exponent().leaves()));
  }
}
