package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Statement;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Span;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// Finds which statements define tensors together: from one that writes some elements of a tensor to the last that writes
/// others of it.
final class Extents {
  private final Diagnostics diagnostics;
  private final LeftSides leftSides;

  Extents(Diagnostics diagnostics, Frame frame) {
    this.diagnostics = diagnostics;
    this.leftSides = new LeftSides(frame);
  }

  /// The group that begins at `start`, from the first statement to the last.
  List<Statement> group(List<Statement> statements, int start) {
    int end = start + 1;
    for (int next = end(statements, start, end); next > end; next = end(statements, start, end)) {
      end = next;
    }
    return statements.subList(start, end);
  }

  /// The statements of a group, all of which define elements.
  List<Statement.Definition> definitions(List<Statement> group) {
    return diagnostics.each(group, statement -> {
      if (statement instanceof Statement.Definition definition) {
        return definition;
      }
      throw between(statement, group.getFirst(), group.getLast());
    });
  }

  /// The names that `group` defines in parts.
  Set<String> begun(List<Statement> group) {
    Set<String> names = new LinkedHashSet<>();
    for (Statement statement : group) {
      if (statement instanceof Statement.Definition definition && leftSides.isPartial(definition.target())) {
        names.add(definition.name().text());
      }
    }
    return names;
  }

  /// The end of the group, given the tensors that the statements up to `end` begin.
  private int end(List<Statement> statements, int start, int end) {
    Set<String> begun = begun(statements.subList(start, end));
    Set<String> written = new LinkedHashSet<>();
    int last = end;
    for (int i = start; i < statements.size(); i++) {
      if (statements.get(i) instanceof Statement.Definition definition && begun.contains(definition.name().text())) {
        if (!written.add(leftSides.place(definition.target())) || meansAnother(definition, begun)) {
          return last;
        }
        last = Math.max(last, i + 1);
      }
    }
    return last;
  }

  /// Whether a definition of a whole tensor is no step of the group, so that it means a new tensor.
  private boolean meansAnother(Statement.Definition definition, Set<String> begun) {
    return !leftSides.isPartial(definition.target()) && !isStep(definition, begun);
  }

  private boolean isStep(Statement.Definition definition, Set<String> begun) {
    Reads reads = Reads.of(definition);
    return reads.itself(definition, leftSides).isEmpty() && reads.names().stream().anyMatch(begun::contains);
  }

  private Diagnostics.Rejection between(Statement statement, Statement first, Statement last) {
    Syntax.Name name = ((Statement.Definition) first).name();
    return diagnostics.reject(statement.span(), "the statements from line " + first.span().line() + " to line "
        + last.span().line() + " define `" + name.text() + "` together, so that only definitions of elements stand "
        + "between them",
        new Diagnostic.Note(start(first), "the first one is here"), new Diagnostic.Note(start(last), "the last one is here"));
  }

  private static Span start(Statement statement) {
    return ((Statement.Definition) statement).target().span();
  }
}
