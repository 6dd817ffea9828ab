package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Expr;
import dev.einfall.frontend.Syntax.Statement;
import dev.einfall.frontend.Syntax.Subscript;
import dev.einfall.ir.Diagnostic;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Finds the indices that count the steps of a recurrence: those at which the elements that a statement writes differ
/// from those that other statements write, or that it reads.
final class StepNames {
  private final Diagnostics diagnostics;
  private final LeftSides leftSides;
  private final List<Statement.Definition> group;
  private final Set<String> begun;
  private final Map<String, Set<Integer>> iterative = new LinkedHashMap<>();

  /// @param begun the tensors of the group that are defined in parts
  StepNames(Diagnostics diagnostics, Frame frame, List<Statement.Definition> group, Set<String> begun) {
    this.diagnostics = diagnostics;
    this.leftSides = new LeftSides(frame);
    this.group = group;
    this.begun = begun;
    begun.forEach(name -> iterative.put(name, dimensions(name)));
  }

  /// The positions in the indices of `name` that move with the steps.
  private Set<Integer> dimensions(String name) {
    List<Statement.Definition> writers = group.stream().filter(other -> other.name().text().equals(name)).toList();
    Set<Integer> dimensions = new LinkedHashSet<>();
    for (int i = 0; i < writers.getFirst().indices().size(); i++) {
      int dimension = i;
      long different = writers.stream().map(writer -> text(writer, dimension)).distinct().count();
      if (different > 1 || writers.stream().anyMatch(writer -> readsElsewhere(writer, dimension))) {
        dimensions.add(i);
      }
    }
    return dimensions;
  }

  private String text(Statement.Definition writer, int dimension) {
    return dimension < writer.indices().size() ? leftSides.text(writer.indices().get(dimension)) : "";
  }

  /// Whether a statement reads its own tensor at another place that moves with the same index.
  private boolean readsElsewhere(Statement.Definition writer, int dimension) {
    if (dimension >= writer.indices().size()) {
      return false;
    }
    Subscript left = writer.indices().get(dimension);
    List<String> names = leftSides.names(left).stream().map(Syntax.Name::text).toList();
    return Reads.of(writer).accesses().stream()
        .filter(access -> access.name().text().equals(writer.name().text()) && dimension < access.subscripts().size())
        .map(access -> access.subscripts().get(dimension))
        .anyMatch(read -> !leftSides.text(read).equals(leftSides.text(left))
            && leftSides.names(read).stream().anyMatch(name -> names.contains(name.text())));
  }

  /// The statements that count no steps are in no list; the others, in order, with the names that count their steps.
  Map<Statement.Definition, List<Syntax.Name>> names(Set<String> members) {
    Map<Statement.Definition, List<Syntax.Name>> alone = new LinkedHashMap<>();
    for (Statement.Definition statement : group) {
      if (begun.contains(statement.name().text()) && reads(statement, members)) {
        alone.put(statement, own(statement));
      }
    }
    Map<Statement.Definition, List<Syntax.Name>> names = together(alone);
    Map<String, Syntax.Name> all = new LinkedHashMap<>();
    names.values().forEach(own -> own.forEach(name -> all.putIfAbsent(name.text(), name)));
    Map<Statement.Definition, List<Syntax.Name>> ordered = new LinkedHashMap<>();
    for (Statement.Definition statement : group) {
      if (!begun.contains(statement.name().text())) {
        ordered.put(statement, temporary(statement, all));
      } else if (names.containsKey(statement) && !names.get(statement).isEmpty()) {
        ordered.put(statement, names.get(statement));
      }
    }
    checkAgree(ordered);
    return ordered;
  }

