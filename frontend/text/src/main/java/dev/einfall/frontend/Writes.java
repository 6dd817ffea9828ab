package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Subscript;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Combination;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Reads statements that write some elements of a tensor: `H[t + 1, d] = value`, or with a reduction that combines all
/// values that land on an element, `Y[ids[t], d] = sum[t](X[t, d])`.
final class Writes {
  private final Elaboration elaboration;
  private final Diagnostics diagnostics;
  private final Frame frame;
  private final Ranges ranges;
  private final Scalars scalars;
  private final Definitions definitions;

  Writes(Elaboration elaboration, Frame frame) {
    this.elaboration = elaboration;
    this.diagnostics = elaboration.diagnostics();
    this.frame = frame;
    this.ranges = new Ranges(elaboration, frame);
    this.scalars = new Scalars(elaboration, frame);
    this.definitions = new Definitions(elaboration, frame);
  }

  /// A statement that writes elements.
  ///
  /// @param behind the ranges behind the statement
  record Write(Syntax.Target target, Syntax.Expr value, List<Syntax.Step> behind, Optional<Syntax.Expr> where,
      dev.einfall.ir.Span span) {
    static Write of(Syntax.Statement.Definition definition) {
      return new Write(definition.target(), definition.value(), definition.ranges(), definition.where(), definition.span());
    }
  }

  /// The update of `tensor`. Its name in the frame stands for a tensor of the same shape.
  ///
  /// @param steps the indices that the steps bind
  /// @param known the ranges of indices that follow from other statements
  Recurrence.Update read(Write write, Tensor tensor, Scope steps, Map<String, Size> known) {
    Optional<Syntax.Expr.Reduction> scatter = scatter(write, steps);
    Syntax.Expr.Access place = place(write.target());
    Bound bound = ranges.bind(binders(write, scatter, steps), evidence(write, scatter), steps, known);
    Scope scope = steps.inner(bound.named(), bound.rest());
    Optional<Expr> where = write.where().map(expr -> scalars.arithmetic().as(scalars.value(expr, scope), ElementType.BOOL));
    Scope guarded = where.isPresent() ? scope.guard() : scope;
    Optional<List<Expr>> indices = diagnostics.attempt(() -> scalars.place(place, guarded));
    Recurrence.Update update = scatter.isPresent()
        ? combine(write, scatter.get(), tensor, bound, indices, where, steps, guarded)
        : new Recurrence.Update(tensor, bound.order(), indices.orElseThrow(diagnostics::reject), Optional.empty(),
            scalars.arithmetic().as(definitions.right(write.value(), guarded), tensor.type()), where, write.span());
    ranges.requireKnown(bound, write.target().indices());
    return update;
  }

  /// The expressions from which the ranges of the indices follow.
  private static List<Syntax.Expr> evidence(Write write, Optional<Syntax.Expr.Reduction> scatter) {
    List<Syntax.Expr> evidence = new ArrayList<>(List.of(place(write.target())));
    write.where().ifPresent(evidence::add);
    scatter.ifPresentOrElse(reduction -> {
      reduction.filter().ifPresent(evidence::add);
      evidence.addAll(reduction.bodies());
    }, () -> evidence.add(write.value()));
    return evidence;
  }

  List<Syntax.Expr> evidence(Syntax.Statement.Definition definition) {
    return evidence(Write.of(definition), scatter(Write.of(definition), Scope.EMPTY));
  }

  List<Subscript> binders(Syntax.Statement.Definition definition) {
    return binders(Write.of(definition), scatter(Write.of(definition), Scope.EMPTY), Scope.EMPTY);
  }

  private Recurrence.Update combine(Write write, Syntax.Expr.Reduction reduction, Tensor tensor, Bound bound,
      Optional<List<Expr>> indices, Optional<Expr> where, Scope steps, Scope scope) {
    Reductions reductions = new Reductions(elaboration, frame, scalars);
    Combination combination = reductions.combination(reduction, tensor.type());
    Optional<Expr> filter = reductions.filter(reduction, bound, steps, scope);
    Value body = scalars.value(reduction.bodies().getFirst(), filter.isPresent() ? scope.guard() : scope);
    Expr value = scalars.arithmetic().as(body, tensor.type());
    Expr identity = identity(combination, tensor.type());
    List<Expr> places = indices.orElseThrow(diagnostics::reject).stream().map(index -> filter.<Expr>map(holds -> index instanceof Expr.Coordinate
        ? index : new Expr.Select(holds, index, Expr.literal(index.type(), 0))).orElse(index)).toList();
    return new Recurrence.Update(tensor, bound.order(), places, Optional.of(combination),
        filter.<Expr>map(holds -> new Expr.Select(holds, value, identity)).orElse(value), where, write.span());
  }

