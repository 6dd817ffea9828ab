package dev.einfall.frontend;

import dev.einfall.frontend.Value.Real;
import dev.einfall.frontend.Value.Typed;
import dev.einfall.frontend.Value.Unknown;
import dev.einfall.frontend.Value.Whole;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Span;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The types of operations: two operands agree, open types follow the other operand, and nothing else is converted.
final class Arithmetic {
  /// How the names of functions begin that keep the bits of a number; the type follows.
  static final String BITCAST = "bitcast_";

  private final Diagnostics diagnostics;

  Arithmetic(Diagnostics diagnostics) {
    this.diagnostics = diagnostics;
  }

  /// The value as an expression of its own type.
  Expr alone(Value value) {
    return as(value, value.type());
  }

  /// The value as an expression of `type`, if its type is open or `type`.
  Expr as(Value value, ElementType type) {
    return switch (value) {
      case Typed(Expr expr, Span span) -> {
        if (expr.type() != type) {
          throw diagnostics.reject(span, "expected " + article(type) + ", this is " + article(expr.type())
              + (type.isBool() ? "; compare it, as in `x != 0`" : "; convert it: `" + type + "(...)`"));
        }
        yield expr;
      }
      case Whole whole -> whole(whole, type);
      case Real(var as, Span span) -> {
        if (!type.isFloat()) {
          throw diagnostics.reject(span, "expected " + article(type) + ", this is a real number"
              + (type.isBool() ? "; compare it, as in `x != 0`" : "; round it: `" + type + "(...)`"));
        }
        yield as.apply(type);
      }
      case Unknown _ -> throw diagnostics.reject();
    };
  }

  private Expr whole(Whole whole, ElementType type) {
    if (type.isBool()) {
      throw diagnostics.reject(whole.span(), "expected a bool, this is a whole number; compare it, as in `x != 0`");
    }
    if (whole.expr() instanceof Expr.IntLiteral(var _, long value)) {
      return literal(type, value, whole.span());
    }
    if (type.isFloat() && whole.rounds()) {
      throw diagnostics.reject(whole.span(), "this division of whole numbers rounds down, and " + article(type)
          + " is needed; write `" + type + "(...)` around an operand, or around all of it to round");
    }
    return type == ElementType.I32 ? whole.expr() : new Expr.Cast(type, whole.expr());
  }

  private Expr literal(ElementType type, long value, Span span) {
    if (type.isFloat()) {
      return new Expr.FloatLiteral(type, value);
    }
    int bits = 8 * type.bytes();
    boolean fits = type == ElementType.U8 ? 0 <= value && value <= 255
        : bits == Long.SIZE || -(1L << (bits - 1)) <= value && value < 1L << (bits - 1);
    if (!fits) {
      throw diagnostics.reject(span, value + " does not fit " + article(type));
    }
    return new Expr.IntLiteral(type, value);
  }

  static String article(ElementType type) {
    return (type.isFloat() || type.isInteger() && type != ElementType.U8 ? "an " : "a ") + type;
  }

  Value infix(BinaryOp op, Value left, Value right, Span span) {
    requireKnown(left, right);
    boolean isOpen = !(left instanceof Typed) && !(right instanceof Typed);
    boolean isWhole = left instanceof Whole && right instanceof Whole;
    if (isOpen && !op.isComparison() && (!isWhole || op == BinaryOp.POW)) {
      if (!op.accepts(ElementType.F32)) {
        throw notFor(op.text(), op::accepts, left, span);
      }
      return new Real(type -> new Expr.Binary(op, as(left, type), as(right, type)), span);
    }
    for (Value operand : List.of(left, right)) {
      if (operand instanceof Typed && !op.accepts(operand.type())) {
        throw notFor(op.text(), op::accepts, operand, span);
      }
    }
    boolean divides = op == BinaryOp.DIV || op == BinaryOp.MOD;
    if (divides && isWhole && alone(right) instanceof Expr.IntLiteral(var _, long divisor) && divisor == 0) {
      throw diagnostics.reject(span, "this whole number is divided by 0");
    }
    ElementType type = common(op, left, right, span);
    if (!op.accepts(type)) {
      throw notFor(op.text(), op::accepts, left instanceof Typed ? left : right, span);
    }
    Expr result = new Expr.Binary(op, as(left, type), as(right, type));
    return isWhole && !op.isComparison()
        ? new Whole(result, op == BinaryOp.DIV || rounds(left) || rounds(right), span)
        : new Typed(result, span);
  }

