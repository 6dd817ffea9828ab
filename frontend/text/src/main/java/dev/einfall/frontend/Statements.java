package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Statement;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Tensor;
import java.util.List;
import java.util.Optional;

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

  void run(List<Statement> statements) {
    statements.forEach(this::run);
  }

  /// A statement that is wrong leaves the names that it defines without a meaning, which is no further error.
  private void run(Statement statement) {
    elaboration.step(statement.span());
    int before = diagnostics.reports();
    boolean isDone = diagnostics.attempt(statement.span(), () -> execute(statement));
    if (!isDone || statement instanceof Statement.Definition && diagnostics.reports() > before) {
      names(statement).forEach(name -> frame.bind(name.text(), Optional.empty()));
    }
  }

  private static List<Syntax.Name> names(Statement statement) {
    return switch (statement) {
      case Statement.Weight weight -> List.of(weight.name());
      case Statement.Definition definition -> List.of(definition.name());
      case Statement.Destructuring definition -> definition.targets().stream().map(Syntax.Target::name).toList();
      case Statement.Change change -> List.of(change.target().name());
      case Statement.Update update -> update.states().stream().map(Syntax.State::name).toList();
      case Statement.Assignment assignment -> assignment.names();
      case Statement.Loop _, Statement.Map _, Statement.Return _ -> List.of();
    };
  }

  private void execute(Statement statement) {
    switch (statement) {
      case Statement.Weight weight -> frame.bind(weight.name().text(), Optional.of(weight(weight)));
      case Statement.Definition definition when definition.condition().isPresent() ->
          throw diagnostics.reject(definition.span(), "this form is not supported yet");
      case Statement.Definition definition -> frame.bind(
          definition.name().text(), Optional.of(new Definitions(elaboration, frame).define(definition)));
      case Statement.Destructuring _, Statement.Change _, Statement.Update _ ->
          throw diagnostics.reject(statement.span(), "this form is not supported yet");
      case Statement.Assignment assignment -> assign(assignment);
      case Statement.Loop loop -> loop(loop);
      case Statement.Map map -> new Maps(elaboration, frame).map(map);
      case Statement.Return end -> throw diagnostics.reject(end.span(), "`return` is the last statement of a function");
    }
  }

  private Tensor weight(Statement.Weight weight) {
    Sizes sizes = new Sizes(diagnostics, frame);
    List<Size> shape = sizes.shape(weight.type().dimensions(), weight.type().span());
    String key = new Texts(diagnostics, frame).join(frame.prefix(), weight.key());
    return elaboration.weight(weight.name(), sizes.element(weight.type().element()), shape, key);
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
    for (long i = from; i < to; i++) {
      Frame round = frame.round(loop.name().text(), i, frame.prefix());
      String prefix = loop.prefix().map(text -> new Texts(diagnostics, round).join(frame.prefix(), text))
          .orElse(frame.prefix());
      new Statements(elaboration, frame.round(loop.name().text(), i, prefix)).run(loop.body());
    }
  }
}
