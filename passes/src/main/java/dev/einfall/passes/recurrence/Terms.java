package dev.einfall.passes.recurrence;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import java.util.ArrayList;
import java.util.List;

/// Sums and products, with nothing added and no factor of one.
final class Terms {
  private Terms() {}

  static boolean isZero(Expr expr) {
    return isNumber(expr, 0);
  }

  static boolean isOne(Expr expr) {
    return isNumber(expr, 1);
  }

  private static boolean isNumber(Expr expr, double number) {
    return switch (expr) {
      case Expr.FloatLiteral literal -> literal.value() == number;
      case Expr.IntLiteral literal -> literal.value() == number;
      case Expr _ -> false;
    };
  }

  static Expr zero(ElementType type) {
    return Expr.literal(type, 0);
  }

  static Expr one(ElementType type) {
    return Expr.literal(type, 1);
  }

  static Expr plus(Expr left, Expr right) {
    return isZero(left) ? right : isZero(right) ? left : new Expr.Binary(BinaryOp.ADD, left, right);
  }

  static Expr minus(Expr left, Expr right) {
    return isZero(right) ? left : isZero(left) ? negative(right) : new Expr.Binary(BinaryOp.SUB, left, right);
  }

  static Expr negative(Expr operand) {
    return switch (operand) {
      case Expr.FloatLiteral literal -> Expr.literal(literal.type(), -literal.value());
      case Expr _ when isZero(operand) -> operand;
      case Expr _ -> new Expr.Unary(UnaryOp.NEG, operand);
    };
  }

  static Expr times(Expr left, Expr right) {
    if (isZero(left) || isOne(right)) {
      return left;
    }
    return isZero(right) || isOne(left) ? right : new Expr.Binary(BinaryOp.MUL, left, right);
  }

  static Expr divided(Expr left, Expr right) {
    return isZero(left) || isOne(right) ? left : new Expr.Binary(BinaryOp.DIV, left, right);
  }

  static Expr where(Expr condition, Expr whenTrue, Expr whenFalse) {
    return whenTrue.equals(whenFalse) ? whenTrue : new Expr.Select(condition, whenTrue, whenFalse);
  }

  static Expr and(Expr left, Expr right) {
    return new Expr.Binary(BinaryOp.AND, left, right);
  }

  static Expr or(Expr left, Expr right) {
    return new Expr.Binary(BinaryOp.OR, left, right);
  }

  /// The sum of `body` over `ranks`; `body` itself over none.
  static Expr sum(List<Rank> ranks, Expr body) {
    return ranks.isEmpty() || isZero(body) ? body : new Expr.Reduce(Reduction.SUM, ranks, body);
  }

  static Expr product(List<Expr> factors, ElementType type) {
    return factors.stream().reduce(one(type), Terms::times);
  }

  /// The terms whose sum `expr` is.
  static List<Expr> terms(Expr expr) {
    List<Expr> terms = new ArrayList<>();
    collectTerms(expr, false, terms);
    return terms;
  }

  private static void collectTerms(Expr expr, boolean negative, List<Expr> terms) {
    switch (expr) {
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.ADD || op == BinaryOp.SUB -> {
        collectTerms(left, negative, terms);
        collectTerms(right, negative != (op == BinaryOp.SUB), terms);
      }
      case Expr.Unary(UnaryOp op, Expr operand) when op == UnaryOp.NEG -> collectTerms(operand, !negative, terms);
      case Expr _ when isZero(expr) -> { }
      case Expr _ -> terms.add(negative ? negative(expr) : expr);
    }
  }

  /// The factors whose product `expr` is; of a quotient, the factors above and one over what is below.
  static List<Expr> factors(Expr expr) {
    List<Expr> factors = new ArrayList<>();
    collectFactors(expr, factors);
    return factors;
  }

  private static void collectFactors(Expr expr, List<Expr> factors) {
    switch (expr) {
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.MUL -> {
        collectFactors(left, factors);
        collectFactors(right, factors);
      }
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.DIV && expr.type().isFloat() -> {
        collectFactors(left, factors);
        factors.add(divided(one(expr.type()), right));
      }
      case Expr.Unary(UnaryOp op, Expr operand) when op == UnaryOp.NEG && expr.type().isFloat() -> {
        factors.add(Expr.literal(expr.type(), -1));
        collectFactors(operand, factors);
      }
      case Expr _ when isOne(expr) -> { }
      case Expr _ -> factors.add(expr);
    }
  }
}
