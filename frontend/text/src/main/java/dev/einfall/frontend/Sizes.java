package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Expr;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.IndexBounds;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Reads sizes and types: numbers, size names and arithmetic on them.
final class Sizes {
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
    Size bound = polynomial(expr);
    if (bound.constant().filter(value -> value != value.intValue()).isPresent()) {
      throw diagnostics.reject(expr.span(), "an index is an i32, this is " + bound);
    }
    return bound;
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
    return requireNumbers(length, range.to().span());
  }

  private Diagnostics.Rejection tooLarge(Span span, Size size) {
    return diagnostics.reject(span, "a size is between 0 and " + Integer.MAX_VALUE + ", this is " + size);
  }

  /// The number that `expr` is.
  long number(Expr expr) {
    Statics statics = statics(Statics.Purpose.SIZE);
    return statics.number(statics.whole(expr), expr.span());
  }

  /// The value of `expr`, which is known when the program is read.
  Static value(Expr expr, Statics.Purpose purpose) {
    return statics(purpose).value(expr);
  }

  /// Whether `condition` holds.
  boolean truth(Expr condition) {
    return statics(Statics.Purpose.CONDITION).truth(condition);
  }

  private Size polynomial(Expr expr) {
    Size size = statics(Statics.Purpose.SIZE).whole(expr);
    return requireNumbers(size, expr.span());
  }

  private Size requireNumbers(Size size, Span span) {
    boolean isLarge = size.constant().isEmpty() && size.terms().values().stream().anyMatch(factor -> factor != factor.intValue());
    if (isLarge) {
      throw diagnostics.reject(span, "the numbers in a size are at most " + Integer.MAX_VALUE + ", this is " + size);
    }
    return size;
  }

  private Statics statics(Statics.Purpose purpose) {
    return new Statics(diagnostics, purpose, name -> frame.known(name.text()).orElseThrow(() -> unknown(name, purpose)));
  }

  private Diagnostics.Rejection unknown(Syntax.Name name, Statics.Purpose purpose) {
    if (frame.file().constant(name.text()).filter(Optional::isEmpty).isPresent()) {
      return diagnostics.reject();
    }
    List<FileScope> files = frame.file().filesWithConstant(name.text());
    if (files.size() > 1) {
      return Constants.ambiguous(diagnostics, name, files);
    }
    if (purpose != Statics.Purpose.SIZE && frame.tensor(name.text()).isPresent()) {
      return diagnostics.reject(name.span(), "`" + name.text() + "` is a tensor, and " + purpose.refusal());
    }
    String known = frame.sizeNames().isEmpty() ? "no parameter of `" + frame.function().name().text() + "` has it"
        : "known here: " + String.join(", ", frame.sizeNames());
    List<String> names = new ArrayList<>(frame.sizeNames());
    names.addAll(frame.file().constantNames());
    String suggestion = Spelling.suggestion(name.text(), names);
    return diagnostics.reject(name.span(), "no size is called `" + name.text() + "`"
        + (suggestion.isEmpty() ? " (" + known + ")" : suggestion));
  }

  /// The element type that `type` names; formats are none.
  ElementType element(Syntax.Type type) {
    boolean isFormat = frame.element(type.element().text()).isEmpty() && frame.file().formatNames().contains(type.element().text());
    if (isFormat) {
      throw diagnostics.reject(type.span(), "`" + type.element().text() + "` is a format, which weights are stored in; they are f32 when they are read");
    }
    ElementType element = element(type.element());
    type.arguments().stream().findFirst().ifPresent(argument -> {
      throw diagnostics.reject(argument.name().span(), "`" + type.element().text() + "` takes nothing: it is no format");
    });
    return element;
  }

  ElementType element(Syntax.Name name) {
    List<String> known = Stream.of(Stream.of(ElementType.values()).map(ElementType::text), frame.typeNames().stream(), frame.file().formatNames().stream())
        .flatMap(names -> names).toList();
    return frame.element(name.text()).orElseThrow(() -> diagnostics.reject(name.span(), "no type is called `"
        + name.text() + "`" + Stream.of(OtherWords.type(name.text()), Spelling.suggestion(name.text(), known))
            .filter(text -> !text.isEmpty()).findFirst().orElse("; the types are " + String.join(", ", known))));
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