  static Expr identity(Combination combination, ElementType type) {
    return switch (combination) {
      case dev.einfall.ir.cascade.Reduction reduction -> reduction.identity(type);
      case dev.einfall.ir.cascade.Combiner combiner -> combiner.identity().getFirst();
    };
  }

  /// The reduction that combines what lands on an element: one over indices in the places on the left.
  Optional<Syntax.Expr.Reduction> scatter(Write write, Scope steps) {
    if (!(write.value() instanceof Syntax.Expr.Reduction reduction)) {
      return Optional.empty();
    }
    List<Subscript> places = write.target().indices().stream()
        .filter(index -> Ranges.name(index).isEmpty() && !(index instanceof Subscript.Rest)).toList();
    List<String> names = FreeIndices.ofIndices(places, name -> isValue(name, steps)).stream()
        .map(Syntax.Name::text).toList();
    boolean lands = reduction.indices().stream().flatMap(index -> Ranges.name(index).stream())
        .anyMatch(name -> names.contains(name.text()));
    return lands ? Optional.of(reduction) : Optional.empty();
  }

  /// The element on the left, as it would stand on the right.
  static Syntax.Expr.Access place(Syntax.Target target) {
    List<Subscript> indices = target.indices().stream().<Subscript>map(index -> switch (index) {
      case Subscript.Ranged ranged -> new Subscript.Index(new Syntax.Expr.Reference(ranged.name()));
      case Subscript.Placed placed -> new Subscript.Index(placed.value());
      case Subscript other -> other;
    }).toList();
    return new Syntax.Expr.Access(target.name(), indices, Optional.empty(), target.span());
  }

  /// What the left side and the reduction bind: first the indices on the left, in the order in which they stand there.
  private List<Subscript> binders(Write write, Optional<Syntax.Expr.Reduction> scatter, Scope steps) {
    List<Subscript> binders = new ArrayList<>();
    for (Subscript index : write.target().indices()) {
      if (index instanceof Subscript.Rest) {
        binders.add(index);
      }
      if (index instanceof Subscript.Ranged ranged && !isRanged(binders, ranged)) {
        put(index, binders);
        continue;
      }
      FreeIndices.ofIndices(List.of(index), name -> isValue(name, steps) || binds(binders, name))
          .forEach(name -> binders.add(index instanceof Subscript.Ranged ? index
              : new Subscript.Index(new Syntax.Expr.Reference(name))));
    }
    scatter.ifPresent(reduction -> reduction.indices().forEach(index -> put(index, binders)));
    write.behind().forEach(range -> {
      checkIsUsed(range, binders);
      put(new Subscript.Ranged(range.name(), range.from(), range.to(), range.span()), binders);
    });
    return binders;
  }

  private boolean isValue(String name, Scope steps) {
    return steps.find(name).isPresent() || steps.isUnknown(name) || new LeftSides(frame).isValue(name);
  }

  private void checkIsUsed(Syntax.Step range, List<Subscript> binders) {
    if (!binds(binders, range.name().text())) {
      throw diagnostics.reject(range.name().span(), "`" + range.name().text() + "` is no index on the left side");
    }
  }

  private static boolean binds(List<Subscript> binders, String name) {
    return binders.stream().flatMap(index -> Ranges.name(index).stream()).anyMatch(bound -> bound.text().equals(name));
  }

  private static boolean isRanged(List<Subscript> binders, Subscript.Ranged index) {
    return binders.stream().anyMatch(other -> other instanceof Subscript.Ranged ranged
        && ranged.name().text().equals(index.name().text()));
  }

  /// Adds a binder, or the range that it has to the binder of its name.
  private static void put(Subscript index, List<Subscript> binders) {
    Optional<Syntax.Name> name = Ranges.name(index);
    if (name.isEmpty() || !binds(binders, name.get().text())) {
      binders.add(index);
    } else if (index instanceof Subscript.Ranged) {
      binders.replaceAll(other -> Ranges.name(other).filter(bound -> bound.text().equals(name.get().text())).isPresent()
          ? index : other);
    }
  }
}
