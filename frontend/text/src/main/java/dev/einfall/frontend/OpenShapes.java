package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Expr;
import dev.einfall.frontend.Syntax.Statement;
import dev.einfall.frontend.Syntax.Subscript;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.IndexBounds;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Finds the shapes of tensors that are defined in parts and by each other, and the ranges of the indices on the left.
///
/// An index runs over what is written, or over the dimensions of other tensors at which it stands, or over those of the
/// tensors of the group. A dimension has the range of the index that runs over it in every statement, or else room for
/// the largest index written.
final class OpenShapes {
  private final Elaboration elaboration;
  private final Diagnostics diagnostics;
  private final Frame frame;
  private final LeftSides leftSides;
  private final Sizes sizes;
  private final List<Statement.Definition> group;
  private final Map<Statement.Definition, List<Syntax.Name>> steps;
  private final Map<String, ElementType> types;
  private final Map<Statement.Definition, Map<String, Range>> ranges = new LinkedHashMap<>();
  private final Map<String, List<Optional<Size>>> shapes = new LinkedHashMap<>();
  private final List<Size> rest;

  /// The values `from` to `from + size - 1`.
  record Range(Size from, Size size) {
    Size end() {
      return from.plus(size);
    }
  }

  /// The indices `start` to `end - 1`.
  private record Extent(Size start, Size end) {
    static Extent of(Range range) {
      return new Extent(range.from(), range.end());
    }
  }

  /// @param steps the statements that count steps, and by which indices: these have one range in all of them
  OpenShapes(Elaboration elaboration, Frame frame, List<Statement.Definition> group,
      Map<Statement.Definition, List<Syntax.Name>> steps, Map<String, ElementType> types) {
    this.elaboration = elaboration;
    this.diagnostics = elaboration.diagnostics();
    this.frame = frame;
    this.leftSides = new LeftSides(frame);
    this.sizes = new Sizes(diagnostics, frame);
    this.group = group;
    this.steps = steps;
    this.types = types;
    this.rest = rest();
    group.forEach(this::open);
    group.forEach(statement -> ranges.put(statement, written(statement)));
  }

  /// Finds all there is to find.
  void solve() {
    boolean changes = true;
    while (changes) {
      shapes.keySet().forEach(name -> frame.bind(name, Optional.of(tensor(name, name, provisional(name)))));
      changes = false;
      for (Statement.Definition statement : group) {
        changes |= findRanges(statement);
      }
      for (String name : shapes.keySet()) {
        changes |= findSizes(name);
      }
    }
    group.forEach(this::requireTensors);
    group.forEach(this::requireRanges);
    group.forEach(this::requireSizes);
    group.forEach(this::checkSteps);
  }

  /// The shape of a tensor of the group.
  List<Size> shape(String name) {
    return shapes.get(name).stream().map(Optional::orElseThrow).toList();
  }

  Map<String, Range> ranges(Statement.Definition statement) {
    return ranges.get(statement);
  }

  /// @param wish what the tensor is called in the cascade
  Tensor tensor(String name, String wish, List<Size> shape) {
    return new Tensor(wish, types.get(name), shape, first(name).name().span());
  }

  private Statement.Definition first(String name) {
    return writers(name).getFirst();
  }

  private List<Statement.Definition> writers(String name) {
    return group.stream().filter(statement -> statement.name().text().equals(name)).toList();
  }

  // What is written.

  private List<Size> rest() {
    List<Expr> values = new ArrayList<>();
    Optional<Span> span = Optional.empty();
    for (Statement.Definition statement : group) {
      for (Subscript index : statement.indices()) {
        span = span.or(() -> index instanceof Subscript.Rest ? Optional.of(index.span()) : Optional.empty());
      }
      values.add(statement.value());
    }
    return span.map(place -> new Evidence(elaboration, frame, types.keySet()).rest(place, values)).orElse(List.of());
  }

  private void open(Statement.Definition statement) {
    if (statement.indices().stream().filter(Subscript.Rest.class::isInstance).count() > 1) {
      throw diagnostics.reject(statement.target().span(), "`...` stands once in an index");
    }
    List<Optional<Subscript>> indices = indices(statement.target());
    List<Optional<Size>> shape = shapes.computeIfAbsent(statement.name().text(),
        _ -> new ArrayList<>(Collections.nCopies(indices.size(), Optional.empty())));
    if (shape.size() != indices.size()) {
      throw diagnostics.reject(statement.target().span(), "`" + statement.name().text() + "` is written with "
          + indices.size() + (indices.size() == 1 ? " index" : " indices") + " here, and with " + shape.size() + " before",
          new Diagnostic.Note(first(statement.name().text()).target().span(), "here it has " + shape.size()));
    }
  }