  private static boolean rounds(Value value) {
    return value instanceof Whole whole && whole.rounds();
  }

  /// The type of both operands of `what`.
  private ElementType common(BinaryOp op, Value left, Value right, Span span) {
    return common("`" + op.text() + "`", left, right, span);
  }

  private ElementType common(String what, Value left, Value right, Span span) {
    if (left instanceof Typed && right instanceof Typed && left.type() != right.type()) {
      throw diagnostics.reject(span, what + " has operands of two types, " + left.type() + " and " + right.type()
          + "; convert one: `" + wider(left.type(), right.type()) + "(...)`",
          new Diagnostic.Note(left.span(), "this is " + article(left.type())),
          new Diagnostic.Note(right.span(), "this is " + article(right.type())));
    }
    boolean isRounded = left instanceof Real && right instanceof Typed && right.type().isInteger()
        || right instanceof Real && left instanceof Typed && left.type().isInteger();
    if (isRounded) {
      throw diagnostics.reject(span, what + " has operands of two types, " + kind(left) + " and " + kind(right)
          + "; convert the whole one: `f32(...)`", new Diagnostic.Note(left.span(), "this is " + kind(left)),
          new Diagnostic.Note(right.span(), "this is " + kind(right)));
    }
    boolean rightDecides = right instanceof Typed || !(left instanceof Typed) && right instanceof Real;
    return (rightDecides ? right : left).type();
  }

  private static ElementType wider(ElementType left, ElementType right) {
    return left.isFloat() != right.isFloat() ? left.isFloat() ? left : right
        : left.bytes() >= right.bytes() ? left : right;
  }

  private Diagnostics.Rejection notFor(String operation, Predicate<ElementType> accepts, Value operand, Span span) {
    List<ElementType> accepted = Stream.of(ElementType.F32, ElementType.I32, ElementType.BOOL).filter(accepts).toList();
    String kinds = accepted.stream().map(type -> type.isFloat() ? "floats" : type.isBool() ? "bools" : "integers")
        .collect(Collectors.joining(" and "));
    return diagnostics.reject(span, "`" + operation + "` takes " + kinds + ", not " + kind(operand)
        + hint(accepted, operand.type()), new Diagnostic.Note(operand.span(), "this is " + kind(operand)));
  }

  private static String kind(Value value) {
    return value instanceof Real ? "a real number" : value instanceof Whole ? "a whole number" : article(value.type());
  }

  private static String hint(List<ElementType> accepted, ElementType type) {
    boolean isBoolOnly = accepted.equals(List.of(ElementType.BOOL));
    return isBoolOnly || accepted.contains(ElementType.BOOL) && type.isFloat() ? "; compare it, as in `x != 0`"
        : accepted.isEmpty() ? "" : "; convert it: `" + accepted.get(type.isBool() ? accepted.size() - 1 : 0) + "(...)`";
  }

  /// Leaves an operation on values that are unknown because of another error.
  private void requireKnown(Value... values) {
    for (Value value : values) {
      if (value instanceof Unknown) {
        throw diagnostics.reject();
      }
    }
  }

  Value unary(UnaryOp op, Value operand, Span span) {
    requireKnown(operand);
    boolean becomesReal = operand instanceof Real || operand instanceof Whole && !op.accepts(ElementType.I32);
    if (becomesReal && op.accepts(ElementType.F32)) {
      return new Real(type -> new Expr.Unary(op, as(operand, type)), span);
    }
    if (!op.accepts(operand.type())) {
      throw notFor(op.text(), op::accepts, operand, span);
    }
    Expr result = new Expr.Unary(op, alone(operand));
    return operand instanceof Whole whole ? new Whole(result, whole.rounds(), span) : new Typed(result, span);
  }

