package dev.einfall.ir;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;

/// The extent of a rank: a polynomial over size names in normal form, so that two sizes are equal exactly when
/// their polynomials are. `terms` maps each product of factors to its coefficient, which is never 0.
///
/// A quotient that does not come out is a factor of its own, printed `(N - 1) / 2` and rounded down.
public record Size(SortedMap<Product, Long> terms) {

  /// One factor of a product: a name, or a quotient that is rounded down.
  public sealed interface Factor extends Comparable<Factor> {
    record Name(String name) implements Factor {}

    record Quotient(Size dividend, Size divisor) implements Factor {}

    @Override
    default int compareTo(Factor other) {
      return text().compareTo(other.text());
    }

    private String text() {
      return switch (this) {
        case Name(String name) -> name;
        case Quotient(Size dividend, Size divisor) ->
            dividend.parenthesised() + " / " + divisor.parenthesised();
      };
    }
  }

  /// A product of factors in order; empty for the number 1.
  public record Product(List<Factor> factors) implements Comparable<Product> {
    public Product {
      factors = factors.size() < 2 ? List.copyOf(factors) : factors.stream().sorted().toList();
    }

    private String text() {
      return String.join(" * ", factors.stream().map(Factor::text).toList());
    }

    /// Names first and the number 1 last, so that `N - 1` prints in that order.
    @Override
    public int compareTo(Product other) {
      if (this == other) {
        return 0;
      }
      int byCount = Integer.compare(other.factors.size(), factors.size());
      return byCount != 0 || factors.isEmpty() ? byCount : text().compareTo(other.text());
    }
  }

  private static final Product ONE = new Product(List.of());