  /// What stands at each dimension; nothing for those of `...`.
  private List<Optional<Subscript>> indices(Syntax.Target target) {
    List<Optional<Subscript>> indices = new ArrayList<>();
    for (Subscript index : target.indices()) {
      if (index instanceof Subscript.Rest) {
        rest.forEach(_ -> indices.add(Optional.empty()));
      } else {
        indices.add(Optional.of(index));
      }
    }
    return indices;
  }

  private Map<String, Range> written(Statement.Definition statement) {
    Map<String, Range> written = new LinkedHashMap<>();
    List<Subscript> binders = new Writes(elaboration, frame).binders(statement);
    for (Subscript binder : binders) {
      if (binder instanceof Subscript.Ranged ranged && !new Ranges(elaboration, frame).dependsOnData(ranged, Scope.EMPTY)) {
        written.put(ranged.name().text(), new Range(sizes.bound(ranged.from()), sizes.length(ranged)));
      }
    }
    return written;
  }

  // What follows.

  private List<Syntax.Name> names(Statement.Definition statement) {
    Map<String, Syntax.Name> names = new LinkedHashMap<>();
    statement.indices().forEach(index ->
        leftSides.names(index).forEach(name -> names.putIfAbsent(name.text(), name)));
    return new ArrayList<>(names.values());
  }

  private boolean findRanges(Statement.Definition statement) {
    boolean changes = false;
    Map<String, Range> known = ranges.get(statement);
    for (Syntax.Name name : names(statement)) {
      if (!known.containsKey(name.text())) {
        Optional<Range> range = find(name, statement);
        range.ifPresent(found -> known.put(name.text(), found));
        changes |= range.isPresent();
      }
    }
    return changes;
  }

  private Optional<Range> find(Syntax.Name name, Statement.Definition statement) {
    List<Expr> exprs = new Writes(elaboration, frame).evidence(statement);
    Optional<Size> outside = new Evidence(elaboration, frame, types.keySet()).range(name, exprs);
    if (outside.isPresent()) {
      return outside.map(size -> new Range(Size.of(0), size));
    }
    if (counts(name, statement)) {
      return steps.keySet().stream().filter(other -> counts(name, other))
          .flatMap(other -> Optional.ofNullable(ranges.get(other).get(name.text())).stream()).findFirst();
    }
    return new Evidence(elaboration, frame).first(name, exprs, OpenShapes::isKnown)
        .map(size -> new Range(Size.of(0), size));
  }

  /// Whether `name` counts the steps of `statement`.
  private boolean counts(Syntax.Name name, Statement.Definition statement) {
    return StepNames.texts(steps.getOrDefault(statement, List.of())).contains(name.text());
  }

  private boolean findSizes(String name) {
    boolean changes = false;
    List<Optional<Size>> shape = shapes.get(name);
    for (int i = 0; i < shape.size(); i++) {
      if (shape.get(i).isEmpty()) {
        shape.set(i, size(name, i));
        changes |= shape.get(i).isPresent();
      }
    }
    return changes;
  }

  private Optional<Size> size(String name, int dimension) {
    List<Statement.Definition> writers = writers(name);
    boolean isWhole = true;
    for (Statement.Definition writer : writers) {
      Optional<Subscript> index = indices(writer.target()).get(dimension);
      if (index.isEmpty()) {
        int before = (int) writer.target().indices().stream().takeWhile(other -> !(other instanceof Subscript.Rest)).count();
        return Optional.of(rest.get(dimension - before));
      }
      if (index.get() instanceof Subscript.Placed placed) {
        if (!sizes.bound(placed.from()).equals(Size.of(0))) {
          throw diagnostics.reject(placed.from().span(), "the range of a dimension starts at 0");
        }
        return Optional.of(sizes.size(placed.to()));
      }
      isWhole &= leftSides.isBare(index.get());
    }
    List<Optional<Extent>> spans = writers.stream().map(writer -> written(writer, dimension)).toList();
    if (isWhole) {
      return spans.stream().flatMap(Optional::stream).map(Extent::end).findFirst();
    }
    return spans.stream().allMatch(Optional::isPresent)
        ? largest(spans.stream().map(Optional::orElseThrow).toList()) : Optional.empty();
  }

  /// The end that no other can exceed, if there is one. No range is shorter than nothing.
  private static Optional<Size> largest(List<Extent> all) {
    return all.stream().filter(one -> all.stream().allMatch(other ->
        IndexBounds.isNotNegative(one.end().minus(other.end()))
            || IndexBounds.isNotNegative(one.start().minus(other.end())))).map(Extent::end).findFirst();
  }

