package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Statement;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Carries out the statements of a function body, each of which defines names or says how to compute them.
final class Statements {
  private static final long MOST_ROUNDS = 10_000;

  private final Elaboration elaboration;
  private final Diagnostics diagnostics;
  private final Frame frame;

  Statements(Elaboration elaboration, Frame frame) {
    this.elaboration = elaboration;
    this.diagnostics = elaboration.diagnostics();
    this.frame = frame;
  }

  /// How a list of statements ends.
  sealed interface End {
    /// The next statement follows.
    record Falls() implements End {}

    record Returns(Statement.Return last) implements End {}

    /// Whether it returns depends on a condition that is wrong.
    record Unknown() implements End {}
  }

  End run(List<Statement> statements) {
    for (int i = 0; i < statements.size(); i++) {
      Statement statement = statements.get(i);
      if (statement instanceof Statement.Return last && statement == statements.getLast()) {
        return new End.Returns(last);
      }
      elaboration.step(statement.span());
      if (statement instanceof Statement.Choice choice) {
        End end = choose(choice);
        if (!(end instanceof End.Falls)) {
          return end;
        }
      } else if (new Recurrences(elaboration, frame).begins(statement)) {
        i += recur(statements, i) - 1;
      } else {
        run(statement);
      }
    }
    return new End.Falls();
  }

  /// Carries out the statements that define a tensor together, from `start` on; gives how many they are.
  private int recur(List<Statement> statements, int start) {
    List<Statement> group = new Extents(diagnostics, frame).group(statements, start);
    int before = diagnostics.reports();
    boolean isDone = diagnostics.attempt(statements.get(start).span(),
        () -> new Recurrences(elaboration, frame).read(group, this::run));
    if (!isDone || diagnostics.reports() > before) {
      group.forEach(this::forget);
    }
    return group.size();
  }

  /// A statement that is wrong leaves the names that it defines without a meaning, which is no further error.
  private void run(Statement statement) {
    int before = diagnostics.reports();
    boolean isDone = diagnostics.attempt(statement.span(), () -> execute(statement));
    if (!isDone || statement instanceof Statement.Definition && diagnostics.reports() > before) {
      forget(statement);
    }
  }

  private void forget(Statement statement) {
    names(statement).forEach(name -> frame.bind(name.text(), Optional.empty()));
  }

  /// The names that a statement defines.
  static Stream<Syntax.Name> names(Statement statement) {
    return switch (statement) {
      case Statement.Weight weight -> Stream.of(weight.name());
      case Statement.Definition definition -> Stream.of(definition.name());
      case Statement.Destructuring definition -> definition.targets().stream().map(Syntax.Target::name);
      case Statement.Change change -> Stream.of(change.target().name());
      case Statement.Update update -> update.states().stream().map(Syntax.State::name);
      case Statement.Assignment assignment -> assignment.names().stream();
      case Statement.Constant constant -> Stream.of(constant.name());
      case Statement.Choice choice -> statements(choice).flatMap(Statements::names);
      case Statement.Loop loop -> loop.body().stream().flatMap(Statements::names);
      case Statement.Map _, Statement.Return _ -> Stream.of();
    };
  }

  private static Stream<Statement> statements(Statement.Choice choice) {
    return Stream.concat(choice.branches().stream().flatMap(branch -> branch.body().stream()),
        choice.otherwise().stream());
  }

  /// Carries out the branch whose condition holds. Its names are those of the statements around it.
  private End choose(Statement.Choice choice) {
    List<List<Statement>> taken = new ArrayList<>();
    if (diagnostics.attempt(choice.span(), () -> taken.add(taken(choice)))) {
      return run(taken.getFirst());
    }
    forget(choice);
    return returns(choice) ? new End.Unknown() : new End.Falls();
  }

  private List<Statement> taken(Statement.Choice choice) {
    Sizes sizes = new Sizes(diagnostics, frame);
    for (Syntax.Branch branch : choice.branches()) {
      if (sizes.truth(branch.condition())) {
        return branch.body();
      }
    }
    return choice.otherwise();
  }

  private static boolean returns(Statement.Choice choice) {
    return statements(choice).anyMatch(statement -> statement instanceof Statement.Return
        || statement instanceof Statement.Choice inner && returns(inner));
  }

