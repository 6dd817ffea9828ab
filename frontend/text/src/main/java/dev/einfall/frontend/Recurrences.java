package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Statement;
import dev.einfall.frontend.Syntax.Subscript;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Combination;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// Reads statements that define tensors together, each of which writes some elements: a recurrence, a scatter, or parts
/// side by side.
///
/// ```
/// H[0, d] = 0                        update H1 from H0 { H1[0, d] = 0 }
/// H[t + 1, d] = H[t, d] + X[t, d]    update H from H1 for t in 0..T { H[t + 1, d] = H[t, d] + X[t, d] }
/// ```
///
/// First come the statements that read no tensor of the group, then the others; consecutive ones that count the same
/// steps take them together.
final class Recurrences {
  private static final int MOST_STATEMENTS = 256;

  private final Elaboration elaboration;
  private final Diagnostics diagnostics;
  private final Frame frame;
  private final LeftSides leftSides;
  private final List<Statement.Definition> group = new ArrayList<>();
  private final Set<String> members = new LinkedHashSet<>();
  private final Map<String, Tensor> latest = new LinkedHashMap<>();

  Recurrences(Elaboration elaboration, Frame frame) {
    this.elaboration = elaboration;
    this.diagnostics = elaboration.diagnostics();
    this.frame = frame;
    this.leftSides = new LeftSides(frame);
  }

  /// Statements that take the same steps, one after the other in each step.
  private record Segment(List<Statement.Definition> statements, List<String> steps) {
    Set<String> tensors() {
      Set<String> names = new LinkedHashSet<>();
      statements.forEach(statement -> names.add(statement.name().text()));
      return names;
    }

    Span span() {
      Span first = statements.getFirst().span();
      return new Span(first.source(), first.start(), Math.max(first.end(), statements.getLast().span().end()));
    }
  }

  /// @param ordinary carries out a definition that is none of the group's
  void read(List<Statement> statements, Consumer<Statement> ordinary) {
    Extents extents = new Extents(diagnostics, frame);
    if (statements.size() > MOST_STATEMENTS) {
      throw diagnostics.reject(statements.getFirst().span(), "at most " + MOST_STATEMENTS
          + " statements define a tensor together, not " + statements.size());
    }
    Set<String> begun = extents.begun(statements);
    members.addAll(begun);
    extents.definitions(statements).forEach(statement -> sort(statement, ordinary));
    group.forEach(this::checkReadsItself);
    Map<String, ElementType> types = new OpenTypes(elaboration, frame).types(group);
    Map<Statement.Definition, List<Syntax.Name>> steps =
        new StepNames(diagnostics, frame, group, begun).names(members);
    OpenShapes shapes = new OpenShapes(elaboration, frame, group, steps, types);
    shapes.solve();
    List<Segment> segments = segments(steps);
    for (int i = 0; i < segments.size(); i++) {
      carryOut(segments.get(i), segments.subList(i + 1, segments.size()), shapes);
    }
  }

  /// A definition of a whole tensor is one of the group's if it reads a tensor of the group.
  private void sort(Statement.Definition statement, Consumer<Statement> ordinary) {
    boolean isMember = members.contains(statement.name().text());
    if (!isMember) {
      checkIsNew(statement);
    }
    if (isMember || StepNames.reads(statement, members)) {
      members.add(statement.name().text());
      group.add(statement);
    } else {
      ordinary.accept(statement);
    }
  }

  private void checkReadsItself(Statement.Definition statement) {
    Reads.of(statement).itself(statement, leftSides).ifPresent(access -> {
      throw diagnostics.reject(access.span(), "this element is being defined, so it cannot be read here; `:=` changes "
          + "elements of a tensor that exists: `" + access.name().text() + "[...] := ...`",
          new Diagnostic.Note(statement.target().span(), "it is defined here"));
    });
  }

  private void checkIsNew(Statement.Definition statement) {
    for (Statement.Definition before : group) {
      if (Reads.of(before).names().contains(statement.name().text())) {
        throw diagnostics.reject(statement.name().span(), "`" + statement.name().text()
            + "` is defined between statements that define `" + before.name().text()
            + "` together, one of which has read another tensor of this name; choose another name",
            new Diagnostic.Note(before.span(), "it is read here"));
      }
    }
  }

  private List<Segment> segments(Map<Statement.Definition, List<Syntax.Name>> steps) {
    List<Statement.Definition> first = group.stream()
        .filter(statement -> !steps.containsKey(statement) && !StepNames.reads(statement, members)).toList();
    List<Segment> segments = new ArrayList<>();
    if (!first.isEmpty()) {
      segments.add(new Segment(first, List.of()));
    }
    for (Statement.Definition statement : group) {
      List<String> names = List.copyOf(StepNames.texts(steps.getOrDefault(statement, List.of())));
      boolean continues = !segments.isEmpty() && Set.copyOf(segments.getLast().steps()).equals(Set.copyOf(names));
      if (first.contains(statement)) {
        continue;
      } else if (continues && !segments.getLast().statements().equals(first)) {
        segments.getLast().statements().add(statement);
      } else {
        segments.add(new Segment(new ArrayList<>(List.of(statement)), names));
      }
    }
    return segments;
  }