  /// The indices from the least to below `end` that a statement writes, if they are known.
  private Optional<Extent> written(Statement.Definition writer, int dimension) {
    Subscript index = indices(writer.target()).get(dimension).orElseThrow();
    Map<String, Range> known = ranges.get(writer);
    if (leftSides.names(index).stream().anyMatch(name -> !known.containsKey(name.text()))) {
      return Optional.empty();
    }
    return switch (index) {
      case Subscript.Ranged ranged -> Optional.of(known.get(ranged.name().text())).map(Extent::of);
      case Subscript.Index(Expr value) ->
          interval(value, known).map(values -> new Extent(values.low(), values.high().plus(Size.of(1))));
      case Subscript other -> throw diagnostics.reject(other.span(), "expected an index here, such as `i` or `2 * i + 1`");
    };
  }

  private Optional<IndexBounds.Interval> interval(Expr index, Map<String, Range> known) {
    Bound bound = Bound.empty();
    known.forEach((name, range) -> bound.add(new Rank(name, range.size()), range.from()));
    Scalars scalars = new Scalars(elaboration, frame);
    return IndexBounds.interval(scalars.arithmetic().index(
        scalars.value(index, Scope.EMPTY.inner(bound.named(), Optional.empty()))));
  }

  // What is still open.

  /// The shape, with a name that no size has for what is not known.
  private List<Size> provisional(String name) {
    List<Size> shape = new ArrayList<>();
    for (Optional<Size> size : shapes.get(name)) {
      shape.add(size.orElse(Size.named("?" + name + shape.size())));
    }
    return shape;
  }

  private static boolean isKnown(Size size) {
    return size.names().stream().noneMatch(name -> name.startsWith("?"));
  }

  /// Leaves a statement whose sizes depend on a tensor with an error: it is no error of this one.
  private void requireTensors(Statement.Definition statement) {
    if (Reads.of(statement).names().stream().flatMap(name -> frame.tensor(name).stream()).anyMatch(Optional::isEmpty)) {
      throw diagnostics.reject();
    }
  }

  private void requireRanges(Statement.Definition statement) {
    for (Syntax.Name name : names(statement)) {
      if (!ranges.get(statement).containsKey(name.text())) {
        throw diagnostics.reject(name.span(), "the range of `" + name.text() + "` is not known: it stands alone at no "
            + "dimension of a tensor; write it behind the statement: `for " + name.text() + " in 0..N`");
      }
    }
  }

  private void requireSizes(Statement.Definition statement) {
    List<Optional<Size>> shape = shapes.get(statement.name().text());
    for (int i = 0; i < shape.size(); i++) {
      if (shape.get(i).isEmpty()) {
        throw open(statement.name().text(), i);
      }
    }
  }

  private Diagnostics.Rejection open(String name, int dimension) {
    List<Diagnostic.Note> notes = new ArrayList<>();
    for (Statement.Definition writer : writers(name)) {
      Subscript index = indices(writer.target()).get(dimension).orElseThrow();
      Optional<Extent> written = written(writer, dimension);
      if (written.isEmpty()) {
        return diagnostics.reject(index.span(), "the size of dimension " + dimension + " of `" + name
            + "` does not follow from an index that depends on data; write it after the index: `"
            + LeftSides.written(index) + " in 0..N`");
      }
      notes.add(new Diagnostic.Note(index.span(), "this needs " + written.get().end()));
    }
    Subscript first = indices(first(name).target()).get(dimension).orElseThrow();
    return diagnostics.reject(first.span(), "which size dimension " + dimension + " of `" + name
        + "` needs cannot be told; write it after an index: `" + LeftSides.written(first) + " in 0..N`",
        notes.toArray(Diagnostic.Note[]::new));
  }

  /// An index that counts steps has one range in all statements that take them.
  private void checkSteps(Statement.Definition statement) {
    for (Syntax.Name name : steps.getOrDefault(statement, List.of())) {
      Range here = ranges.get(statement).get(name.text());
      for (Statement.Definition other : steps.keySet()) {
        Optional<Syntax.Name> same =
            steps.get(other).stream().filter(step -> step.text().equals(name.text())).findFirst();
        Range there = ranges.get(other).get(name.text());
        if (same.isPresent() && !(elaboration.same(here.size(), there.size()) && here.from().equals(there.from()))) {
          throw diagnostics.reject(name.span(), "`" + name.text() + "` counts steps from " + here.from() + " to "
              + here.end() + " here and from " + there.from() + " to " + there.end() + " in another statement",
              new Diagnostic.Note(same.get().span(), "the other statement is here"));
        }
      }
    }
  }

  /// The names of the tensors of the group.
  Set<String> names() {
    return shapes.keySet();
  }
}
