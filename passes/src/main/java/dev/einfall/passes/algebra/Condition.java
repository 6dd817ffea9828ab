package dev.einfall.passes.algebra;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Expr;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/// A truth in canonical form: comparisons of finite numbers are comparisons of their difference with 0.
public sealed interface Condition {

  /// `difference op 0`, where `op` is `LT`, `LE`, `EQ` or `NE`, and the numbers compared are of `type`.
  record Compare(BinaryOp op, Polynomial difference, ElementType type) implements Condition {}

  /// Both conditions (`AND`), one of them (`OR`), or just one (`XOR`).
  record Both(BinaryOp op, Condition left, Condition right) implements Condition {}

  record Not(Condition condition) implements Condition {}

  /// What is no comparison of finite numbers.
  record Plain(Expr expr) implements Condition {}

  /// The polynomials compared.
  default Stream<Polynomial> operands() {
    return switch (this) {
      case Compare(BinaryOp _, Polynomial difference, ElementType _) -> Stream.of(difference);
      case Both(BinaryOp _, Condition left, Condition right) -> Stream.concat(left.operands(), right.operands());
      case Not(Condition condition) -> condition.operands();
      case Plain _ -> Stream.empty();
    };
  }

  /// The expressions that are no comparison.
  default Stream<Expr> plain() {
    return switch (this) {
      case Compare _ -> Stream.empty();
      case Both(BinaryOp _, Condition left, Condition right) -> Stream.concat(left.plain(), right.plain());
      case Not(Condition condition) -> condition.plain();
      case Plain(Expr expr) -> Stream.of(expr);
    };
  }

  /// The same with each polynomial and each plain expression replaced.
  default Condition map(UnaryOperator<Polynomial> change, UnaryOperator<Expr> leaf, Canonical canonical) {
    return switch (this) {
      case Compare(BinaryOp op, Polynomial difference, ElementType type) ->
          canonical.comparison(op, change.apply(difference), type);
      case Both(BinaryOp op, Condition left, Condition right) -> 
          new Both(op, left.map(change, leaf, canonical), right.map(change, leaf, canonical));
      case Not(Condition condition) -> new Not(condition.map(change, leaf, canonical));
      case Plain(Expr expr) -> new Plain(leaf.apply(expr));
    };
  }
}