  private void carryOut(Segment segment, List<Segment> later, OpenShapes shapes) {
    List<Recurrence.State> states = new ArrayList<>();
    for (String name : segment.tensors()) {
      Tensor base = latest.containsKey(name) ? latest.get(name) : empty(name, segment, shapes);
      long rest = later.stream().filter(other -> other.tensors().contains(name)).count();
      Tensor tensor = shapes.tensor(name, rest == 0 ? name : name + rest, shapes.shape(name));
      states.add(new Recurrence.State(tensor, base));
      latest.put(name, tensor);
      frame.bind(name, Optional.of(tensor));
    }
    List<Rank> ranks = new ArrayList<>();
    Scope steps = steps(segment, shapes, ranks);
    List<Recurrence.Update> updates =
        diagnostics.each(segment.statements(), statement -> update(statement, segment, steps, shapes));
    elaboration.define(
        new Recurrence(ranks, states, updates, condition(segment, ranks, steps), segment.span()));
  }

  /// The tensor before anything is written: zeros, or what leaves every value that lands on it unchanged.
  private Tensor empty(String name, Segment segment, OpenShapes shapes) {
    Statement.Definition first = segment.statements().stream()
        .filter(statement -> statement.name().text().equals(name)).findFirst().orElseThrow();
    Tensor tensor = shapes.tensor(name, name, shapes.shape(name));
    Writes.Write write = Writes.Write.of(first);
    Expr value = new Writes(elaboration, frame).scatter(write, Scope.EMPTY)
        .map(reduction -> identity(reduction, tensor.type()))
        .orElseGet(() -> Expr.literal(tensor.type(), 0));
    return elaboration.define(name + "0", first.name().span(), Views.ranks(tensor.shape()), value, first.span());
  }

  private Expr identity(Syntax.Expr.Reduction reduction, ElementType type) {
    Reductions reductions = new Reductions(elaboration, frame, new Scalars(elaboration, frame));
    Combination combination = reductions.combination(reduction, type);
    return Writes.identity(combination, type);
  }

  /// Binds the indices that count steps, and those that go down in the order in which they are taken.
  private Scope steps(Segment segment, OpenShapes shapes, List<Rank> ranks) {
    if (segment.steps().isEmpty()) {
      return Scope.EMPTY;
    }
    List<Integer> directions =
        new StepOrder(diagnostics, frame, segment.statements(), segment.steps()).directions();
    Map<String, Expr> named = new LinkedHashMap<>();
    for (int i = 0; i < directions.size(); i++) {
      String name = segment.steps().get(i);
      OpenShapes.Range range = shapes.ranges(segment.statements().getFirst()).get(name);
      Rank rank = new Rank(name, range.size());
      Expr coordinate = new Expr.Coordinate(rank);
      Size start = directions.get(i) > 0 ? range.from() : range.end().minus(Size.of(1));
      boolean isPlain = directions.get(i) > 0 && start.equals(Size.of(0));
      ranks.add(rank);
      named.put(name, isPlain ? coordinate : directions.get(i) > 0
          ? new Expr.Binary(BinaryOp.ADD, coordinate, Scalars.extent(start))
          : new Expr.Binary(BinaryOp.SUB, Scalars.extent(start), coordinate));
    }
    return Scope.EMPTY.inner(named, Optional.empty());
  }

  private Recurrence.Update update(
      Statement.Definition statement, Segment segment, Scope steps, OpenShapes shapes) {
    elaboration.step(statement.span());
    checkIsBegun(statement);
    Map<String, Size> known = new LinkedHashMap<>();
    shapes.ranges(statement).forEach((name, range) -> known.put(name, range.size()));
    Writes.Write write = withoutSteps(Writes.Write.of(statement), segment.steps());
    return new Writes(elaboration, frame).read(write, latest.get(statement.name().text()), steps, known);
  }

  /// Refuses to read a tensor of the group before its first statement.
  private void checkIsBegun(Statement.Definition statement) {
    for (Syntax.Expr.Access access : Reads.of(statement).accesses()) {
      String name = access.name().text();
      if (members.contains(name) && !latest.containsKey(name)) {
        throw diagnostics.reject(access.span(), "`" + name + "` is read before the statements that define it",
            group.stream().filter(other -> other.name().text().equals(name)).limit(1)
                .map(other -> new Diagnostic.Note(other.target().span(), "it is defined here")).toArray(Diagnostic.Note[]::new));
      }
    }
  }

  /// The ranges of indices that count steps are those of the steps.
  private static Writes.Write withoutSteps(Writes.Write write, Collection<String> steps) {
    List<Subscript> indices = write.target().indices().stream().<Subscript>map(index ->
        index instanceof Subscript.Ranged ranged && steps.contains(ranged.name().text())
            ? StepNames.index(ranged.name()) : index).toList();
    return new Writes.Write(new Syntax.Target(write.target().name(), indices, write.target().span()), write.value(),
        write.behind().stream().filter(range -> !steps.contains(range.name().text())).toList(), write.where(), write.span());
  }

  private Optional<Expr> condition(Segment segment, List<Rank> ranks, Scope steps) {
    List<Syntax.Expr> conditions =
        segment.statements().stream().flatMap(statement -> statement.condition().stream()).toList();
    if (conditions.size() > 1) {
      throw diagnostics.reject(conditions.get(1).span(), "a recurrence has one condition to go on",
          new Diagnostic.Note(conditions.getFirst().span(), "here it has one"));
    }
    return conditions.stream().findFirst()
        .map(condition -> new UpdateBlocks(elaboration, frame).condition(condition, ranks, steps));
  }

  /// Whether a definition begins a group.
  boolean begins(Statement statement) {
    return statement instanceof Statement.Definition definition && leftSides.isPartial(definition.target());
  }
}
