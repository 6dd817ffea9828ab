package dev.einfall.passes.algebra;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.passes.algebra.Separation.Blocked;
import dev.einfall.passes.algebra.Separation.Part;
import dev.einfall.passes.algebra.Separation.Parts;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Takes apart terms that are reduced over a rank, by algebra alone: nothing is sampled.
///
/// ```
/// sum of exp(x - r) * v / d      =>     exp(-r) / d  *  sum of exp(x) * v
/// sum of (x - r) * (x - r)       =>     sum of (x - c) * (x - c), a polynomial in c, which stands for r
/// max of x * s + t               =>     s * (max of x) + t, if s is not negative
/// ```
///
/// @param type the type of the values
public record Separator(Canonical canonical, Dependence dependence, ElementType type) {

  /// How `term` comes apart under a reduction with `laws`.
  public Separation separate(Laws laws, Polynomial term) {
    try {
      if (!dependence.waits(term)) {
        return new Parts(Polynomial.ZERO, List.of(Part.plain(term)));
      }
      Choices choices = new Choices(canonical, dependence);
      Polynomial settled = choices.settled(term, laws.sums());
      Optional<Blocked> blocked = new Obstacles(dependence).in(settled);
      if (blocked.isPresent()) {
        return blocked.get();
      }
      Set<Polynomial> masked = new LinkedHashSet<>();
      return laws.sums() ? sums(choices.masked(settled, masked), masked) : picks(laws, settled.expand(dependence::isMixed));
    } catch (ArithmeticException tooLarge) {
      return new Blocked("has " + tooLarge.getMessage() + " in it", term);
    }
  }

  /// A product: a factor of each of `extent` values leaves it as a power.
  public Separation product(Polynomial term, Rational extent) {
    if (!dependence.waits(term)) {
      return new Parts(Polynomial.ZERO, List.of(Part.plain(term)));
    }
    Polynomial expanded = term.expand(dependence::isMixed);
    boolean single = expanded.isMonomial() && expanded.monomial().exponent().isZero()
        && expanded.monomial().atoms().noneMatch(dependence::isMixed);
    if (!single) {
      return new Blocked("is a factor of a product, but no product itself", term);
    }
    Split split = split(expanded.monomial());
    return new Parts(Polynomial.ZERO, List.of(new Part(Polynomial.of(split.free).power(extent), Polynomial.ZERO,
        Polynomial.of(split.varying, expanded.coefficient()), List.of(), false, false)));
  }

  /// A reduction that picks a value, or combines values as the program says: one addend and one factor may leave it.
  private Separation picks(Laws laws, Polynomial term) {
    Polynomial shift = Polynomial.ZERO;
    Polynomial rest = Polynomial.ZERO;
    for (Polynomial part : term.parts()) {
      boolean leaves = laws.shifts() && !dependence.varies(part);
      shift = leaves ? shift.plus(part) : shift;
      rest = leaves ? rest : rest.plus(part);
    }
    if (!dependence.waits(rest)) {
      return new Parts(shift, List.of(Part.plain(rest)));
    }
    Map<Exponents, Polynomial> groups = grouped(rest);
    if (groups.size() != 1 || !laws.scales()) {
      return new Blocked(laws.scales() ? "adds values of different kinds" : "changes each value", rest);
    }
    Exponents exponents = groups.keySet().iterator().next();
    Polynomial products = groups.values().iterator().next();
    Monomial factor = leaving(products, true);
    Polynomial body = divided(products, factor);
    if (dependence.waits(body)) {
      return new Blocked("has addends of different factors", rest);
    }
    if (!canonical.signs().isNonNegative(factor)) {
      return new Blocked("has a factor that may be negative", Polynomial.of(factor));
    }
    Polynomial outside = Polynomial.of(factor).times(Polynomial.exp(exponents.free));
    boolean increasing = laws.orders() && !exponents.varying.isZero()
        && body.constant().filter(number -> number.signum() > 0).isPresent();
    return new Parts(shift, List.of(increasing
        ? new Part(outside.times(body), Polynomial.ZERO, exponents.varying, List.of(), true, false)
        : new Part(outside, exponents.varying, body, List.of(), false, false)));
  }

  /// A sum: each kind of exponential is a part.
  private Separation sums(Polynomial term, Set<Polynomial> masked) {
    List<Part> parts = new ArrayList<>();
    for (Map.Entry<Exponents, Polynomial> group : grouped(term).entrySet()) {
      boolean isMasked = masked.stream().anyMatch(exponent ->
          canonical.normal(exponents(exponent).varying).equals(canonical.normal(group.getKey().varying)));
      Optional<Part> part = part(group.getKey(), group.getValue(), isMasked)
          .or(() -> part(group.getKey(), group.getValue().expand(dependence::isMixed), isMasked));
      if (part.isEmpty()) {
        return new Blocked("is no polynomial of the earlier reductions", group.getValue());
      }
      parts.add(part.get());
    }
    return new Parts(Polynomial.ZERO, parts);
  }

