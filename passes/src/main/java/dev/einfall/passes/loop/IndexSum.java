package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.loop.Expr;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// An index as a sum of multiples of expressions that are no sums themselves, and a constant.
record IndexSum(Map<Expr, Long> terms, long constant) {

  /// The multiples of a divisor in a sum, divided, and what is left.
  record Parts(IndexSum quotient, IndexSum rest) {}

  static IndexSum of(Expr expr) {
    return switch (expr) {
      case Expr.IntLiteral literal -> new IndexSum(Map.of(), literal.value());
      case Expr.Unary(UnaryOp op, Expr operand) when op == UnaryOp.NEG -> of(operand).times(-1);
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.ADD -> of(left).plus(of(right));
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.SUB -> of(left).plus(of(right).times(-1));
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.MUL -> product(left, right).orElseGet(() -> atom(expr));
      default -> atom(expr);
    };
  }

  private static IndexSum atom(Expr expr) {
    return new IndexSum(Map.of(expr, 1L), 0);
  }

  private static Optional<IndexSum> product(Expr left, Expr right) {
    IndexSum a = of(left);
    IndexSum b = of(right);
    return b.terms.isEmpty() ? Optional.of(a.times(b.constant)) : a.terms.isEmpty() ? Optional.of(b.times(a.constant)) : Optional.empty();
  }

  IndexSum plus(IndexSum other) {
    Map<Expr, Long> sum = new LinkedHashMap<>(terms);
    other.terms.forEach((atom, factor) -> sum.merge(atom, factor, Long::sum));
    sum.values().removeIf(factor -> factor == 0);
    return new IndexSum(sum, constant + other.constant);
  }

  /// The terms that this sum has with the same factor as `other`.
  IndexSum common(IndexSum other) {
    Map<Expr, Long> common = new LinkedHashMap<>(terms);
    common.entrySet().removeIf(term -> !term.getValue().equals(other.terms.get(term.getKey())));
    return new IndexSum(common, 0);
  }

  IndexSum times(long factor) {
    Map<Expr, Long> product = new LinkedHashMap<>();
    if (factor != 0) {
      terms.forEach((atom, own) -> product.put(atom, own * factor));
    }
    return new IndexSum(product, constant * factor);
  }

  /// The sum that is equal in arithmetic of `i32`, which wraps around, and has only numbers of that type.
  IndexSum wrapped() {
    Map<Expr, Long> wrapped = new LinkedHashMap<>();
    terms.forEach((atom, factor) -> wrapped.put(atom, (long) factor.intValue()));
    wrapped.values().removeIf(factor -> factor == 0);
    return new IndexSum(wrapped, (int) constant);
  }

  /// This sum as `quotient * divisor + rest`, with every term that `divisor` divides in the quotient.
  Parts split(long divisor) {
    Map<Expr, Long> quotient = new LinkedHashMap<>();
    Map<Expr, Long> rest = new LinkedHashMap<>();
    terms.forEach((atom, factor) -> {
      if (factor % divisor == 0) {
        quotient.put(atom, factor / divisor);
      } else {
        rest.put(atom, factor);
      }
    });
    return new Parts(
        new IndexSum(quotient, Math.floorDiv(constant, divisor)), new IndexSum(rest, Math.floorMod(constant, divisor)));
  }

  /// The numbers other than 1 that divide `other` and a term, or all terms, the largest first.
  List<Long> factors(long other) {
    List<Long> each = terms.values().stream().map(factor -> gcd(other, Math.abs(factor))).toList();
    return Stream.concat(each.stream(), Stream.of(each.stream().reduce(other, IndexSum::gcd)))
        .filter(factor -> factor > 1).distinct().sorted(Comparator.reverseOrder()).toList();
  }

  private static long gcd(long a, long b) {
    return b == 0 ? a : gcd(b, a % b);
  }

  /// The sum as an index: terms in order, a positive one first, then the constant; the constant first if it alone is
  /// positive.
  Expr expr() {
    return expr(ElementType.I32);
  }

  /// The sum as an expression of `type`, an integer.
  Expr expr(ElementType type) {
    Optional<Expr> first = terms.keySet().stream().filter(atom -> terms.get(atom) > 0).findFirst();
    boolean startsWithConstant = terms.isEmpty() || first.isEmpty() && constant > 0;
    Expr sum = startsWithConstant ? new Expr.IntLiteral(type, constant) : null;
    if (first.isPresent()) {
      sum = multiple(first.get(), terms.get(first.get()), type);
    }
    for (Map.Entry<Expr, Long> term : terms.entrySet()) {
      if (first.isEmpty() || !first.get().equals(term.getKey())) {
        sum = sum == null ? multiple(term.getKey(), term.getValue(), type) : plus(sum, term.getKey(), term.getValue(), type);
      }
    }
    return constant == 0 || startsWithConstant ? sum : new Expr.Binary(
        sign(constant), sum, new Expr.IntLiteral(type, magnitude(constant)));
  }

  private static Expr plus(Expr sum, Expr atom, long factor, ElementType type) {
    return new Expr.Binary(sign(factor), sum, multiple(atom, magnitude(factor), type));
  }

  /// What adds `number`. The least `i32` has no opposite, and is added as it is.
  private static BinaryOp sign(long number) {
    return number < 0 && number != Integer.MIN_VALUE ? BinaryOp.SUB : BinaryOp.ADD;
  }

  private static long magnitude(long number) {
    return number == Integer.MIN_VALUE ? number : Math.abs(number);
  }

  private static Expr multiple(Expr atom, long factor, ElementType type) {
    Expr value = atom.type().element() == type ? atom : new Expr.Cast(type, atom);
    return factor == 1 ? value : new Expr.Binary(BinaryOp.MUL, value, new Expr.IntLiteral(type, factor));
  }
}
