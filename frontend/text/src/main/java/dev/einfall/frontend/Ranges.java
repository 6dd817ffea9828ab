package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Expr;
import dev.einfall.frontend.Syntax.Subscript;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// Finds the range of each index variable: what it is annotated with, or else the size of the dimensions that it
/// stands at alone. Accesses with `or` count where there is no other.
final class Ranges {

  /// A dimension that gives a range.
  private record Evidence(Size size, String where, Span span) {}

  private final Elaboration elaboration;
  private final Diagnostics diagnostics;
  private final Frame frame;
  private final Accesses accesses;

  Ranges(Elaboration elaboration, Frame frame) {
    this.elaboration = elaboration;
    this.diagnostics = elaboration.diagnostics();
    this.frame = frame;
    this.accesses = new Accesses(diagnostics, frame);
  }

  /// What `indices` bind: the ranks in order, each by its name, and those of `...`.
  ///
  /// @param unknown the first name whose range is not known
  record Bound(List<Rank> order, Map<String, Rank> named, Optional<List<Rank>> rest, Optional<Syntax.Name> unknown) {}

  /// Binds the indices of a left side or of a reduction, whose ranges follow from `body`.
  Bound bind(List<Subscript> indices, Expr body) {
    checkNames(indices);
    List<Rank> order = new ArrayList<>();
    Map<String, Rank> named = new LinkedHashMap<>();
    Optional<List<Rank>> rest = Optional.empty();
    Optional<Syntax.Name> unknown = Optional.empty();
    for (Subscript index : indices) {
      switch (index) {
        case Subscript.Index(Expr.Reference(Syntax.Name name)) -> {
          Optional<Size> size = inferred(name, body);
          unknown = unknown.or(() -> size.isEmpty() ? Optional.of(name) : Optional.empty());
          add(new Rank(name.text(), size.orElse(Size.named(name.text()))), order, named);
        }
        case Subscript.Ranged ranged -> add(new Rank(ranged.name().text(), annotated(ranged)), order, named);
        case Subscript.Rest(Span span) -> {
          rest = Optional.of(rest(span, body, indices));
          order.addAll(rest.get());
        }
        case Subscript other -> throw diagnostics.reject(other.span(),
            "expected an index variable here, such as `i` or `i in 0..3`");
      }
    }
    return new Bound(order, named, rest, unknown);
  }

  private static void add(Rank rank, List<Rank> order, Map<String, Rank> named) {
    order.add(rank);
    named.put(rank.name(), rank);
  }

  /// Refuses indices of unknown range. Called when the expression that they stand in has no other error.
  void requireKnown(Bound bound) {
    bound.unknown().ifPresent(name -> {
      throw unknown(name);
    });
  }

  private Diagnostics.Rejection unknown(Syntax.Name name) {
    return diagnostics.reject(name.span(), "the range of `" + name.text()
        + "` is not known: it stands alone at no dimension of a tensor; write it: `" + name.text() + " in 0..N`");
  }

  private void checkNames(List<Subscript> indices) {
    Set<String> names = new LinkedHashSet<>();
    for (Subscript index : indices) {
      switch (index) {
        case Subscript.Index(Expr.Reference(Syntax.Name name)) -> checkName(name, names);
        case Subscript.Ranged ranged -> checkName(ranged.name(), names);
        case Subscript.Rest(Span span) -> {
          if (!names.add("...")) {
            throw diagnostics.reject(span, "`...` stands once in an index");
          }
        }
        case Subscript _ -> { }
      }
    }
  }

  private void checkName(Syntax.Name name, Set<String> names) {
    if (!names.add(name.text())) {
      throw diagnostics.reject(name.span(), "`" + name.text() + "` is bound twice here");
    }
    frame.size(name.text()).ifPresent(size -> {
      throw diagnostics.reject(name.span(), "`" + name.text() + "` is the "
          + (frame.constant(name.text()).isPresent() ? "number of a loop" : "name of a size")
          + " here; an index variable needs another name");
    });
  }

  private Size annotated(Subscript.Ranged ranged) {
    Sizes sizes = new Sizes(diagnostics, frame);
    if (sizes.number(ranged.from()) != 0) {
      throw diagnostics.reject(ranged.from().span(), "the range of an index variable starts at 0");
    }
    return sizes.size(ranged.to());
  }

  /// The range of an index that stands on the right only, in a product.
  Rank implicit(Syntax.Name name, Expr body) {
    return new Rank(name.text(), inferred(name, body).orElseThrow(() -> unknown(name)));
  }

  private Optional<Size> inferred(Syntax.Name name, Expr body) {
    List<Evidence> certain = evidence(name, body, false);
    List<Evidence> evidence = certain.isEmpty() ? evidence(name, body, true) : certain;
    if (evidence.isEmpty()) {
      return Optional.empty();
    }
    Evidence first = evidence.getFirst();
    for (Evidence other : evidence) {
      if (!elaboration.same(first.size(), other.size())) {
        throw diagnostics.reject(other.span(), "`" + name.text() + "` runs over " + first.size() + ", the size of "
            + first.where() + ", but " + other.where() + " has size " + other.size(),
            new Diagnostic.Note(first.span(), "here it runs over " + first.size()));
      }
    }
    return Optional.of(first.size());
  }

