package dev.einfall.passes.analysis;

import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// An index of an access, as far as it matters which ranks walk along the dimension: a sum of terms, and an offset that all
/// points share; or any element at all.
///
/// ```
/// X[m1 * 64 + m0 + 1]     the terms 64 * m1 and m0
/// X[i / 64]               the term (i / 64)
/// X[ids[t]]               arbitrary, picked along t
/// ```
///
/// @param offset the constant part, which only products need to know
/// @param picked empty for a sum; of an arbitrary index, the ranks along which elements are picked
record Index(List<Term> terms, Size offset, Optional<List<Rank>> picked) {

  /// `coefficient * ((rank / divisor) % modulus)`; without a modulus, all of the quotient.
  record Term(Size coefficient, Rank rank, Size divisor, Optional<Size> modulus) {

    private Term times(Size factor) {
      return new Term(coefficient.times(factor), rank, divisor, modulus);
    }

    boolean isPlain() {
      return coefficient == ONE || coefficient.equals(ONE);
    }

    /// How many values it takes.
    Size extent() {
      return modulus.orElseGet(() -> divisor.equals(ONE) ? rank.size() : rank.size().dividedBy(divisor).plus(ONE));
    }
  }

  static final Size ONE = Size.of(1);

  private static Index sum(List<Term> terms, Size offset) {
    return new Index(terms.stream().filter(term -> !term.coefficient.equals(Size.of(0))).toList(), offset, Optional.empty());
  }

  private static Index constant(Size value) {
    return sum(List.of(), value);
  }

  private static Index arbitrary(Expr expr) {
    List<Rank> ranks = expr.nodes().flatMap(node -> node instanceof Expr.Coordinate(Rank rank) ? Stream.of(rank) : Stream.empty())
        .distinct().filter(rank -> expr.nodes().noneMatch(node -> node.bound().contains(rank))).toList();
    return new Index(List.of(), Size.of(0), Optional.of(ranks));
  }

  /// The rank that it is the coordinate of, if it is just that.
  Optional<Rank> coordinate() {
    return terms.size() == 1 && terms.getFirst().isPlain() && terms.getFirst().divisor == ONE && terms.getFirst().modulus.isEmpty()
        ? Optional.of(terms.getFirst().rank) : Optional.empty();
  }

  /// Whether it is a number that the sizes tell.
  boolean isConstant() {
    return picked.isEmpty() && terms.isEmpty();
  }

  static Index of(Expr expr) {
    return switch (expr) {
      case Expr.IntLiteral literal -> constant(Size.of(literal.value()));
      case Expr.Extent extent -> constant(extent.size());
      case Expr.Coordinate(Rank rank) -> sum(List.of(new Term(ONE, rank, ONE, Optional.empty())), Size.of(0));
      case Expr.Cast cast when cast.operand().type().isInteger() -> of(cast.operand());
      case Expr.Binary binary -> binary(binary);
      case Expr.Select _, Expr.Unary _, Expr.Cast _, Expr.Bitcast _, Expr.Reduce _, Expr.Fold _, Expr.Access _, Expr.FloatLiteral _, Expr.Ref _ ->
          arbitrary(expr);
    };
  }

  private static Index binary(Expr.Binary binary) {
    Index left = of(binary.left());
    Index right = of(binary.right());
    if (left.picked.isPresent() || right.picked.isPresent()) {
      return arbitrary(binary);
    }
    return switch (binary.op()) {
      case ADD -> left.plus(right);
      case SUB -> left.plus(right.times(Size.of(-1)));
      case MUL -> right.isConstant() ? left.times(right.offset) : left.isConstant() ? right.times(left.offset) : arbitrary(binary);
      case DIV -> right.isConstant() ? left.dividedBy(right.offset).orElseGet(() -> arbitrary(binary)) : arbitrary(binary);
      case MOD -> right.isConstant() ? left.modulo(right.offset).orElseGet(() -> arbitrary(binary)) : arbitrary(binary);
      // Cut off at an end of the tensor: the same walk, that stands still there.
      case MIN, MAX -> right.isConstant() ? left : left.isConstant() ? right : arbitrary(binary);
      case POW, EQ, NE, LT, LE, GT, GE, AND, OR, XOR, SHL, SHR -> arbitrary(binary);
    };
  }

  private Index plus(Index other) {
    List<Term> all = new ArrayList<>(terms);
    all.addAll(other.terms);
    return sum(all, offset.plus(other.offset));
  }

  private Index times(Size factor) {
    return sum(terms.stream().map(term -> term.times(factor)).toList(), offset.times(factor));
  }

  /// Rounded down: a multiple of the divisor and what is less, or the digits of one rank.
  private Optional<Index> dividedBy(Size number) {
    if (isConstant()) {
      return Optional.of(constant(offset.dividedBy(number)));
    }
    List<Term> multiples = new ArrayList<>();
    for (Term term : terms) {
      term.coefficient.exactQuotient(number).ifPresent(quotient ->
          multiples.add(new Term(quotient, term.rank, term.divisor, term.modulus)));
    }
    if (!multiples.isEmpty()) {
      return Optional.of(sum(multiples, Size.of(0)));
    }
    return terms.size() == 1 ? number.exactQuotient(terms.getFirst().coefficient).map(steps -> digits(terms.getFirst(), steps)) : Optional.empty();
  }

  private static Index digits(Term term, Size divisor) {
    Optional<Size> rest = term.modulus.map(modulus -> modulus.dividedBy(divisor));
    return sum(List.of(new Term(ONE, term.rank, term.divisor.times(divisor), rest)), Size.of(0));
  }

  private Optional<Index> modulo(Size number) {
    if (isConstant()) {
      return Optional.of(this);
    }
    List<Term> rest = terms.stream().filter(term -> term.coefficient.exactQuotient(number).isEmpty()).toList();
    if (rest.size() == 1 && rest.getFirst().isPlain()) {
      Term term = rest.getFirst();
      boolean fits = term.extent().equals(number);
      return Optional.of(sum(List.of(fits ? term : new Term(ONE, term.rank, term.divisor, Optional.of(number))), Size.of(0)));
    }
    return rest.size() < terms.size() ? Optional.of(sum(rest, Size.of(0))) : Optional.empty();
  }
}
