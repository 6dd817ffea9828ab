package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Expr;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.IndexBounds;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Reads sizes and types: numbers, size names and arithmetic on them.
final class Sizes {
  private static final int MOST_TERMS = 64;
  private static final int MOST_DIMENSIONS = 32;

  private final Diagnostics diagnostics;
  private final Frame frame;

  Sizes(Diagnostics diagnostics, Frame frame) {
    this.diagnostics = diagnostics;
    this.frame = frame;
  }

  /// A size of 0 or more.
  Size size(Expr expr) {
    Size size = polynomial(expr);
    if (size.constant().filter(value -> value < 0 || value > Integer.MAX_VALUE).isPresent()) {
      throw tooLarge(expr.span(), size);
    }
    return size;
  }

  /// Where a range starts: any whole number.
  Size bound(Expr expr) {
    return polynomial(expr);
  }

  /// How many numbers there are in a range.
  Size length(Syntax.Subscript.Ranged range) {
    Size from = polynomial(range.from());
    Size to = polynomial(range.to());
    Size length = to.minus(from);
    if (IndexBounds.isNotNegative(Size.of(-1).minus(length))) {
      throw diagnostics.reject(range.span(), "this range ends at " + to + ", before it starts");
    }
    if (length.constant().filter(value -> value > Integer.MAX_VALUE).isPresent()) {
      throw tooLarge(range.to().span(), length);
    }
    return length;
  }

  private Diagnostics.Rejection tooLarge(Span span, Size size) {
    return diagnostics.reject(span, "a size is between 0 and " + Integer.MAX_VALUE + ", this is " + size);
  }

  /// The number that `expr` is.
  long number(Expr expr) {
    Size size = polynomial(expr);
    return size.constant().orElseThrow(() -> diagnostics.reject(expr.span(),
        "expected a number that is known here, not the size " + size));
  }

  private Size polynomial(Expr expr) {
    try {
      Size size = term(expr);
      if (size.terms().size() > MOST_TERMS) {
        throw diagnostics.reject(expr.span(), "this size has more than " + MOST_TERMS + " terms");
      }
      return size;
    } catch (ArithmeticException _) {
      throw diagnostics.reject(expr.span(), "this size is too large");
    }
  }

  private Size term(Expr expr) {
    return switch (expr) {
      case Expr.Whole whole -> Size.of(whole.value());
      case Expr.Reference(Syntax.Name name) -> frame.size(name.text()).orElseThrow(() -> unknown(name));
      case Expr.Prefix prefix when prefix.op() == dev.einfall.ir.UnaryOp.NEG ->
          Size.of(0).minus(polynomial(prefix.operand()));
      case Expr.Infix infix -> infix(infix, polynomial(infix.left()), polynomial(infix.right()));
      case Expr other -> throw diagnostics.reject(other.span(),
          "a size is made of numbers, size names, and + - * / between them");
    };
  }

  private Size infix(Expr.Infix infix, Size left, Size right) {
    return switch (infix.op()) {
      case ADD -> left.plus(right);
      case SUB -> left.minus(right);
      case MUL -> left.times(right);
      case DIV -> left.dividedBy(nonZero(right, infix.right().span()));
      case MOD -> left.minus(left.dividedBy(nonZero(right, infix.right().span())).times(right));
      default -> throw diagnostics.reject(infix.span(),
          "a size is made of numbers, size names, and + - * / between them");
    };
  }

  private Size nonZero(Size divisor, Span span) {
    if (divisor.terms().isEmpty()) {
      throw diagnostics.reject(span, "this size is divided by 0");
    }
    return divisor;
  }

  private Diagnostics.Rejection unknown(Syntax.Name name) {
    String known = frame.sizeNames().isEmpty() ? "no parameter of `" + frame.function().name().text() + "` has it"
        : "known here: " + String.join(", ", frame.sizeNames());
    String suggestion = Spelling.suggestion(name.text(), frame.sizeNames());
    return diagnostics.reject(name.span(), "no size is called `" + name.text() + "`"
        + (suggestion.isEmpty() ? " (" + known + ")" : suggestion));
  }

  ElementType element(Syntax.Name name) {
    List<String> known = Stream.of(ElementType.values()).map(ElementType::text).toList();
    return ElementType.named(name.text()).orElseThrow(() -> diagnostics.reject(name.span(), "no type is called `"
        + name.text() + "`" + Optional.of(Spelling.suggestion(name.text(), known)).filter(text -> !text.isEmpty())
            .orElse("; the types are " + String.join(", ", known))));
  }

  private List<Size> rest(Span span) {
    return frame.rest().orElseThrow(() -> diagnostics.reject(span,
        "`...` has no meaning here: no parameter of `" + frame.function().name().text() + "` has it"));
  }

  /// The sizes of a type or of a list of sizes, in which `...` stands for the function's leading sizes. Their product is
  /// a number.
  List<Size> shape(List<Optional<Expr>> dimensions, Span span) {
    List<Size> shape = diagnostics.each(dimensions, dimension -> dimension.map(expr -> List.of(size(expr)))
        .orElseGet(() -> rest(span))).stream().flatMap(List::stream).toList();
    if (shape.size() > MOST_DIMENSIONS) {
      throw diagnostics.reject(span, "a tensor has at most " + MOST_DIMENSIONS + " dimensions, not " + shape.size());
    }
    Views.product(shape);
    return shape;
  }
}
