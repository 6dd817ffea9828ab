package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Expr;
import dev.einfall.frontend.Syntax.Subscript;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/// Finds the index variables that nothing binds: names in the indices of accesses.
final class FreeIndices {
  private final Predicate<String> known;
  private final Map<String, Syntax.Name> free = new LinkedHashMap<>();

  private FreeIndices(Predicate<String> known) {
    this.known = known;
  }

  /// The first place of each name in `expr` that is neither bound in it nor `known`, in order.
  static Collection<Syntax.Name> of(Expr expr, Predicate<String> known) {
    FreeIndices indices = new FreeIndices(known);
    indices.visit(expr, false, List.of());
    return indices.free.values();
  }

  /// The names in `expr` that nothing in it binds, taken as an index.
  static Collection<Syntax.Name> names(Expr expr) {
    FreeIndices indices = new FreeIndices(_ -> false);
    indices.visit(expr, true, List.of());
    return indices.free.values();
  }

  /// The first place of each name in an index of `subscripts` that is not `known`, in order.
  static Collection<Syntax.Name> ofIndices(List<Subscript> subscripts, Predicate<String> known) {
    FreeIndices indices = new FreeIndices(known);
    for (Subscript subscript : subscripts) {
      switch (subscript) {
        case Subscript.Ranged(Syntax.Name name, Expr _, Expr _, var _) -> indices.free.putIfAbsent(name.text(), name);
        case Subscript.Placed placed -> indices.visit(placed.value(), true, List.of());
        case Subscript other -> indices.visit(other, true, List.of());
      }
    }
    return indices.free.values();
  }

  private void visit(Expr expr, boolean isIndex, List<String> bound) {
    switch (expr) {
      case Expr.Whole _, Expr.Real _, Expr.Truth _, Expr.Sequence _ -> { }
      case Expr.Reference(Syntax.Name name) -> {
        if (isIndex && !bound.contains(name.text()) && !known.test(name.text())) {
          free.putIfAbsent(name.text(), name);
        }
      }
      case Expr.Access access -> {
        access.subscripts().forEach(subscript -> visit(subscript, true, bound));
        access.outside().ifPresent(value -> visit(value, isIndex, bound));
      }
      case Expr.Reduction reduction -> {
        reduction.indices().forEach(index -> visitBounds(index, bound));
        List<String> inner = with(bound, reduction.indices());
        reduction.filter().ifPresent(condition -> visit(condition, isIndex, inner));
        reduction.bodies().forEach(body -> visit(body, isIndex, inner));
      }
      case Expr.Call call when UnknownFunctions.isReduction(call) -> { }
      case Expr.Call call -> call.arguments().forEach(argument -> visit(argument, isIndex, bound));
      case Expr.Prefix prefix -> visit(prefix.operand(), isIndex, bound);
      case Expr.Infix infix -> {
        visit(infix.left(), isIndex, bound);
        visit(infix.right(), isIndex, bound);
      }
    }
  }

  private void visit(Subscript subscript, boolean isIndex, List<String> bound) {
    if (subscript instanceof Subscript.Index(Expr value)) {
      visit(value, isIndex, bound);
    }
  }

  private void visitBounds(Subscript index, List<String> bound) {
    if (index instanceof Subscript.Ranged ranged) {
      visit(ranged.from(), false, bound);
      visit(ranged.to(), false, bound);
    }
  }

  private static List<String> with(List<String> bound, List<Subscript> indices) {
    List<String> names = new ArrayList<>(bound);
    for (Subscript index : indices) {
      switch (index) {
        case Subscript.Index(Expr.Reference(Syntax.Name name)) -> names.add(name.text());
        case Subscript.Ranged ranged -> names.add(ranged.name().text());
        case Subscript _ -> { }
      }
    }
    return names;
  }
}
