package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Expr;
import dev.einfall.frontend.Syntax.Statement;
import dev.einfall.frontend.Syntax.Subscript;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Size;
import dev.einfall.ir.UnaryOp;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Finds in which direction the steps of a recurrence go: so that what a step reads has been written.
final class StepOrder {
  private static final int MOST_STEPS = 4;

  private final Diagnostics diagnostics;
  private final Frame frame;
  private final List<Statement.Definition> statements;
  private final List<String> steps;
  private final List<Distance> distances = new ArrayList<>();

  /// How many steps before its use an element is written, for each index that counts steps as far as it is a number.
  private record Distance(List<Optional<Long>> steps, Expr.Access read, Statement.Definition writer, boolean isEarlier) {

    /// Whether the element has been written when the steps go so.
    boolean fits(List<Integer> directions) {
      for (int i = 0; i < steps.size(); i++) {
        if (steps.get(i).isEmpty()) {
          return true;
        }
        long distance = steps.get(i).get() * directions.get(i);
        if (distance != 0) {
          return distance > 0;
        }
      }
      return isEarlier;
    }

    boolean isSameStep() {
      return steps.stream().allMatch(step -> step.filter(distance -> distance == 0).isPresent());
    }
  }

  /// @param statements the statements that take these steps, in order
  StepOrder(Diagnostics diagnostics, Frame frame, List<Statement.Definition> statements, List<String> steps) {
    this.diagnostics = diagnostics;
    this.frame = frame;
    this.statements = statements;
    this.steps = steps;
    statements.forEach(this::measure);
  }

  /// For each index 1 if it goes up, -1 if it goes down.
  List<Integer> directions() {
    if (steps.size() > MOST_STEPS) {
      throw diagnostics.reject(statements.getFirst().target().span(),
          "at most " + MOST_STEPS + " indices count the steps of a recurrence, not " + steps.size());
    }
    for (Distance distance : distances) {
      if (distance.isSameStep() && !distance.isEarlier()) {
        throw diagnostics.reject(distance.read().span(), "this element is written in the same step, but later",
            new Diagnostic.Note(distance.writer().target().span(), "it is written here"));
      }
    }
    for (int choice = 0; choice < 1 << steps.size(); choice++) {
      List<Integer> directions = directions(choice);
      if (distances.stream().allMatch(distance -> distance.fits(directions))) {
        return directions;
      }
    }
    throw mixed();
  }

  private List<Integer> directions(int choice) {
    List<Integer> directions = new ArrayList<>();
    for (int i = 0; i < steps.size(); i++) {
      directions.add((choice >> i & 1) == 0 ? 1 : -1);
    }
    return directions;
  }

  private Diagnostics.Rejection mixed() {
    List<Integer> up = directions(0);
    Distance down = distances.stream().filter(distance -> !distance.fits(up)).findFirst().orElseThrow();
    Optional<Distance> other = distances.stream().filter(distance -> distance.fits(up) && !distance.isSameStep()).findFirst();
    return diagnostics.reject(down.read().span(), "this element is written in a later step, if the steps go as another "
        + "read needs it: no order of `" + String.join("`, `", steps) + "` defines every element before it is read",
        other.stream().map(distance -> new Diagnostic.Note(distance.read().span(), "this read needs the other direction"))
            .toArray(Diagnostic.Note[]::new));
  }

  private void measure(Statement.Definition reader) {
    for (Expr.Access read : Reads.of(reader).accesses()) {
      for (Statement.Definition writer : statements) {
        if (writer.name().text().equals(read.name().text()) && read.subscripts().size() == writer.indices().size()) {
          boolean isEarlier = statements.indexOf(writer) < statements.indexOf(reader);
          List<Optional<Long>> distance = steps.stream().map(step -> distance(step, read, writer)).toList();
          if (distance.stream().noneMatch(steps -> steps.filter(value -> value == Long.MIN_VALUE).isPresent())) {
            distances.add(new Distance(distance, read, writer, isEarlier));
          }
        }
      }
    }
  }

  /// How many steps of `step` lie between the writing and the reading of the same element: nothing if that is no number,
  /// the least number if they are never the same.
  private Optional<Long> distance(String step, Expr.Access read, Statement.Definition writer) {
    for (int i = 0; i < read.subscripts().size(); i++) {
      Optional<Size> left = polynomial(writer.indices().get(i));
      Optional<Size> right = polynomial(read.subscripts().get(i));
      Optional<Long> speed = left.flatMap(index -> speed(step, index));
      if (speed.filter(value -> value != 0).isPresent()) {
        return right.flatMap(index -> left.get().minus(index).constant()).map(difference ->
            difference % speed.get() == 0 ? difference / speed.get() : Long.MIN_VALUE);
      }
    }
    return Optional.empty();
  }

  /// By how much `index` grows in a step of `step`.
  private static Optional<Long> speed(String step, Size index) {
    Size next = index.substitute(name -> name.equals(step)
        ? Optional.of(Size.named(name).plus(Size.of(1))) : Optional.empty());
    return next.minus(index).constant();
  }

  private Optional<Size> polynomial(Subscript index) {
    return switch (index) {
      case Subscript.Index(Expr value) -> polynomial(value);
      case Subscript.Ranged ranged -> Optional.of(Size.named(ranged.name().text()));
      case Subscript.Placed placed -> polynomial(placed.value());
      case Subscript _ -> Optional.empty();
    };
  }

  /// An index as a size, in which index variables are names.
  private Optional<Size> polynomial(Expr expr) {
    return switch (expr) {
      case Expr.Whole whole -> Optional.of(Size.of(whole.value()));
      case Expr.Reference(Syntax.Name name) when frame.known(name.text()).isPresent() ->
          frame.known(name.text()).filter(Static.Whole.class::isInstance).map(value -> ((Static.Whole) value).size());
      case Expr.Reference(Syntax.Name name) -> Optional.of(Size.named(name.text()));
      case Expr.Prefix prefix when prefix.op() == UnaryOp.NEG ->
          polynomial(prefix.operand()).map(size -> Size.of(0).minus(size));
      case Expr.Infix infix -> polynomial(infix.left()).flatMap(left ->
          polynomial(infix.right()).flatMap(right -> combine(infix, left, right)));
      case Expr _ -> Optional.empty();
    };
  }

  private static Optional<Size> combine(Expr.Infix infix, Size left, Size right) {
    return switch (infix.op()) {
      case ADD -> Optional.of(left.plus(right));
      case SUB -> Optional.of(left.minus(right));
      case MUL -> Optional.of(left.times(right));
      default -> Optional.empty();
    };
  }
}