  /// Statements that need each other take steps together: each counts what any of them does, so far as it has that index.
  private Map<Statement.Definition, List<Syntax.Name>> together(Map<Statement.Definition, List<Syntax.Name>> alone) {
    Map<Statement.Definition, Set<Statement.Definition>> needed = new LinkedHashMap<>();
    alone.keySet().forEach(statement -> needed.put(statement, needed(statement)));
    Map<Statement.Definition, List<Syntax.Name>> together = new LinkedHashMap<>();
    alone.forEach((statement, own) -> {
      Set<String> steps = texts(own);
      needed.get(statement).stream()
          .filter(other -> needed.containsKey(other) && needed.get(other).contains(statement))
          .forEach(other -> steps.addAll(texts(alone.get(other))));
      together.put(statement, statement.indices().stream().flatMap(index -> leftSides.names(index).stream())
          .filter(name -> steps.remove(name.text())).toList());
    });
    return together;
  }

  /// The statements of the group that define what a statement reads, and what those read.
  private Set<Statement.Definition> needed(Statement.Definition statement) {
    Set<Statement.Definition> needed = new LinkedHashSet<>();
    List<Statement.Definition> open = new ArrayList<>(List.of(statement));
    while (!open.isEmpty()) {
      Set<String> read = Set.copyOf(Reads.of(open.removeLast()).names());
      group.stream().filter(other -> read.contains(other.name().text()) && needed.add(other)).forEach(open::add);
    }
    return needed;
  }

  static boolean reads(Statement.Definition statement, Set<String> members) {
    return Reads.of(statement).names().stream().anyMatch(members::contains);
  }

  private List<Syntax.Name> own(Statement.Definition statement) {
    Map<String, Syntax.Name> names = new LinkedHashMap<>();
    for (int dimension : iterative.get(statement.name().text())) {
      if (dimension < statement.indices().size()) {
        leftSides.names(statement.indices().get(dimension)).forEach(name -> names.putIfAbsent(name.text(), name));
      }
    }
    return new ArrayList<>(names.values());
  }

  /// The steps of a tensor that is defined whole, between those that are defined in steps.
  private List<Syntax.Name> temporary(Statement.Definition statement, Map<String, Syntax.Name> steps) {
    List<Syntax.Name> names = statement.indices().stream().flatMap(index -> leftSides.names(index).stream())
        .filter(name -> steps.containsKey(name.text())).toList();
    if (names.isEmpty() && !steps.isEmpty()) {
      Syntax.Name step = steps.values().iterator().next();
      throw diagnostics.reject(statement.target().span(), "`" + statement.name().text() + "` reads what is defined step by "
          + "step over `" + step.text() + "`, so it needs the index `" + step.text() + "`",
          new Diagnostic.Note(step.span(), "the steps are those of this index"));
    }
    return names;
  }

  /// Statements that take steps together name them alike; one over fewer indices takes steps of its own.
  private void checkAgree(Map<Statement.Definition, List<Syntax.Name>> names) {
    List<Syntax.Name> before = List.of();
    for (List<Syntax.Name> here : names.values()) {
      Set<String> one = texts(before);
      Set<String> other = texts(here);
      if (!one.containsAll(other) && !other.containsAll(one)) {
        Syntax.Name wrong = here.stream().filter(name -> !one.contains(name.text())).findFirst().orElseThrow();
        Syntax.Name first = before.stream().filter(name -> !other.contains(name.text())).findFirst().orElseThrow();
        throw diagnostics.reject(wrong.span(), "the steps are counted by `" + wrong.text() + "` here and by `"
            + first.text() + "` before; statements that take steps together have one name for them",
            new Diagnostic.Note(first.span(), "here it is `" + first.text() + "`"));
      }
      before = here;
    }
  }

  static Set<String> texts(List<Syntax.Name> names) {
    Set<String> texts = new LinkedHashSet<>();
    names.forEach(name -> texts.add(name.text()));
    return texts;
  }

  /// A bare reference to an index that counts steps.
  static Subscript index(Syntax.Name name) {
    return new Subscript.Index(new Expr.Reference(name));
  }
}