  Value select(Value condition, Value whenTrue, Value whenFalse, Span span) {
    Optional<Expr> known = diagnostics.attempt(() -> as(condition, ElementType.BOOL));
    requireKnown(whenTrue, whenFalse);
    Expr test = known.orElseThrow(diagnostics::reject);
    boolean isWhole = whenTrue instanceof Whole && whenFalse instanceof Whole;
    if (!isWhole && !(whenTrue instanceof Typed) && !(whenFalse instanceof Typed)) {
      return new Real(type -> new Expr.Select(test, as(whenTrue, type), as(whenFalse, type)), span);
    }
    ElementType type = common("`where`", whenTrue, whenFalse, span);
    Expr result = new Expr.Select(test, as(whenTrue, type), as(whenFalse, type));
    return isWhole ? new Whole(result, rounds(whenTrue) || rounds(whenFalse), span) : new Typed(result, span);
  }

  /// A cast of a literal is the literal of that type.
  Value cast(ElementType type, Value operand, Span span) {
    requireKnown(operand);
    boolean isLiteral = operand instanceof Whole(Expr.IntLiteral _, boolean _, Span _) && !type.isBool()
        || operand instanceof Real(var as, Span _) && type.isFloat()
            && as.apply(ElementType.F32) instanceof Expr.FloatLiteral;
    return new Typed(isLiteral ? as(operand, type) : new Expr.Cast(type, alone(operand)), span);
  }

  /// The bits of `operand` as another type of the same size.
  Value bitcast(ElementType type, Value operand, Span span) {
    requireKnown(operand);
    Expr expr = alone(operand);
    if (expr.type().bytes() != type.bytes() || expr.type().isBool() || type.isBool()) {
      throw diagnostics.reject(span, "`" + BITCAST + type + "` takes a number of " + type.bytes() + (type.bytes() == 1 ? " byte" : " bytes") + ", not " + article(expr.type()));
    }
    return new Typed(new Expr.Bitcast(type, expr), span);
  }

  Value reduce(Reduction reduction, List<Rank> ranks, Optional<Expr> filter, Value body, Span span) {
    requireKnown(body);
    if (!reduction.accepts(body.type())) {
      throw notFor(reduction.text(), reduction::accepts, body, span);
    }
    if (body instanceof Real && !reduction.isPosition()) {
      return new Real(type -> new Expr.Reduce(reduction, ranks, filtered(reduction, filter, as(body, type))), span);
    }
    Expr result = new Expr.Reduce(reduction, ranks, filtered(reduction, filter, alone(body)));
    return reduction.isPosition() || body instanceof Whole
        ? new Whole(result, rounds(body) && !reduction.isPosition(), span) : new Typed(result, span);
  }

  /// `body`, and where the filter does not hold what changes no result.
  private static Expr filtered(Reduction reduction, Optional<Expr> filter, Expr body) {
    Reduction neutral = switch (reduction) {
      case ARGMAX -> Reduction.MAX;
      case ARGMIN -> Reduction.MIN;
      case SUM, PROD, MAX, MIN, ANY, ALL -> reduction;
    };
    return filter.<Expr>map(holds -> new Expr.Select(holds, body, neutral.identity(body.type()))).orElse(body);
  }

  /// The value as an index: an `i32` or `i64`.
  Expr index(Value value) {
    requireKnown(value);
    ElementType type = value.type();
    if (value instanceof Real || !type.isInteger()) {
      String what = value instanceof Real ? "a real number" : article(type);
      throw diagnostics.reject(value.span(), "an index is a whole number, this is " + what);
    }
    Expr expr = alone(value);
    return type.bytes() < ElementType.I32.bytes() ? new Expr.Cast(ElementType.I32, expr) : expr;
  }
}