  private void execute(Statement statement) {
    switch (statement) {
      case Statement.Weight weight -> frame.bind(weight.name().text(), Optional.of(weight(weight)));
      case Statement.Definition definition when definition.where().isPresent() -> throw Definitions.misplaced(
          definition.where().get(), diagnostics);
      case Statement.Definition definition when definition.condition().isPresent() -> throw diagnostics.reject(
          definition.condition().get().span(), "`while` stops a recurrence, and this statement takes no steps");
      case Statement.Definition definition -> frame.bind(
          definition.name().text(), Optional.of(new Definitions(elaboration, frame).define(definition)));
      case Statement.Destructuring definition -> takeApart(definition);
      case Statement.Change change -> frame.bind(
          change.target().name().text(), Optional.of(new UpdateBlocks(elaboration, frame).change(change)));
      case Statement.Update update -> new UpdateBlocks(elaboration, frame).update(update);
      case Statement.Assignment assignment -> assign(assignment);
      case Statement.Constant constant -> constant(constant);
      case Statement.Choice choice -> throw new InternalException("a choice is carried out by itself");
      case Statement.Loop loop -> loop(loop);
      case Statement.Map map -> new Maps(elaboration, frame).map(map);
      case Statement.Return end -> throw early(end);
    }
  }

  private Diagnostics.Rejection early(Statement.Return end) {
    return diagnostics.reject(end.span(), "`return` is the last statement of a function, or of a branch of its `if`");
  }

  private void constant(Statement.Constant constant) {
    Syntax.Name name = constant.name();
    if (frame.own(name.text()).isPresent()) {
      throw diagnostics.reject(name.span(), "`" + name.text() + "` has a value here, and a constant does not change");
    }
    frame.define(name.text(), new Sizes(diagnostics, frame).value(constant.value(), Statics.Purpose.CONSTANT));
  }

  private Tensor weight(Statement.Weight weight) {
    Sizes sizes = new Sizes(diagnostics, frame);
    String key = new Texts(diagnostics, frame).join(frame.prefix(), weight.key());
    Formats formats = new Formats(elaboration, frame);
    Optional<Format> format = formats.format(weight.type());
    if (format.isPresent()) {
      return formats.weight(weight, format.get(), key);
    }
    List<Size> shape = sizes.shape(weight.type().dimensions(), weight.type().span());
    return elaboration.weight(weight.name(), sizes.element(weight.type()), shape, key);
  }

  /// Each component becomes a definition of its own. All read what names meant before the statement.
  private void takeApart(Statement.Destructuring statement) {
    List<Syntax.Target> targets = statement.targets();
    if (!(statement.value() instanceof Syntax.Expr.Reduction reduction && reduction.component().isEmpty())) {
      throw diagnostics.reject(statement.value().span(), "expected a reduction of tuples here, which makes "
          + targets.size() + " values, as in `A[i], B[i] = top2[k](X[i, k], -inf)`");
    }
    checkCount(statement, reduction);
    List<Tensor> tensors = diagnostics.each(IntStream.range(0, targets.size()).boxed().toList(), i ->
        new Definitions(elaboration, frame).define(new Statement.Definition(targets.get(i), new Syntax.Expr.Reduction(
            reduction.name(), reduction.indices(), reduction.filter(), Optional.of((long) i), reduction.bodies(),
            reduction.span()), statement.ranges(), Optional.empty(), Optional.empty(), statement.span())));
    for (int i = 0; i < targets.size(); i++) {
      frame.bind(targets.get(i).name().text(), Optional.of(tensors.get(i)));
    }
  }

  private void checkCount(Statement.Destructuring statement, Syntax.Expr.Reduction reduction) {
    if (statement.targets().size() != reduction.bodies().size()) {
      throw diagnostics.reject(statement.span(), "a reduction of " + reduction.bodies().size()
          + (reduction.bodies().size() == 1 ? " value" : " values") + " makes as many, and " + statement.targets().size()
          + " are taken apart here");
    }
  }

  private void assign(Statement.Assignment assignment) {
    List<Syntax.Name> names = assignment.names();
    List<Optional<Tensor>> tensors = new Wholes(elaboration, frame)
        .tensors(assignment.value(), names.size(), names.getFirst().text());
    for (int i = 0; i < names.size(); i++) {
      String name = names.get(i).text();
      frame.bind(name, tensors.get(i));
      if (assignment.value() instanceof Syntax.Expr.Call) {
        tensors.get(i).ifPresent(tensor -> elaboration.rename(tensor, name));
      }
    }
  }

  private void loop(Statement.Loop loop) {
    Sizes sizes = new Sizes(diagnostics, frame);
    long from = sizes.number(loop.from());
    long to = sizes.number(loop.to());
    if (to - from > MOST_ROUNDS) {
      throw diagnostics.reject(loop.to().span(), "a static loop has at most " + MOST_ROUNDS + " rounds, not "
          + (to - from));
    }
    int errors = diagnostics.reports();
    // Where one round is wrong the next would be wrong in the same way.
    for (long i = from; i < to && diagnostics.reports() == errors; i++) {
      Frame round = frame.round(loop.name().text(), i, frame.prefix());
      String prefix = loop.prefix().map(text -> new Texts(diagnostics, round).join(frame.prefix(), text))
          .orElse(frame.prefix());
      End end = new Statements(elaboration, frame.round(loop.name().text(), i, prefix)).run(loop.body());
      if (end instanceof End.Returns(Statement.Return last)) {
        throw early(last);
      }
    }
  }
}
