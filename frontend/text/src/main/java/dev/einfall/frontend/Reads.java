package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Expr;
import dev.einfall.frontend.Syntax.Statement;
import dev.einfall.frontend.Syntax.Subscript;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What a definition reads: the accesses and the names in it, wherever they stand.
final class Reads {
  private final List<Expr.Access> accesses = new ArrayList<>();
  private final Set<String> names = new LinkedHashSet<>();

  private Reads() {}

  static Reads of(Statement.Definition definition) {
    Reads reads = new Reads();
    definition.indices().forEach(reads::visit);
    reads.visit(definition.value());
    definition.where().ifPresent(reads::visit);
    definition.condition().ifPresent(reads::visit);
    return reads;
  }

  List<Expr.Access> accesses() {
    return accesses;
  }

  /// The tensors and indices named.
  Set<String> names() {
    return names;
  }

  /// Where a definition reads the elements that it writes, as far as their text says.
  Optional<Expr.Access> itself(Statement.Definition definition, LeftSides leftSides) {
    String place = leftSides.place(definition.target());
    return accesses.stream().filter(access ->
        place.equals(leftSides.place(new Syntax.Target(access.name(), access.subscripts(), access.span())))).findFirst();
  }

  private void visit(Expr expr) {
    switch (expr) {
      case Expr.Whole _, Expr.Real _, Expr.Truth _ -> { }
      case Expr.Reference(Syntax.Name name) -> names.add(name.text());
      case Expr.Access access -> {
        accesses.add(access);
        names.add(access.name().text());
        access.subscripts().forEach(this::visit);
        access.outside().ifPresent(this::visit);
      }
      case Expr.Reduction reduction -> {
        reduction.indices().forEach(this::visit);
        reduction.filter().ifPresent(this::visit);
        reduction.bodies().forEach(this::visit);
      }
      case Expr.Call call -> call.arguments().forEach(this::visit);
      case Expr.Sequence sequence -> sequence.elements().forEach(this::visit);
      case Expr.Prefix prefix -> visit(prefix.operand());
      case Expr.Infix infix -> {
        visit(infix.left());
        visit(infix.right());
      }
    }
  }

  private void visit(Subscript subscript) {
    switch (subscript) {
      case Subscript.Rest _, Subscript.All _ -> { }
      case Subscript.Ranged ranged -> {
        visit(ranged.from());
        visit(ranged.to());
      }
      case Subscript.Placed placed -> visit(placed.value());
      case Subscript.Slice slice -> {
        visit(slice.from());
        visit(slice.to());
      }
      case Subscript.Index(Expr value) -> visit(value);
    }
  }
}
