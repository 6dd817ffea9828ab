package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Stream;

/// An index as a sum of integer multiples of atoms, plus a constant: `60 * a + b % 4 - 1`. No coefficient is 0. Views of
/// views compose in this form:
///
/// ```
/// ((20 * a + b) / 20 * 20 + (20 * a + b) % 20) / 4, b in 0..20     =>     5 * a + b / 4
/// ```
///
/// What might not fit into its type on the way, or is no arithmetic by numbers, is an atom of its own.
public record IndexForm(SequencedMap<Atom, Long> terms, long constant) {

  /// What is no sum itself.
  sealed interface Atom {}

  /// A coordinate, or what depends on data or mixes coordinates in another way.
  record Other(Expr expr) implements Atom {}

  /// `dividend / divisor`, rounded down, for a divisor of 2 or more; of no simpler form.
  record Quotient(IndexForm dividend, long divisor) implements Atom {}

  /// `dividend % divisor`, of no simpler form.
  record Remainder(IndexForm dividend, long divisor) implements Atom {}

  /// The values from `low` to `high`.
  private record Interval(long low, long high) {
    static final Interval INT = new Interval(Integer.MIN_VALUE, Integer.MAX_VALUE);

    boolean isIn(Interval other) {
      return other.low <= low && high <= other.high;
    }

    Interval plus(Interval other, long factor) {
      long a = Math.multiplyExact(other.low, factor);
      long b = Math.multiplyExact(other.high, factor);
      return new Interval(Math.addExact(low, Math.min(a, b)), Math.addExact(high, Math.max(a, b)));
    }

    Interval dividedBy(long divisor) {
      return new Interval(Math.floorDiv(low, divisor), Math.floorDiv(high, divisor));
    }
  }

  public IndexForm {
    terms = Collections.unmodifiableSequencedMap(terms);
  }

  /// The same index in fewer nodes, or `index` itself.
  public static Expr simplified(Expr index) {
    Expr shorter = of(index).expr(index.type());
    return shorter.nodes().count() < index.nodes().count() ? shorter : index;
  }

  /// `expr` with all indices in it simplified.
  public static Expr withSimpleIndices(Expr expr) {
    return Exprs.rewrite(expr, node -> {
      if (!(node instanceof Expr.Access(var tensor, var indices, var outside))) {
        return node;
      }
      List<Expr> simple = indices.stream().map(IndexForm::simplified).toList();
      return Expr.same(simple, indices) ? node : new Expr.Access(tensor, simple, outside);
    });
  }

  /// The form of an integer expression.
  static IndexForm of(Expr expr) {
    try {
      IndexForm form = switch (expr) {
        case Expr.IntLiteral literal when expr.type().isInteger() -> constant(literal.value());
        case Expr.Coordinate(Rank rank) when rank.size().equals(Size.of(1)) -> constant(0);
        case Expr.Extent extent when extent.size().constant().isPresent() -> constant(extent.size().value());
        case Expr.Cast cast when cast.operand().type().isInteger() && cast.type().isInteger() -> of(cast.operand());
        case Expr.Binary binary -> of(binary).orElseGet(() -> atom(new Other(expr)));
        case Expr _ -> atom(new Other(expr));
      };
      return form.interval().isIn(values(expr.type())) ? form : atom(new Other(expr));
    } catch (ArithmeticException _) {
      return atom(new Other(expr));
    }
  }

  private static Optional<IndexForm> of(Expr.Binary binary) {
    IndexForm left = of(binary.left());
    IndexForm right = of(binary.right());
    boolean byNumber = right.terms.isEmpty() && right.constant > 0;
    return switch (binary.op()) {
      case ADD -> Optional.of(left.plus(right, 1).recombined());
      case SUB -> Optional.of(left.plus(right, -1).recombined());
      case MUL -> right.terms.isEmpty() ? Optional.of(left.times(right.constant))
          : left.terms.isEmpty() ? Optional.of(right.times(left.constant)) : Optional.empty();
      case DIV -> byNumber ? Optional.of(left.dividedBy(right.constant)) : Optional.empty();
      case MOD -> byNumber ? Optional.of(left.modulo(right.constant)) : Optional.empty();
      case MIN, MAX, POW, EQ, NE, LT, LE, GT, GE, AND, OR, XOR, SHL, SHR -> Optional.empty();
    };
  }

  static IndexForm constant(long value) {
    return new IndexForm(new LinkedHashMap<>(), value);
  }

  static IndexForm atom(Atom atom) {
    SequencedMap<Atom, Long> one = new LinkedHashMap<>();
    one.put(atom, 1L);
    return new IndexForm(one, 0);
  }

  IndexForm plus(IndexForm other, long factor) {
    SequencedMap<Atom, Long> sum = new LinkedHashMap<>(terms);
    other.terms.forEach((atom, coefficient) -> sum.merge(atom, Math.multiplyExact(coefficient, factor), Math::addExact));
    sum.values().removeIf(coefficient -> coefficient == 0);
    return new IndexForm(sum, Math.addExact(constant, Math.multiplyExact(other.constant, factor)));
  }

