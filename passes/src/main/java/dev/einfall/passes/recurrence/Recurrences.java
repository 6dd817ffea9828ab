package dev.einfall.passes.recurrence;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Questions about recurrences, and their parts.
final class Recurrences {
  private Recurrences() {}

  static Stream<Expr.Access> accesses(Expr expr) {
    return Exprs.accesses(expr);
  }

  /// The number of steps.
  static long steps(Recurrence recurrence) {
    return Exprs.volume(recurrence.steps());
  }

  static boolean isOutput(Tensor tensor, Cascade cascade) {
    return cascade.outputs().stream().anyMatch(output -> output.tensor() == tensor);
  }

  /// Whether something else than `recurrence` needs its state `tensor`.
  static boolean isReadAfter(Tensor tensor, Recurrence recurrence, Cascade cascade) {
    return isOutput(tensor, cascade) || cascade.definitions().stream()
        .anyMatch(definition -> definition != recurrence && definition.reads().anyMatch(read -> read == tensor));
  }

  /// Whether a nest, a group or a layout is given for a state: then it stays as it is.
  static boolean isMapped(Recurrence recurrence, Mapping mapping) {
    return recurrence.tensors().stream().anyMatch(mapping::speaksOf);
  }

  static Recurrence.Update update(Tensor tensor, List<Rank> ranks, List<Expr> indices, Expr value, Span span) {
    return new Recurrence.Update(tensor, ranks, indices, Optional.empty(), value, Optional.empty(), span);
  }

  static Recurrence.State zeros(Tensor tensor) {
    return new Recurrence.State(tensor, new Recurrence.Start.Fill(Expr.literal(tensor.type(), 0)));
  }

  /// `list` without the element at `position`.
  static <T> List<T> without(int position, List<T> list) {
    List<T> rest = new ArrayList<>(list);
    rest.remove(position);
    return rest;
  }

  /// `list` with `element` at `position`.
  static <T> List<T> with(T element, int position, List<T> list) {
    List<T> longer = new ArrayList<>(list);
    longer.add(position, element);
    return longer;
  }

  /// `list` with `element` in place of the one at `position`.
  static <T> List<T> replaced(T element, int position, List<T> list) {
    List<T> other = new ArrayList<>(list);
    other.set(position, element);
    return other;
  }

  /// Whether `expr` is a number that is written out.
  static boolean isLiteral(Expr expr) {
    return expr instanceof Expr.FloatLiteral || expr instanceof Expr.IntLiteral;
  }

  /// An integer of type `i32`.
  static Expr narrow(Expr index) {
    return index.type() == ElementType.I32 ? index : new Expr.Cast(ElementType.I32, index);
  }

  /// The definitions with `old` replaced by `fresh`.
  static List<Definition> replaced(Definition old, List<? extends Definition> fresh, List<Definition> definitions) {
    List<Definition> result = new ArrayList<>();
    for (Definition definition : definitions) {
      if (definition == old) {
        result.addAll(fresh);
      } else {
        result.add(definition);
      }
    }
    return result;
  }
}