  private List<Evidence> evidence(Syntax.Name name, Expr body, boolean withOutside) {
    List<Evidence> evidence = new ArrayList<>();
    visit(body, name.text(), access -> {
      if (access.outside().isPresent() == withOutside) {
        evidence.addAll(evidence(access, name.text()));
      }
    });
    return evidence;
  }

  private List<Evidence> evidence(Expr.Access access, String name) {
    List<Evidence> evidence = new ArrayList<>();
    for (Accesses.Position position : accesses.positions(access)) {
      if (position.subscript().isPresent()
          && position.subscript().get() instanceof Subscript.Index(Expr.Reference(Syntax.Name index))
          && index.text().equals(name)) {
        evidence.add(evidence(accesses.tensor(access.name()), position.dimension(), index.span()));
      }
    }
    return evidence;
  }

  private static Evidence evidence(Tensor tensor, int dimension, Span span) {
    return new Evidence(tensor.shape().get(dimension), "dimension " + dimension + " of `" + tensor.name() + "`", span);
  }

  /// The ranks that `...` stands for: every access with `...` has the same ones.
  private List<Rank> rest(Span span, Expr body, List<Subscript> indices) {
    List<List<Evidence>> all = new ArrayList<>();
    visit(body, "...", access -> {
      if (access.subscripts().stream().anyMatch(Subscript.Rest.class::isInstance)) {
        all.add(restEvidence(access));
      }
    });
    List<Size> sizes = all.isEmpty() ? restOfFunction(span) : all.getFirst().stream().map(Evidence::size).toList();
    all.forEach(other -> checkSame(all.getFirst(), other, span));
    Set<String> taken = new LinkedHashSet<>();
    indices.forEach(index -> name(index).ifPresent(taken::add));
    return sizes.stream().map(size -> new Rank(freshName(size, taken), size)).toList();
  }

  /// What `...` stands for in the types of the function's parameters.
  private List<Size> restOfFunction(Span span) {
    return frame.rest().orElseThrow(() -> diagnostics.reject(span,
        "`...` stands in no index of the right side and in no parameter, so its sizes are not known"));
  }

  private void checkSame(List<Evidence> first, List<Evidence> other, Span span) {
    boolean same = first.size() == other.size();
    for (int i = 0; same && i < first.size(); i++) {
      same = elaboration.same(first.get(i).size(), other.get(i).size());
    }
    if (!same) {
      throw diagnostics.reject(other.isEmpty() ? span : other.getFirst().span(), "`...` stands for "
          + sizes(other) + " here and for " + sizes(first) + " elsewhere",
          new Diagnostic.Note(first.isEmpty() ? span : first.getFirst().span(), "here it stands for " + sizes(first)));
    }
  }

  private static String sizes(List<Evidence> evidence) {
    return evidence.isEmpty() ? "nothing" : evidence.stream().map(Evidence::size).toList().toString();
  }

  private List<Evidence> restEvidence(Expr.Access access) {
    Tensor tensor = accesses.tensor(access.name());
    return accesses.positions(access).stream()
        .filter(position -> position.subscript().isEmpty())
        .map(position -> evidence(tensor, position.dimension(), access.span()))
        .toList();
  }

  private static Optional<String> name(Subscript index) {
    return switch (index) {
      case Subscript.Index(Expr.Reference(Syntax.Name name)) -> Optional.of(name.text());
      case Subscript.Ranged ranged -> Optional.of(ranged.name().text());
      case Subscript _ -> Optional.empty();
    };
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

  /// Visits the accesses of `expr` at which the index `name` has the meaning that it has around `expr`.
  private static void visit(Expr expr, String name, Consumer<Expr.Access> visitor) {
    switch (expr) {
      case Expr.Whole _, Expr.Real _, Expr.Truth _, Expr.Reference _ -> { }
      case Expr.Access access -> {
        visitor.accept(access);
        access.subscripts().forEach(subscript -> visit(subscript, name, visitor));
        access.outside().ifPresent(value -> visit(value, name, visitor));
      }
      case Expr.Reduction reduction -> {
        boolean rebinds = reduction.indices().stream().anyMatch(index ->
            index instanceof Subscript.Rest && name.equals("...") || name(index).filter(name::equals).isPresent());
        if (!rebinds) {
          visit(reduction.body(), name, visitor);
        }
      }
      case Expr.Call call -> call.arguments().forEach(argument -> visit(argument, name, visitor));
      case Expr.Sequence sequence -> sequence.elements().forEach(element -> visit(element, name, visitor));
      case Expr.Prefix prefix -> visit(prefix.operand(), name, visitor);
      case Expr.Infix infix -> {
        visit(infix.left(), name, visitor);
        visit(infix.right(), name, visitor);
      }
    }
  }

  private static void visit(Subscript subscript, String name, Consumer<Expr.Access> visitor) {
    if (subscript instanceof Subscript.Index(Expr value)) {
      visit(value, name, visitor);
    }
  }
}
