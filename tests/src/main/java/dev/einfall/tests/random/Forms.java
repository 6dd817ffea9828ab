package dev.einfall.tests.random;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Combiner;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// The forms of the language that a report counts programs by.
final class Forms {
  private static final Map<String, Predicate<Cascade>> ALL = all();

  private Forms() {}

  private static Map<String, Predicate<Cascade>> all() {
    Map<String, Predicate<Cascade>> forms = new LinkedHashMap<>();
    forms.put("reduction", ofExpr(Expr.Reduce.class::isInstance));
    forms.put("reduction in reduction", ofExpr(node -> !node.bound().isEmpty()
        && node.children().flatMap(Expr::nodes).anyMatch(inner -> !inner.bound().isEmpty())));
    forms.put("argmax or argmin", ofExpr(node -> node instanceof Expr.Reduce reduce && reduce.reduction().isPosition()));
    forms.put("filtered reduction", ofExpr(node -> node instanceof Expr.Reduce reduce && reduce.body() instanceof Expr.Select));
    forms.put("fold", ofExpr(Expr.Fold.class::isInstance));
    forms.put("fold of tuples", ofExpr(node -> node instanceof Expr.Fold fold && fold.bodies().size() > 1));
    forms.put("ordered fold", ofExpr(node -> node instanceof Expr.Fold fold && !fold.combiner().associative()));
    forms.put("access with or", ofExpr(node -> node instanceof Expr.Access access && access.outside().isPresent()));
    forms.put("gather", ofExpr(node -> node instanceof Expr.Access access && access.indices().stream().anyMatch(Forms::readsData)));
    forms.put("bit operation", ofExpr(Forms::isBitOperation));
    for (ElementType type : ElementType.values()) {
      forms.put(type.text(), cascade -> defined(cascade).anyMatch(tensor -> tensor.type() == type));
    }
    forms.put("recurrence", of(recurrence -> recurrence.steps().size() == 1));
    forms.put("recurrence over 2 ranks", of(recurrence -> recurrence.steps().size() == 2));
    forms.put("while", of(recurrence -> recurrence.condition().isPresent()));
    forms.put("several states", of(recurrence -> recurrence.states().size() > 1));
    forms.put("change without steps", of(recurrence -> recurrence.steps().isEmpty()));
    forms.put("scatter", ofUpdate(update -> update.indices().stream().anyMatch(Forms::readsData)));
    forms.put("scatter with reduction", ofUpdate(update -> update.combination().orElse(null) instanceof Reduction));
    forms.put("scatter with combiner", ofUpdate(update -> update.combination().orElse(null) instanceof Combiner));
    forms.put("base that is read too", Forms::readsBase);
    return forms;
  }

  /// The names of the forms that `cascade` has.
  static List<String> of(Cascade cascade) {
    return ALL.entrySet().stream().filter(form -> form.getValue().test(cascade)).map(Map.Entry::getKey).toList();
  }

  static List<String> names() {
    return List.copyOf(ALL.keySet());
  }

  private static Predicate<Cascade> ofExpr(Predicate<Expr> holds) {
    return cascade -> cascade.definitions().stream().flatMap(Definition::exprs).flatMap(Expr::nodes).anyMatch(holds);
  }

  private static Predicate<Cascade> of(Predicate<Recurrence> holds) {
    return cascade -> recurrences(cascade).anyMatch(holds);
  }

  private static Predicate<Cascade> ofUpdate(Predicate<Recurrence.Update> holds) {
    return cascade -> recurrences(cascade).flatMap(recurrence -> recurrence.updates().stream()).anyMatch(holds);
  }

  private static Stream<Recurrence> recurrences(Cascade cascade) {
    return cascade.definitions().stream()
        .flatMap(definition -> definition instanceof Recurrence recurrence ? Stream.of(recurrence) : Stream.empty());
  }

  private static Stream<Tensor> defined(Cascade cascade) {
    return cascade.definitions().stream().flatMap(definition -> definition.tensors().stream());
  }

  private static boolean readsData(Expr index) {
    return index.nodes().anyMatch(Expr.Access.class::isInstance);
  }

  private static boolean isBitOperation(Expr node) {
    return switch (node) {
      case Expr.Unary unary -> unary.op() == UnaryOp.POPCOUNT;
      case Expr.Binary binary -> binary.type().isInteger() && List.of(
          BinaryOp.AND, BinaryOp.OR, BinaryOp.XOR, BinaryOp.SHL, BinaryOp.SHR).contains(binary.op());
      case Expr _ -> false;
    };
  }

  private static boolean readsBase(Cascade cascade) {
    List<Tensor> bases = recurrences(cascade).flatMap(recurrence -> recurrence.states().stream())
        .flatMap(state -> state.base().stream()).toList();
    return ofExpr(node -> node instanceof Expr.Access access && bases.contains(access.tensor())).test(cascade);
  }
}