  private Optional<Part> part(Exponents exponents, Polynomial products, boolean masked) {
    Monomial factor = leaving(products, false);
    Polynomial outside = Polynomial.of(factor).times(Polynomial.exp(exponents.free));
    return new Variables(canonical, dependence, type).in(divided(products, factor))
        .map(body -> new Part(outside, exponents.varying, body.value(), body.variables(), false, masked));
  }

  /// The factors of all terms that do not vary with the rank. Of what depends on earlier reductions, also those of some terms
  /// that are divided by it: what is left is a polynomial then. A number stays.
  private Monomial leaving(Polynomial products, boolean mayBeNegativeStays) {
    Map<Atom, Rational> powers = new LinkedHashMap<>();
    List<Monomial> monomials = List.copyOf(products.terms().keySet());
    for (Monomial monomial : monomials) {
      for (Atom atom : monomial.powers().keySet()) {
        if (!dependence.varies(atom)) {
          Rational least = monomials.stream().map(other -> other.power(atom)).min(Rational::compareTo).orElseThrow();
          Rational most = monomials.stream().map(other -> other.power(atom)).max(Rational::compareTo).orElseThrow();
          boolean common = least.signum() > 0 || most.signum() < 0;
          Rational power = least.signum() > 0 ? least : dependence.waits(atom) ? least : most;
          Monomial candidate = Monomial.of(atom, power);
          boolean stays = !dependence.waits(atom) && (!common || mayBeNegativeStays && !canonical.signs().isNonNegative(candidate));
          if (!stays && !power.isZero()) {
            powers.put(atom, power);
          }
        }
      }
    }
    return new Monomial(powers, Polynomial.ZERO);
  }

  private static Polynomial divided(Polynomial products, Monomial factor) {
    Polynomial sum = Polynomial.ZERO;
    for (Map.Entry<Monomial, Rational> term : products.terms().entrySet()) {
      sum = sum.plus(Polynomial.of(term.getKey().dividedBy(factor), term.getValue()));
    }
    return sum;
  }

  /// An exponent, as what varies with the rank and what does not.
  private record Exponents(Polynomial varying, Polynomial free) {}

  /// The terms by their exponentials, without them.
  private Map<Exponents, Polynomial> grouped(Polynomial term) {
    Map<Exponents, Exponents> kinds = new LinkedHashMap<>();
    Map<Exponents, Polynomial> groups = new LinkedHashMap<>();
    for (Map.Entry<Monomial, Rational> product : term.terms().entrySet()) {
      Exponents exponents = exponents(product.getKey().exponent().expand(dependence::isMixed));
      Exponents normal = new Exponents(canonical.normal(exponents.varying), canonical.normal(exponents.free));
      Exponents kind = kinds.computeIfAbsent(normal, _ -> exponents);
      groups.merge(kind, Polynomial.of(product.getKey().withoutExponent(), product.getValue()), Polynomial::plus);
    }
    return groups;
  }

  private Exponents exponents(Polynomial exponent) {
    Polynomial varying = Polynomial.ZERO;
    Polynomial free = Polynomial.ZERO;
    for (Polynomial part : exponent.parts()) {
      varying = dependence.varies(part) ? varying.plus(part) : varying;
      free = dependence.varies(part) ? free : free.plus(part);
    }
    return new Exponents(varying, free);
  }

  /// A product, as the factors that vary with the rank and those that do not.
  private record Split(Monomial varying, Monomial free) {}

  private Split split(Monomial monomial) {
    Map<Atom, Rational> varying = new LinkedHashMap<>();
    Map<Atom, Rational> free = new LinkedHashMap<>();
    monomial.powers().forEach((atom, power) -> (dependence.varies(atom) ? varying : free).put(atom, power));
    return new Split(new Monomial(varying, Polynomial.ZERO), new Monomial(free, Polynomial.ZERO));
  }

  /// What stands on the two sides of a comparison of a varying value with an earlier reduction.
  public interface Extremes {
    /// Whether `bound` is the largest (or smallest) `value` over the rank.
    boolean has(Polynomial value, boolean largest, Polynomial bound);
  }

  /// How `term` comes apart if it is one value where another is not worse than all others, and something else elsewhere: the
  /// form of `argmax`, and of sums over ties.
  public Optional<Separation.Ties> ties(Polynomial term, Extremes extremes) {
    boolean single = term.isMonomial() && term.coefficient().isOne() && term.monomial().powers().size() == 1;
    if (!single || !(term.monomial().atoms().findFirst().orElseThrow() instanceof Atom.Choice choice)
        || !(choice.condition() instanceof Condition.Not(Condition.Compare(var op, Polynomial difference, var _)))
        || op != BinaryOp.LT || dependence.waits(choice.whenTrue()) || dependence.waits(choice.whenFalse())
        || dependence.varies(choice.whenFalse())) {
      return Optional.empty();
    }
    Exponents sides = exponents(difference.expand(dependence::isMixed));
    if (dependence.waits(sides.varying)) {
      return Optional.empty();
    }
    boolean largest = extremes.has(sides.varying, true, sides.free.negate());
    boolean smallest = extremes.has(sides.varying.negate(), false, sides.free);
    return largest || smallest ? Optional.of(new Separation.Ties(
        largest ? sides.varying : sides.varying.negate(), largest, choice.whenTrue(), choice.whenFalse())) : Optional.empty();
  }
}
