package dev.einfall.frontend;

import dev.einfall.frontend.Static.Real;
import dev.einfall.frontend.Static.Truth;
import dev.einfall.frontend.Static.Whole;
import dev.einfall.frontend.Syntax.Expr;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.IndexBounds;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// Evaluates what is known when the program is read: whole numbers and sizes, real numbers, and truths.
final class Statics {
  static final String LOG2_NAME = "log2";
  private static final int MOST_PARTS = 128;
  private static final int MOST_SHIFTED = 62;

  /// What an expression is read for, which says how to refuse one that has no value here.
  enum Purpose {
    SIZE("a size is made of numbers, size names, and + - * / between them"),
    CONDITION("the condition of `if` is known when the program is read; for data use `where(condition, a, b)`"),
    ARGUMENT("a `size` is known when the program is read: a number, a size, a constant, or arithmetic on them"),
    LOG2("`log2` is of whole numbers that are known when the program is read; of data it is `log(x) / log(2.0)`"),
    CONSTANT("a constant is known when the program is read: numbers, other constants, and arithmetic on them");

    private final String refusal;

    Purpose(String refusal) {
      this.refusal = refusal;
    }

    /// What is expected.
    String refusal() {
      return refusal;
    }
  }

  private final Diagnostics diagnostics;
  private final Purpose purpose;
  private final Function<Syntax.Name, Static> names;

  /// @param names gives the value of a name, or rejects it
  Statics(Diagnostics diagnostics, Purpose purpose, Function<Syntax.Name, Static> names) {
    this.diagnostics = diagnostics;
    this.purpose = purpose;
    this.names = names;
  }

  Static value(Expr expr) {
    try {
      Static value = evaluate(expr);
      if (value instanceof Whole(Size size) && parts(size) > MOST_PARTS) {
        throw diagnostics.reject(expr.span(), "this size has more than " + MOST_PARTS + " terms and factors");
      }
      return value;
    } catch (ArithmeticException _) {
      throw diagnostics.reject(expr.span(), "this size is too large");
    }
  }

  /// How many terms and factors are in `size`. They could double in each turn of a recursion.
  private static long parts(Size size) {
    return size.terms().keySet().stream().mapToLong(product -> 1 + product.factors().stream().mapToLong(factor -> switch (factor) {
      case Size.Factor.Name _ -> 1;
      case Size.Factor.Quotient(Size dividend, Size divisor) -> 1 + parts(dividend) + parts(divisor);
    }).sum()).sum();
  }

  /// A whole number, which may have the names of sizes in it.
  Size whole(Expr expr) {
    return switch (value(expr)) {
      case Whole(Size size) -> size;
      case Real(double real) -> throw diagnostics.reject(expr.span(), "expected a whole number, this is " + real);
      case Truth(boolean truth) -> throw diagnostics.reject(expr.span(), "expected a whole number, this is " + truth);
    };
  }

  /// Whether `expr` holds; a whole number does unless it is 0.
  boolean truth(Expr expr) {
    return switch (value(expr)) {
      case Truth(boolean truth) -> truth;
      case Whole(Size size) -> compare(BinaryOp.NE, size, Size.of(0), expr.span());
      case Real(double real) -> throw diagnostics.reject(expr.span(), "expected a condition, this is the number " + real);
    };
  }

  private Static evaluate(Expr expr) {
    return switch (expr) {
      case Expr.Whole whole -> new Whole(Size.of(whole.value()));
      case Expr.Real real -> new Real(real.value());
      case Expr.Truth truth -> new Truth(truth.value());
      case Expr.Reference(Syntax.Name name) -> names.apply(name);
      case Expr.Prefix prefix when prefix.op() == UnaryOp.NOT -> new Truth(!truth(prefix.operand()));
      case Expr.Prefix prefix -> negative(value(prefix.operand()), prefix.span());
      case Expr.Infix infix when infix.op() == BinaryOp.AND ->
          new Truth(truth(infix.left()) && truth(infix.right()));
      case Expr.Infix infix when infix.op() == BinaryOp.OR ->
          new Truth(truth(infix.left()) || truth(infix.right()));
      case Expr.Infix infix -> binary(infix.op(), value(infix.left()), infix.right(), infix.span());
      case Expr.Call call -> call(call);
      case Expr other -> throw refuse(other.span());
    };
  }

  private Diagnostics.Rejection refuse(Span span) {
    return diagnostics.reject(span, purpose.refusal);
  }

  private Static negative(Static operand, Span span) {
    return switch (operand) {
      case Whole(Size size) -> new Whole(Size.of(0).minus(size));
      case Real(double real) -> new Real(-real);
      case Truth _ -> throw diagnostics.reject(span, "`-` is not defined for a bool");
    };
  }

  private Static binary(BinaryOp op, Static left, Expr second, Span span) {
    Static right = value(second);
    if (op != BinaryOp.POW && left instanceof Whole(Size a) && right instanceof Whole(Size b)) {
      return op.isComparison() ? new Truth(compare(op, a, b, span)) : new Whole(whole(op, a, b, second.span(), span));
    }
    if (left instanceof Truth(boolean a) && right instanceof Truth(boolean b)
        && (op == BinaryOp.EQ || op == BinaryOp.NE)) {
      return new Truth(a == b == (op == BinaryOp.EQ));
    }
    if (left instanceof Truth || right instanceof Truth) {
      throw diagnostics.reject(span, "`" + op.text() + "` is not defined for a bool here");
    }
    return real(op, real(left, span), real(right, span), span);
  }

