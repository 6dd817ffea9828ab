package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Expr;
import dev.einfall.frontend.Syntax.Subscript;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;

/// Finds what the accesses of expressions say of the range of an index variable: the sizes of the dimensions that it
/// stands at alone. Accesses with `or` count where there is no other.
final class Evidence {

  /// A dimension that gives a range.
  private record Dimension(Size size, String where, Span span) {}

  private final Elaboration elaboration;
  private final Diagnostics diagnostics;
  private final Frame frame;
  private final Accesses accesses;
  private final Set<String> ignored;

  Evidence(Elaboration elaboration, Frame frame) {
    this(elaboration, frame, Set.of());
  }

  /// @param ignored the tensors that say nothing
  Evidence(Elaboration elaboration, Frame frame, Set<String> ignored) {
    this.ignored = ignored;
    this.elaboration = elaboration;
    this.diagnostics = elaboration.diagnostics();
    this.frame = frame;
    this.accesses = new Accesses(diagnostics, frame);
  }

  /// The size of the dimensions of `bodies` at which `name` stands alone.
  Optional<Size> range(Syntax.Name name, List<Expr> bodies) {
    List<Dimension> certain = evidence(name, bodies, false);
    List<Dimension> evidence = certain.isEmpty() ? evidence(name, bodies, true) : certain;
    if (evidence.isEmpty()) {
      return Optional.empty();
    }
    Dimension first = evidence.getFirst();
    for (Dimension other : evidence) {
      if (!elaboration.same(first.size(), other.size())) {
        diagnostics.report(other.span(), "`" + name.text() + "` runs over " + first.size() + ", the size of "
            + first.where() + ", but " + other.where() + " has size " + other.size(),
            new Diagnostic.Note(first.span(), "here it runs over " + first.size()));
      }
    }
    return Optional.of(first.size());
  }

  /// The size of the first dimension of `bodies` at which `name` stands alone and whose size `counts`.
  Optional<Size> first(Syntax.Name name, List<Expr> bodies, Predicate<Size> counts) {
    List<Dimension> evidence = evidence(name, bodies, false);
    evidence.addAll(evidence(name, bodies, true));
    return evidence.stream().map(Dimension::size).filter(counts).findFirst();
  }

  private List<Dimension> evidence(Syntax.Name name, List<Expr> bodies, boolean withOutside) {
    List<Dimension> evidence = new ArrayList<>();
    bodies.forEach(body -> visit(body, name.text(), access -> {
      if (access.outside().isPresent() == withOutside && !ignored.contains(access.name().text())) {
        evidence.addAll(evidence(access, name.text()));
      }
    }));
    return evidence;
  }

  /// What stands at the dimensions of the access; nothing if it is wrong.
  private List<Accesses.Position> positions(Expr.Access access) {
    return diagnostics.attempt(() -> accesses.positions(access)).orElse(List.of());
  }

  private List<Dimension> evidence(Expr.Access access, String name) {
    List<Dimension> evidence = new ArrayList<>();
    for (Accesses.Position position : positions(access)) {
      if (position.subscript().isPresent()
          && position.subscript().get() instanceof Subscript.Index(Expr.Reference(Syntax.Name index))
          && index.text().equals(name)) {
        evidence.add(evidence(accesses.tensor(access.name()), position.dimension(), index.span()));
      }
    }
    return evidence;
  }

  private static Dimension evidence(Tensor tensor, int dimension, Span span) {
    return new Dimension(tensor.shape().get(dimension), "dimension " + dimension + " of `" + tensor.name() + "`", span);
  }

  /// The sizes that `...` stands for: every access with `...` has the same ones.
  List<Size> rest(Span span, List<Expr> bodies) {
    List<List<Dimension>> all = new ArrayList<>();
    bodies.forEach(body -> visit(body, "...", access -> {
      boolean counts = !ignored.contains(access.name().text());
      if (counts && access.subscripts().stream().anyMatch(Subscript.Rest.class::isInstance)) {
        all.add(restEvidence(access));
      }
    }));
    all.forEach(other -> checkSame(all.getFirst(), other, span));
    return all.isEmpty() ? restOfFunction(span) : all.getFirst().stream().map(Dimension::size).toList();
  }

  /// What `...` stands for in the types of the function's parameters.
  private List<Size> restOfFunction(Span span) {
    return frame.rest().orElseThrow(() -> diagnostics.reject(span,
        "`...` stands in no index of the right side and in no parameter, so its sizes are not known"));
  }

  private void checkSame(List<Dimension> first, List<Dimension> other, Span span) {
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

  private static String sizes(List<Dimension> evidence) {
    return evidence.isEmpty() ? "nothing" : evidence.stream().map(Dimension::size).toList().toString();
  }

  private List<Dimension> restEvidence(Expr.Access access) {
    Tensor tensor = accesses.tensor(access.name());
    return accesses.positions(access).stream()
        .filter(position -> position.subscript().isEmpty())
        .map(position -> evidence(tensor, position.dimension(), access.span()))
        .toList();
  }

  /// Visits the accesses of `expr`, but not of the bounds of reductions, at which the index `name` has the meaning that it has around `expr`.
  private static void visit(Expr expr, String name, Consumer<Expr.Access> visitor) {
    switch (expr) {
      case Expr.Whole _, Expr.Real _, Expr.Truth _, Expr.Reference _ -> { }
      case Expr.Access access -> {
        visitor.accept(access);
        access.subscripts().forEach(subscript -> visit(subscript, name, visitor));
        access.outside().ifPresent(value -> visit(value, name, visitor));
      }
      case Expr.Reduction reduction -> {
        boolean rebinds = reduction.indices().stream().anyMatch(index -> index instanceof Subscript.Rest
            && name.equals("...") || Ranges.name(index).filter(bound -> bound.text().equals(name)).isPresent());
        if (!rebinds) {
          reduction.filter().ifPresent(condition -> visit(condition, name, visitor));
          reduction.bodies().forEach(body -> visit(body, name, visitor));
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