  IndexForm times(long factor) {
    return constant(0).plus(this, factor);
  }

  /// With `m * (x / m) + x % m` as `x`, whatever the multiple, and `m * (x / m % n) + x % m` as `x % (m * n)`.
  private IndexForm recombined() {
    for (Map.Entry<Atom, Long> term : terms.entrySet()) {
      if (term.getKey() instanceof Remainder(IndexForm dividend, long divisor)) {
        long factor = term.getValue();
        IndexForm quotient = dividend.dividedBy(divisor);
        long each = Math.multiplyExact(factor, divisor);
        if (containsDivisions(quotient, each)) {
          return plus(quotient, -each).plus(atom(term.getKey()), -factor).plus(dividend, factor).recombined();
        }
        Optional<Remainder> higher = higher(quotient, each);
        if (higher.isPresent()) {
          IndexForm whole = dividend.modulo(Math.multiplyExact(divisor, higher.get().divisor));
          return plus(atom(higher.get()), -each).plus(atom(term.getKey()), -factor).plus(whole, factor).recombined();
        }
      }
    }
    return this;
  }

  /// A remainder of `dividend` that is here `factor` times.
  private Optional<Remainder> higher(IndexForm dividend, long factor) {
    return terms.entrySet().stream().filter(term -> term.getValue() == factor)
        .flatMap(term -> term.getKey() instanceof Remainder remainder ? Stream.of(remainder) : Stream.empty())
        .filter(remainder -> remainder.dividend.equals(dividend)).findFirst();
  }

  /// Whether all quotients and remainders of `form` are here, `factor` times.
  private boolean containsDivisions(IndexForm form, long factor) {
    return form.terms.entrySet().stream().filter(part -> !(part.getKey() instanceof Other))
        .allMatch(part -> terms.getOrDefault(part.getKey(), 0L) == Math.multiplyExact(part.getValue(), factor));
  }

  /// This divided by a positive number, rounded down.
  IndexForm dividedBy(long divisor) {
    SequencedMap<Atom, Long> whole = new LinkedHashMap<>();
    SequencedMap<Atom, Long> rest = new LinkedHashMap<>();
    terms.forEach((atom, coefficient) -> {
      if (coefficient % divisor == 0) {
        whole.put(atom, coefficient / divisor);
      } else {
        rest.put(atom, coefficient);
      }
    });
    IndexForm quotient = new IndexForm(whole, Math.floorDiv(constant, divisor));
    return quotient.plus(new IndexForm(rest, Math.floorMod(constant, divisor)).properQuotient(divisor), 1);
  }

  /// The quotient of a sum in which nothing is a multiple of `divisor`.
  private IndexForm properQuotient(long divisor) {
    Interval values = interval().dividedBy(divisor);
    if (values.low == values.high) {
      return constant(values.low);
    }
    for (Map.Entry<Atom, Long> term : terms.entrySet()) {
      // floor((y + floor(x / m)) / n) is floor((m * y + x) / (m * n)).
      if (term.getValue() == 1 && term.getKey() instanceof Quotient(IndexForm dividend, long inner)) {
        IndexForm others = plus(atom(term.getKey()), -1);
        return others.times(inner).plus(dividend, 1).dividedBy(Math.multiplyExact(inner, divisor));
      }
    }
    Optional<Parts> parts = parts(divisor);
    if (parts.isPresent()) {
      return parts.get().multiple.dividedBy(divisor / parts.get().unit);
    }
    return onlyRemainder().filter(remainder -> remainder.divisor % divisor == 0)
        .map(remainder -> remainder.dividend.dividedBy(divisor).modulo(remainder.divisor / divisor))
        .orElseGet(() -> atom(new Quotient(this, divisor)));
  }

  /// The remainder of this by a positive number. Multiples of that go, other coefficients stay: so they are those of the quotient.
  IndexForm modulo(long divisor) {
    IndexForm rest = constant(Math.floorMod(constant, divisor));
    for (Map.Entry<Atom, Long> term : terms.entrySet()) {
      boolean congruent = term.getKey() instanceof Remainder(_, long inner) && Math.multiplyExact(term.getValue(), inner) % divisor == 0;
      IndexForm value = congruent ? ((Remainder) term.getKey()).dividend : atom(term.getKey());
      rest = rest.plus(value, term.getValue());
    }
    SequencedMap<Atom, Long> proper = new LinkedHashMap<>(rest.terms);
    proper.values().removeIf(coefficient -> coefficient % divisor == 0);
    return new IndexForm(proper, Math.floorMod(rest.constant, divisor)).properRemainder(divisor);
  }