  private double real(Static value, Span span) {
    return switch (value) {
      case Real(double real) -> real;
      case Whole(Size size) -> number(size, span);
      case Truth truth -> throw diagnostics.reject(span, "expected a number, this is " + truth);
    };
  }

  /// The number that `size` is.
  long number(Size size, Span span) {
    return size.constant().orElseThrow(() -> diagnostics.need(span, size));
  }

  private Size whole(BinaryOp op, Size left, Size right, Span second, Span span) {
    return switch (op) {
      case ADD -> left.plus(right);
      case SUB -> left.minus(right);
      case MUL -> left.times(right);
      case DIV -> left.dividedBy(nonZero(right, second));
      case MOD -> left.minus(left.dividedBy(nonZero(right, second)).times(right));
      case MIN -> compare(BinaryOp.LE, left, right, span) ? left : right;
      case MAX -> compare(BinaryOp.GE, left, right, span) ? left : right;
      case SHL -> left.times(Size.of(powerOfTwo(number(right, second), second)));
      case SHR -> left.dividedBy(Size.of(powerOfTwo(number(right, second), second)));
      default -> throw refuse(span);
    };
  }

  private long powerOfTwo(long exponent, Span span) {
    if (exponent < 0 || exponent > MOST_SHIFTED) {
      throw diagnostics.reject(span, "a shift is by 0 to " + MOST_SHIFTED + " places, not by " + exponent);
    }
    return 1L << exponent;
  }

  private Size nonZero(Size divisor, Span span) {
    if (divisor.terms().isEmpty()) {
      throw diagnostics.reject(span, "this size is divided by 0");
    }
    return divisor;
  }

  /// A comparison that comes out the same for all sizes, or whose sizes are numbers.
  private boolean compare(BinaryOp op, Size left, Size right, Span span) {
    return switch (op) {
      case LT -> isLess(left, right, span);
      case GE -> !isLess(left, right, span);
      case GT -> isLess(right, left, span);
      case LE -> !isLess(right, left, span);
      case EQ -> isEqual(left, right, span);
      default -> !isEqual(left, right, span);
    };
  }

  private boolean isLess(Size left, Size right, Span span) {
    if (IndexBounds.isNotNegative(right.minus(left).minus(Size.of(1)))) {
      return true;
    }
    return !IndexBounds.isNotNegative(left.minus(right)) && number(left.minus(right), span) < 0;
  }

  private boolean isEqual(Size left, Size right, Span span) {
    Size difference = left.minus(right);
    boolean differs = IndexBounds.isNotNegative(difference.minus(Size.of(1)))
        || IndexBounds.isNotNegative(Size.of(-1).minus(difference));
    return !differs && number(difference, span) == 0;
  }

  private Static real(BinaryOp op, double left, double right, Span span) {
    return switch (op) {
      case ADD, SUB, MUL, DIV, MIN, MAX, POW -> new Real(op.onNumbers().applyAsDouble(left, right));
      case EQ, NE, LT, LE, GT, GE -> new Truth(op.holds(left, right));
      case MOD, AND, OR, XOR, SHL, SHR -> throw diagnostics.reject(span,
          "`" + op.text() + "` is not defined for a real number here");
    };
  }

  private Static call(Expr.Call call) {
    String name = call.name().text();
    Optional<UnaryOp> unary = UnaryOp.function(name);
    Optional<BinaryOp> binary = BinaryOp.function(name);
    if (name.equals(LOG2_NAME)) {
      Expr operand = arguments(call, 1).getFirst();
      return new Whole(Size.of(log2(number(whole(operand), operand.span()), operand.span())));
    } else if (name.equals(Scalars.WHERE)) {
      List<Expr> operands = arguments(call, 3);
      return value(truth(operands.get(0)) ? operands.get(1) : operands.get(2));
    } else if (binary.isPresent()) {
      List<Expr> operands = arguments(call, 2);
      return binary(binary.get(), value(operands.getFirst()), operands.getLast(), call.span());
    } else if (unary.isPresent()) {
      return unary(unary.get(), value(arguments(call, 1).getFirst()), call.span());
    }
    throw refuse(call.span());
  }

  private List<Expr> arguments(Expr.Call call, int count) {
    if (call.arguments().size() != count) {
      throw diagnostics.reject(call.span(), "`" + call.name().text() + "` takes " + count
          + (count == 1 ? " operand" : " operands") + ", not " + call.arguments().size());
    }
    return call.arguments();
  }

  /// The least `k` with `2^k >= number`.
  private long log2(long number, Span span) {
    if (number < 1) {
      throw diagnostics.reject(span, "`log2` is of a number from 1 on, not " + number);
    }
    return Long.SIZE - Long.numberOfLeadingZeros(number - 1);
  }

  private Static unary(UnaryOp op, Static operand, Span span) {
    if (operand instanceof Whole(Size size) && (op == UnaryOp.ABS || op == UnaryOp.SIGN)) {
      long number = number(size, span);
      return new Whole(Size.of(op == UnaryOp.ABS ? Math.absExact(number) : Long.signum(number)));
    }
    double x = real(operand, span);
    if (op == UnaryOp.NEG || op == UnaryOp.NOT || op == UnaryOp.POPCOUNT) {
      throw refuse(span);
    }
    return new Real(op.onNumbers().applyAsDouble(x));
  }
}
