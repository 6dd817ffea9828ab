package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Expr;
import dev.einfall.frontend.Syntax.Subscript;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Rank;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// Binds index variables, each to a rank of the range that it is annotated with or that follows from what it indexes.
final class Ranges {
  private final Diagnostics diagnostics;
  private final Frame frame;
  private final Sizes sizes;
  private final Evidence evidence;

  Ranges(Elaboration elaboration, Frame frame) {
    this.diagnostics = elaboration.diagnostics();
    this.frame = frame;
    this.sizes = new Sizes(diagnostics, frame);
    this.evidence = new Evidence(elaboration, frame);
  }

  /// Binds the indices of a left side, whose ranges follow from `body`.
  Bound bind(List<Subscript> indices, Expr body) {
    return bind(indices, List.of(body), Scope.EMPTY, Map.of());
  }

  /// Binds the indices of steps, which have their ranges.
  Bound bind(List<Syntax.Step> steps) {
    Bound bound = bind(steps.stream().<Subscript>map(step ->
        new Subscript.Ranged(step.name(), step.from(), step.to(), step.span())).toList(), List.of(), Scope.EMPTY, Map.of());
    bound.byData().stream().findFirst().ifPresent(range -> {
      throw diagnostics.reject(range.to().span(), "the number of steps is a size, and does not depend on data");
    });
    return bound;
  }

  /// Binds the indices of a reduction, whose ranges follow from its bodies and its condition.
  ///
  /// @param scope the indices that its bounds may use
  Bound bind(Expr.Reduction reduction, Scope scope) {
    List<Expr> bodies = new ArrayList<>(reduction.bodies());
    reduction.filter().ifPresent(bodies::add);
    return bind(reduction.indices(), bodies, scope, Map.of());
  }

  /// Binds indices whose ranges follow from `bodies`, unless they are `known`.
  Bound bind(List<Subscript> indices, List<Expr> bodies, Scope scope, Map<String, Size> known) {
    checkNames(indices);
    diagnostics.each(indices, index -> checkRange(index, scope));
    Bound bound = Bound.empty();
    for (Subscript index : indices) {
      bound = switch (index) {
        case Subscript.Index(Expr.Reference(Syntax.Name name)) -> whole(name, bodies, known, bound);
        case Subscript.Ranged ranged when dependsOnData(ranged, scope) -> {
          bound.byData().add(ranged);
          yield whole(ranged.name(), bodies, known, bound);
        }
        case Subscript.Ranged ranged -> {
          bound.add(new Rank(ranged.name().text(), sizes.length(ranged)), sizes.bound(ranged.from()));
          yield bound;
        }
        case Subscript.Rest(Span span) -> bound.withRest(rest(evidence.rest(span, bodies), indices));
        case Subscript other -> throw diagnostics.reject(other.span(),
            "expected an index variable here, such as `i` or `i in 0..3`");
      };
    }
    return bound;
  }

  /// Finds all wrong ranges.
  private Subscript checkRange(Subscript index, Scope scope) {
    if (index instanceof Subscript.Ranged ranged && !dependsOnData(ranged, scope)) {
      sizes.length(ranged);
    }
    return index;
  }

  /// An index over all of the dimensions at which it stands alone.
  private Bound whole(Syntax.Name name, List<Expr> bodies, Map<String, Size> known, Bound bound) {
    Optional<Size> size =
        known.containsKey(name.text()) ? Optional.of(known.get(name.text())) : range(name, bodies);
    bound.add(new Rank(name.text(), size.orElse(Size.named(name.text()))), Size.of(0));
    return size.isPresent() ? bound : bound.withUnknown(name);
  }

  /// The range that follows from `bodies`. Where one of them is wrong, no range is no further error.
  private Optional<Size> range(Syntax.Name name, List<Expr> bodies) {
    int before = diagnostics.reports();
    Optional<Size> size = evidence.range(name, bodies);
    if (size.isEmpty() && diagnostics.reports() > before) {
      throw diagnostics.reject();
    }
    return size;
  }

  boolean dependsOnData(Subscript.Ranged ranged, Scope scope) {
    return dependsOnData(ranged.from(), scope) || dependsOnData(ranged.to(), scope);
  }