  public Size {
    terms = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(terms));
  }

  public static Size of(long value) {
    SortedMap<Product, Long> terms = new TreeMap<>();
    if (value != 0) {
      terms.put(ONE, value);
    }
    return new Size(terms);
  }

  public static Size named(String name) {
    return factor(new Factor.Name(name));
  }

  private static Size factor(Factor factor) {
    return new Size(new TreeMap<>(Map.of(new Product(List.of(factor)), 1L)));
  }

  /// Whether a quotient that is rounded down is a part of it: only numbers tell then whether it equals another size.
  public boolean isRounded() {
    return terms.keySet().stream().flatMap(product -> product.factors().stream()).anyMatch(Factor.Quotient.class::isInstance);
  }

  /// The number that this size is, if it has no name in it.
  public Optional<Long> constant() {
    if (terms.isEmpty()) {
      return Optional.of(0L);
    }
    return terms.size() == 1 ? Optional.ofNullable(terms.get(ONE)) : Optional.empty();
  }

  /// The number that this size is; an internal error when it still has a name in it.
  public int value() {
    long value = constant().orElseThrow(() -> new InternalException("size " + this + " is not bound"));
    return Math.toIntExact(value);
  }

  public Size plus(Size other) {
    SortedMap<Product, Long> sum = new TreeMap<>(terms);
    other.terms.forEach((product, coefficient) -> sum.merge(product, coefficient, Math::addExact));
    sum.values().removeIf(coefficient -> coefficient == 0);
    return new Size(sum);
  }

  public Size minus(Size other) {
    return plus(other.times(of(-1)));
  }

  public Size times(Size other) {
    SortedMap<Product, Long> result = new TreeMap<>();
    terms.forEach((left, a) -> other.terms.forEach((right, b) ->
        result.merge(join(left, right), Math.multiplyExact(a, b), Math::addExact)));
    result.values().removeIf(coefficient -> coefficient == 0);
    return new Size(result);
  }

  private static Product join(Product left, Product right) {
    if (left.factors.isEmpty() || right.factors.isEmpty()) {
      return left.factors.isEmpty() ? right : left;
    }
    List<Factor> factors = new ArrayList<>(left.factors());
    factors.addAll(right.factors());
    return new Product(factors);
  }

  /// This size divided by `divisor`, rounded down. Exact quotients cancel: `B * T / T` is `B`, and `(2 * N + 3) / 2` is `N + 1`.
  public Size dividedBy(Size divisor) {
    Optional<Size> exact = exactQuotient(divisor);
    if (exact.isPresent()) {
      return exact.get();
    }
    Size number = of(terms.getOrDefault(ONE, 0L));
    Optional<Size> multiple = minus(number).exactQuotient(divisor);
    if (multiple.isPresent() && divisor.constant().filter(value -> value != 0).isPresent()) {
      return multiple.get().plus(of(Math.floorDiv(number.constant().orElseThrow(), divisor.constant().get())));
    }
    return factor(new Factor.Quotient(this, divisor));
  }

  /// `q` with `this == q * divisor` for a divisor of one term, if there is such a `q`.
  public Optional<Size> exactQuotient(Size divisor) {
    if (divisor.terms.size() != 1) {
      return equals(divisor) ? Optional.of(of(1)) : Optional.empty();
    }
    Product product = divisor.terms.firstKey();
    long coefficient = divisor.terms.get(product);
    SortedMap<Product, Long> result = new TreeMap<>();
    for (Map.Entry<Product, Long> term : terms.entrySet()) {
      List<Factor> rest = new ArrayList<>(term.getKey().factors());
      boolean divides = term.getValue() % coefficient == 0 && product.factors().stream().allMatch(rest::remove);
      if (!divides) {
        return Optional.empty();
      }
      result.put(new Product(rest), term.getValue() / coefficient);
    }
    return Optional.of(new Size(result));
  }

  /// This size with every name that `value` knows replaced by its value.
  public Size substitute(Function<String, Optional<Size>> value) {
    Size sum = of(0);
    for (Map.Entry<Product, Long> term : terms.entrySet()) {
      Size product = of(term.getValue());
      for (Factor factor : term.getKey().factors()) {
        product = product.times(substitute(factor, value));
      }
      sum = sum.plus(product);
    }
    return sum;
  }

  private static Size substitute(Factor factor, Function<String, Optional<Size>> value) {
    return switch (factor) {
      case Factor.Name(String name) -> value.apply(name).orElseGet(() -> factor(factor));
      case Factor.Quotient(Size dividend, Size divisor) ->
          dividend.substitute(value).dividedBy(divisor.substitute(value));
    };
  }

  /// The names in this size, in alphabetical order.
  public Collection<String> names() {
    Collection<String> names = new TreeSet<>();
    for (Product product : terms.keySet()) {
      for (Factor factor : product.factors()) {
        switch (factor) {
          case Factor.Name(String name) -> names.add(name);
          case Factor.Quotient(Size dividend, Size divisor) -> {
            names.addAll(dividend.names());
            names.addAll(divisor.names());
          }
        }
      }
    }
    return names;
  }

  private String parenthesised() {
    boolean atom = constant().filter(value -> value >= 0).isPresent()
        || terms.size() == 1 && terms.firstKey().factors().size() == 1 && terms.firstEntry().getValue() == 1
            && terms.firstKey().factors().getFirst() instanceof Factor.Name;
    return atom ? toString() : "(" + this + ")";
  }

  /// The size as source text, such as `2 * N - 1`.
  @Override
  public String toString() {
    if (terms.isEmpty()) {
      return "0";
    }
    StringBuilder text = new StringBuilder();
    terms.forEach((product, coefficient) -> {
      text.append(text.isEmpty() ? coefficient < 0 ? "-" : "" : coefficient < 0 ? " - " : " + ");
      long magnitude = Math.abs(coefficient);
      if (product.factors().isEmpty()) {
        text.append(magnitude);
      } else {
        text.append(magnitude == 1 ? "" : magnitude + " * ").append(termText(product, magnitude != 1));
      }
    });
    return text.toString();
  }

  private static String termText(Product product, boolean isFactor) {
    boolean single = product.factors().size() == 1 && !isFactor;
    return String.join(" * ", product.factors().stream()
        .map(factor -> factor instanceof Factor.Quotient && !single ? "(" + factor.text() + ")" : factor.text())
        .toList());
  }
}
