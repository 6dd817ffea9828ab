package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Expr;
import dev.einfall.frontend.Syntax.Subscript;
import dev.einfall.ir.Span;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// What stands on the left of definitions: indices that run over a whole dimension, or elements.
final class LeftSides {
  private final Frame frame;

  LeftSides(Frame frame) {
    this.frame = frame;
  }

  /// Whether a left side writes some elements only: an index of it is not a new name alone, or stands twice.
  boolean isPartial(Syntax.Target target) {
    Set<String> names = new HashSet<>();
    return target.indices().stream().anyMatch(index -> switch (index) {
      case Subscript.Rest _, Subscript.All _, Subscript.Slice _ -> false;
      case Subscript.Placed _ -> true;
      case Subscript.Ranged ranged -> !startsAtZero(ranged) || !names.add(ranged.name().text());
      case Subscript.Index(Expr.Reference(Syntax.Name name)) -> isValue(name.text()) || !names.add(name.text());
      case Subscript.Index _ -> true;
    });
  }

  static boolean startsAtZero(Subscript.Ranged ranged) {
    return ranged.from() instanceof Expr.Whole from && from.value() == 0;
  }

  /// Whether `index` is a name alone that runs over its dimension.
  boolean isBare(Subscript index) {
    return switch (index) {
      case Subscript.Index(Expr.Reference(Syntax.Name name)) -> !isValue(name.text());
      case Subscript.Ranged ranged -> startsAtZero(ranged);
      case Subscript _ -> false;
    };
  }

  /// The names that an index binds.
  Collection<Syntax.Name> names(Subscript index) {
    return FreeIndices.ofIndices(List.of(index), this::isValue);
  }

  /// Whether a name in an index on the left has a value: a size, or a whole number in a tensor without dimensions.
  boolean isValue(String name) {
    return frame.known(name).isPresent() || frame.tensor(name).filter(tensor -> tensor.isPresent()
        && tensor.get().shape().isEmpty() && tensor.get().type().isInteger()).isPresent();
  }

  /// An index as text, for comparison: all that run over a whole dimension are the same.
  String text(Subscript index) {
    return isBare(index) ? "*" : index instanceof Subscript.Placed placed ? text(placed.value().span()) : text(index.span());
  }

  /// An index as it is written, without a range.
  static String written(Subscript index) {
    Span span = switch (index) {
      case Subscript.Ranged ranged -> ranged.name().span();
      case Subscript.Placed placed -> placed.value().span();
      case Subscript other -> other.span();
    };
    return span.source().text().substring(span.start(), span.end());
  }

  private static String text(Span span) {
    return span.source().text().substring(span.start(), span.end()).replaceAll("\\s", "");
  }

  /// Which elements a left side writes, as text.
  String place(Syntax.Target target) {
    return target.name().text() + target.indices().stream().map(this::text).toList();
  }
}