  private IndexForm properRemainder(long divisor) {
    Interval quotients = interval().dividedBy(divisor);
    if (quotients.low == quotients.high) {
      return plus(constant(divisor), -quotients.low);
    }
    Optional<Parts> parts = parts(divisor);
    return parts.isPresent()
        ? parts.get().multiple.modulo(divisor / parts.get().unit).times(parts.get().unit).plus(parts.get().rest, 1)
        : atom(new Remainder(this, divisor));
  }

  /// The sum as `unit * multiple + rest` with `rest` from 0 to less than `unit`, which divides what the sum is divided by.
  private record Parts(long unit, IndexForm multiple, IndexForm rest) {}

  private Optional<Parts> parts(long divisor) {
    return terms.values().stream().map(coefficient -> gcd(Math.abs(coefficient), divisor)).filter(unit -> unit > 1)
        .distinct().sorted(Collections.reverseOrder()).map(this::parts).flatMap(Optional::stream).findFirst();
  }

  private Optional<Parts> parts(Long unit) {
    SequencedMap<Atom, Long> multiple = new LinkedHashMap<>();
    SequencedMap<Atom, Long> rest = new LinkedHashMap<>();
    terms.forEach((atom, coefficient) -> {
      if (coefficient % unit == 0) {
        multiple.put(atom, coefficient / unit);
      } else {
        rest.put(atom, coefficient);
      }
    });
    IndexForm remaining = new IndexForm(rest, Math.floorMod(constant, unit));
    return remaining.interval().isIn(new Interval(0, unit - 1))
        ? Optional.of(new Parts(unit, new IndexForm(multiple, Math.floorDiv(constant, unit)), remaining)) : Optional.empty();
  }

  private static long gcd(long a, long b) {
    return b == 0 ? a : gcd(b, a % b);
  }

  /// The remainder that this is, if it is nothing else.
  private Optional<Remainder> onlyRemainder() {
    return constant == 0 && terms.size() == 1 && terms.firstEntry().getValue() == 1
        && terms.firstEntry().getKey() instanceof Remainder remainder ? Optional.of(remainder) : Optional.empty();
  }

  private Interval interval() {
    Interval sum = new Interval(constant, constant);
    for (Map.Entry<Atom, Long> term : terms.entrySet()) {
      sum = sum.plus(interval(term.getKey()), term.getValue());
    }
    return sum;
  }

  private static Interval interval(Atom atom) {
    return switch (atom) {
      case Other(Expr.Coordinate(Rank rank)) -> new Interval(0, Math.max(0, rank.size().constant().orElse((long) Integer.MAX_VALUE) - 1));
      case Other(Expr expr) -> values(expr.type());
      case Quotient(IndexForm dividend, long divisor) -> dividend.interval().dividedBy(divisor);
      case Remainder(_, long divisor) -> new Interval(0, divisor - 1);
    };
  }

  private static Interval values(ElementType type) {
    if (type.bytes() == Long.BYTES) {
      return new Interval(Long.MIN_VALUE, Long.MAX_VALUE);
    }
    long bits = 8L * type.bytes();
    return type == ElementType.U8 ? new Interval(0, 255) : new Interval(-1L << bits - 1, (1L << bits - 1) - 1);
  }

  /// The sum as an expression of `type`.
  Expr expr(ElementType type) {
    Expr sum = null;
    for (Map.Entry<Atom, Long> term : terms.entrySet()) {
      long coefficient = term.getValue();
      Expr atom = cast(type, expr(term.getKey()));
      boolean subtract = sum != null && coefficient < 0;
      long factor = subtract ? -coefficient : coefficient;
      Expr product = factor == 1 ? atom : new Expr.Binary(BinaryOp.MUL, atom, new Expr.IntLiteral(type, factor));
      sum = sum == null ? product : new Expr.Binary(subtract ? BinaryOp.SUB : BinaryOp.ADD, sum, product);
    }
    if (sum == null) {
      return new Expr.IntLiteral(type, constant);
    }
    return constant == 0 ? sum : constant > 0 ? new Expr.Binary(BinaryOp.ADD, sum, new Expr.IntLiteral(type, constant))
        : new Expr.Binary(BinaryOp.SUB, sum, new Expr.IntLiteral(type, -constant));
  }

  private static Expr expr(Atom atom) {
    return switch (atom) {
      case Other(Expr expr) -> expr;
      case Quotient(IndexForm dividend, long divisor) -> divided(BinaryOp.DIV, dividend, divisor);
      case Remainder(IndexForm dividend, long divisor) -> divided(BinaryOp.MOD, dividend, divisor);
    };
  }

  private static Expr divided(BinaryOp op, IndexForm dividend, long divisor) {
    ElementType type = dividend.interval().isIn(Interval.INT) && divisor <= Integer.MAX_VALUE ? ElementType.I32 : ElementType.I64;
    return new Expr.Binary(op, dividend.expr(type), new Expr.IntLiteral(type, divisor));
  }

  private static Expr cast(ElementType type, Expr expr) {
    return expr.type() == type ? expr : new Expr.Cast(type, expr);
  }
}
