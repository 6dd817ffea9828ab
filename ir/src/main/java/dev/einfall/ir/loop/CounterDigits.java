package dev.einfall.ir.loop;

import dev.einfall.ir.BinaryOp;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Whether indices say what a counter is, such as `i / 48` and `i % 48` together.
final class CounterDigits {

  /// What is left of the counter divided by `divisor`, divided by `modulus`; `modulus` is 0 where that is the quotient itself.
  private record Digit(long divisor, long modulus) {}

  private CounterDigits() {}

  /// Whether any two counters below `extent` differ in one of `indices`.
  static boolean tell(List<Expr> indices, Var counter, Expr extent) {
    List<Digit> digits = new ArrayList<>();
    indices.forEach(index -> digit(index, counter).ifPresent(digits::add));
    long limit = extent instanceof Expr.IntLiteral literal ? literal.value() : Integer.MAX_VALUE;
    long place = 1;
    while (place < limit) {
      long known = place;
      Optional<Digit> next = digits.stream().filter(digit -> digit.divisor == known).findFirst();
      if (next.isEmpty()) {
        return false;
      }
      if (next.get().modulus == 0) {
        return true;
      }
      place *= next.get().modulus;
    }
    return true;
  }

  /// The digit that `index` is a multiple of, plus something that does not depend on the counter.
  private static Optional<Digit> digit(Expr index, Var counter) {
    try {
      List<Expr> terms = Ranges.empty().sum(index).terms().keySet().stream()
          .filter(term -> term.nodes().anyMatch(node -> node.equals(new Expr.Ref(counter)))).toList();
      return terms.size() == 1 ? ofTerm(terms.getFirst(), counter) : Optional.empty();
    } catch (ArithmeticException _) {
      return Optional.empty();
    }
  }

  private static Optional<Digit> ofTerm(Expr term, Var counter) {
    if (term instanceof Expr.Binary(BinaryOp op, Expr left, Expr.IntLiteral modulus) && op == BinaryOp.MOD && modulus.value() > 1) {
      return quotient(left, counter).map(divisor -> new Digit(divisor, modulus.value()));
    }
    return quotient(term, counter).map(divisor -> new Digit(divisor, 0));
  }

  /// What the counter is divided by.
  private static Optional<Long> quotient(Expr term, Var counter) {
    if (term.equals(new Expr.Ref(counter))) {
      return Optional.of(1L);
    }
    return term instanceof Expr.Binary(BinaryOp op, Expr left, Expr.IntLiteral divisor) && op == BinaryOp.DIV && divisor.value() > 0
        && left.equals(new Expr.Ref(counter)) ? Optional.of(divisor.value()) : Optional.empty();
  }
}