  /// Whether a bound is no size: an index, an element of a tensor, or computed with one.
  private boolean dependsOnData(Expr bound, Scope scope) {
    return switch (bound) {
      case Expr.Access _, Expr.Reduction _ -> true;
      case Expr.Reference(Syntax.Name name) -> scope.find(name.text()).isPresent()
          || frame.own(name.text()).isEmpty() && frame.tensor(name.text()).isPresent();
      case Expr.Prefix prefix -> dependsOnData(prefix.operand(), scope);
      case Expr.Infix infix -> dependsOnData(infix.left(), scope) || dependsOnData(infix.right(), scope);
      case Expr.Call call -> call.arguments().stream().anyMatch(argument -> dependsOnData(argument, scope));
      case Expr.Whole _, Expr.Real _, Expr.Truth _, Expr.Sequence _ -> false;
    };
  }

  /// Refuses indices of unknown range. Called when the expression that they stand in has no other error.
  void requireKnown(Bound bound) {
    bound.unknown().ifPresent(name -> {
      throw unknown(name);
    });
  }

  /// As [#requireKnown(Bound)] for the indices of `left`, which stand alone there or not.
  void requireKnown(Bound bound, List<Subscript> left) {
    bound.unknown().filter(name -> left.stream().noneMatch(index -> name(index).equals(Optional.of(name))))
        .ifPresent(name -> {
          throw diagnostics.reject(name.span(), "the range of `" + name.text() + "` is not known: it stands alone at no "
              + "dimension of a tensor; write it behind the statement: `for " + name.text() + " in 0..N`");
        });
    requireKnown(bound);
  }

  private Diagnostics.Rejection unknown(Syntax.Name name) {
    return diagnostics.reject(name.span(), "the range of `" + name.text()
        + "` is not known: it stands alone at no dimension of a tensor; write it: `" + name.text() + " in 0..N`");
  }

  private void checkNames(List<Subscript> indices) {
    Map<String, Span> places = new LinkedHashMap<>();
    diagnostics.each(indices, index -> {
      if (index instanceof Subscript.Rest && places.putIfAbsent("...", index.span()) != null) {
        throw diagnostics.reject(index.span(), "`...` stands once in an index");
      }
      name(index).ifPresent(name -> checkName(name, places));
      return index;
    });
  }

  private void checkName(Syntax.Name name, Map<String, Span> places) {
    Span first = places.putIfAbsent(name.text(), name.span());
    if (first != null) {
      throw diagnostics.reject(name.span(), "`" + name.text() + "` is bound twice here",
          new Diagnostic.Note(first, "here it is bound first"));
    }
    frame.own(name.text()).ifPresent(_ -> {
      throw diagnostics.reject(name.span(), "`" + name.text() + "` is the "
          + (frame.constant(name.text()).isPresent() ? "number of a loop or a constant" : "name of a size")
          + " here; an index variable needs another name");
    });
  }

  /// The names that `indices` bind or would bind if they were right, and `...`.
  static Set<String> names(List<Subscript> indices) {
    Set<String> names = new LinkedHashSet<>();
    for (Subscript index : indices) {
      switch (index) {
        case Subscript.Index(Expr value) -> FreeIndices.names(value).forEach(name -> names.add(name.text()));
        case Subscript.Ranged ranged -> names.add(ranged.name().text());
        case Subscript.Rest _ -> names.add("...");
        case Subscript _ -> { }
      }
    }
    return names;
  }

  /// The name that a subscript binds, if it is a binder.
  static Optional<Syntax.Name> name(Subscript index) {
    return switch (index) {
      case Subscript.Index(Expr.Reference(Syntax.Name name)) -> Optional.of(name);
      case Subscript.Ranged ranged -> Optional.of(ranged.name());
      case Subscript _ -> Optional.empty();
    };
  }

  /// The rank of an index that stands on the right only, in a product.
  Rank implicit(Syntax.Name name, Expr body) {
    return new Rank(name.text(), range(name, List.of(body)).orElseThrow(() -> unknown(name)));
  }

  private List<Rank> rest(List<Size> sizes, List<Subscript> indices) {
    Set<String> taken = indices.stream().flatMap(index -> name(index).stream()).map(Syntax.Name::text)
        .collect(Collectors.toCollection(LinkedHashSet::new));
    return sizes.stream().map(size -> new Rank(freshName(size, taken), size)).toList();
  }

  /// The rank of size `N` is called `n`.
  private static String freshName(Size size, Set<String> taken) {
    String text = size.toString();
    String base = text.matches("[A-Za-z_]\\w*") ? text.toLowerCase(Locale.ROOT) : "i";
    String name = base;
    for (int i = 1; !taken.add(name); i++) {
      name = base + "_" + i;
    }
    return name;
  }
}
