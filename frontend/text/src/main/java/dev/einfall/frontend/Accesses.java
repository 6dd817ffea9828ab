package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Expr;
import dev.einfall.frontend.Syntax.Subscript;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// Finds the tensor of an access, and which subscript stands at which of its dimensions.
final class Accesses {

  /// What stands at a dimension: a subscript, or place `rest` of what `...` stands for.
  record Position(int dimension, Optional<Subscript> subscript, int rest) {}

  private final Diagnostics diagnostics;
  private final Frame frame;

  Accesses(Diagnostics diagnostics, Frame frame) {
    this.diagnostics = diagnostics;
    this.frame = frame;
  }

  /// The tensor that `name` stands for.
  Tensor tensor(Syntax.Name name) {
    Optional<Tensor> tensor = frame.tensor(name.text()).orElseThrow(() -> unknown(name));
    return tensor.orElseThrow(diagnostics::reject);
  }

  private Diagnostics.Rejection unknown(Syntax.Name name) {
    List<FileScope> files = frame.file().filesWithConstant(name.text());
    if (files.size() > 1) {
      return Constants.ambiguous(diagnostics, name, files);
    }
    if (frame.file().constant(name.text()).filter(Optional::isEmpty).isPresent()) {
      return diagnostics.reject();
    }
    if (frame.known(name.text()).isPresent()) {
      return diagnostics.reject(name.span(), "`" + name.text() + "` is "
          + (frame.known(name.text()).get() instanceof Static.Whole ? "a size" : "a constant") + ", not a tensor");
    }
    if (frame.callee(name.text()).isPresent()) {
      return diagnostics.reject(name.span(), "`" + name.text() + "` is a function, not a tensor; call it: `"
          + name.text() + "(...)`");
    }
    return diagnostics.reject(name.span(), "no tensor is called `" + name.text() + "`"
        + Spelling.suggestion(name.text(), frame.tensorNames()), elsewhere(name));
  }

  /// A note on a definition of the name that has no effect here.
  private Diagnostic.Note[] elsewhere(Syntax.Name name) {
    int use = name.span().start();
    return frame.function().body().stream()
        .filter(statement -> statement.span().end() <= use || statement.span().start() > use)
        .flatMap(Statements::names).filter(other -> other.text().equals(name.text())).limit(1)
        .map(other -> new Diagnostic.Note(other.span(), other.span().start() < use
            ? "it is defined here, for the round of a loop or in a branch" : "it is defined here, further down"))
        .toArray(Diagnostic.Note[]::new);
  }

  /// What stands at each dimension of the tensor.
  List<Position> positions(Expr.Access access) {
    Tensor tensor = tensor(access.name());
    int rank = tensor.shape().size();
    int given = access.subscripts().size();
    long rests = access.subscripts().stream().filter(Subscript.Rest.class::isInstance).count();
    if (rests > 1) {
      throw diagnostics.reject(access.span(), "`...` stands once in an index");
    }
    if (rests == 0 ? given != rank : given - 1 > rank) {
      throw diagnostics.reject(access.span(), "`" + tensor.name() + "` has " + dimensions(rank) + ", not " + given
          + (rank == 0 ? "; it is one value, `" + tensor.name() + "`" : ""),
          declaration(tensor));
    }
    return positions(access.subscripts(), rank - given + 1);
  }

  private static List<Position> positions(List<Subscript> subscripts, int rest) {
    List<Position> positions = new ArrayList<>();
    for (Subscript subscript : subscripts) {
      if (subscript instanceof Subscript.Rest) {
        for (int i = 0; i < rest; i++) {
          positions.add(new Position(positions.size(), Optional.empty(), i));
        }
      } else {
        positions.add(new Position(positions.size(), Optional.of(subscript), 0));
      }
    }
    return positions;
  }

  static String dimensions(int count) {
    return count == 1 ? "1 dimension" : count + " dimensions";
  }

  /// The place where a tensor is defined, and its type.
  static Diagnostic.Note declaration(Tensor tensor) {
    return new Diagnostic.Note(tensor.span(), "`" + tensor.name() + "` is " + describe(tensor));
  }

  /// A tensor's type as it is written.
  static String describe(Tensor tensor) {
    return tensor.type() + tensor.shape().stream().map(Object::toString).collect(Collectors.joining(", ", "[", "]"));
  }

  /// The error of a tensor that stands without indices where a number is needed.
  Diagnostics.Rejection needsIndices(Tensor tensor, Span span) {
    int rank = tensor.shape().size();
    String example = tensor.name() + letters(rank);
    return diagnostics.reject(span, "`" + tensor.name() + "` has " + dimensions(rank)
        + "; name the element, as in `" + example + "`");
  }

  private static String letters(int count) {
    List<String> all = List.of("i", "j", "k", "l", "m", "n");
    return count > all.size() ? "[...]" : all.subList(0, count).toString();
  }
}
